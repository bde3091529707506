"""Training in SQL: from labelled rows to a registered model.

SPDX-License-Identifier: PostgreSQL
"""

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from support import (HERE, DatabaseTest, connect, model, one)

TOPICS = {
    "money": ["charged", "card", "invoice", "pay", "refund"],
    "parcel": ["package", "delivery", "late", "came", "address"],
    "login": ["password", "account", "login", "help", "change"],
}


def make_rows(db, count, seed=1):
    source = random.Random(seed)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT, queue TEXT)")
    for i in range(count):
        queue = source.choice(sorted(TOPICS))
        body = "%s my %s %d" % (source.choice(TOPICS[queue]),
                                source.choice(TOPICS[queue]), i % 10)
        db.execute("INSERT INTO t VALUES (?, ?, ?)", (i, body, queue))


class Classifier(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('default_embedder', 'near')")
        make_rows(self.db, 150)

    def accuracy(self, name):
        return self.one("SELECT avg(classify(body, ?) = queue) FROM t", name)

    def test_train_register_classify(self):
        digest = self.one("SELECT model_register('route-v1', "
                          "train_classifier(body, queue)) FROM t")
        self.assertEqual(len(digest), 64)
        self.assertGreater(self.accuracy("route-v1"), 0.95)
        info = json.loads(self.one("SELECT model_info('route-v1')"))
        self.assertEqual(info["labels"], sorted(TOPICS))
        # The embedding is that of the encoder.
        self.assertEqual(self.one("SELECT embed('my card', 'route-v1')"),
                         self.one("SELECT embed('my card', 'near')"))
        scores = self.all(
            "SELECT score FROM classify_scores('my card', 'route-v1')")
        self.assertAlmostEqual(sum(score for score, in scores), 1, 5)

    def test_bundled_encoder(self):
        self.one("SELECT model_register('route-v1', train_classifier(body, "
                 "queue, '{\"encoder\": \"insitu-mini-en\"}')) FROM t")
        self.assertGreater(self.accuracy("route-v1"), 0.95)

    def test_heads_and_options(self):
        for options in ({"head": "network"}, {"head": "auto"},
                        {"class_weights": "balanced"}, {"l2": 0.01},
                        {"folds": 2, "seed": 9}, {"max_tokens": 8}):
            with self.subTest(options):
                name = "m%d" % abs(hash(str(options)))
                self.one("SELECT model_register(?, train_classifier(body, "
                         "queue, ?)) FROM t", name, json.dumps(options))
                self.assertGreater(self.accuracy(name), 0.9)

    def test_same_rows_same_bytes(self):
        sql = ("SELECT train_classifier(body, queue) FROM "
               "(SELECT * FROM t ORDER BY id)")
        self.assertEqual(self.one(sql), self.one(sql))

    def test_one_model_per_group(self):
        rows = self.all("SELECT id % 2, length(train_classifier(body, queue)) "
                        "FROM t GROUP BY id % 2")
        self.assertEqual(len(rows), 2)
        self.assertTrue(all(size > 1000 for _, size in rows))

    def test_nulls_are_skipped(self):
        self.db.execute("INSERT INTO t(body, queue) VALUES (NULL, 'money'), "
                        "('x', NULL), (NULL, NULL)")
        with_nulls = self.one("SELECT train_classifier(body, queue) FROM t")
        self.db.execute("DELETE FROM t WHERE body IS NULL OR queue IS NULL")
        self.assertEqual(
            with_nulls, self.one("SELECT train_classifier(body, queue) FROM t"))

    def test_too_few(self):
        self.fails("no rows",
                   "SELECT train_classifier(body, queue) FROM t WHERE 0")
        self.fails("no rows", "SELECT train_classifier(NULL, 'a')")
        self.fails("all rows have the same label",
                   "SELECT train_classifier(body, 'same') FROM t")

    def test_a_label_with_one_row(self):
        self.db.execute("INSERT INTO t(body, queue) VALUES ('hello', 'rare')")
        self.one("SELECT model_register('m', train_classifier(body, queue)) "
                 "FROM t")
        self.assertIn("rare", json.loads(
            self.one("SELECT model_info('m')"))["labels"])

    def test_odd_texts(self):
        self.db.execute("INSERT INTO t(body, queue) VALUES ('', 'money')")
        self.db.execute("INSERT INTO t(body, queue) VALUES "
                        "(CAST(x'ff00fe' AS TEXT), 'parcel')")
        self.one("SELECT model_register('m', train_classifier(body, queue)) "
                 "FROM t")
        self.fails("label", "SELECT train_classifier(body, "
                   "CAST(x'ff41' AS TEXT) || id) FROM t")
        self.fails("label", "SELECT train_classifier(body, '') FROM t")
        self.fails("label", "SELECT train_classifier(body, "
                   "printf('%.10000c', queue)) FROM t")
        self.fails("BLOB", "SELECT train_classifier(x'00', queue) FROM t")

    def test_labels_may_be_numbers(self):
        self.one("SELECT model_register('m', train_classifier(body, "
                 "length(queue))) FROM t")
        self.assertEqual(
            json.loads(self.one("SELECT model_info('m')"))["labels"],
            ["5", "6"])

    def test_options_are_checked(self):
        for options, pattern in (
                ('{"speed": 1}', "speed"), ('{"folds": "a"}', "folds"),
                ('{"folds": 1}', "folds"), ('{"l2": -1}', "l2"),
                ('{"head": "forest"}', "head"), ("[]", "object"),
                ("x", "JSON|json"), ('{"epochs": 3}', "epochs"),
                ('{"encoder": "none-such"}', "none-such"),
                ('{"encoder": "sort"}', "embed")):
            with self.subTest(options):
                self.fails(pattern,
                           "SELECT train_classifier(body, queue, ?) FROM t",
                           options)
        self.fails("not NULL",
                   "SELECT train_classifier(body, queue, NULL) FROM t")
        self.fails("same for all rows",
                   "SELECT train_classifier(body, queue, "
                   "iif(id < 50, '{}', '{\"seed\": 2}')) FROM t")

    def test_memory_is_bounded(self):
        self.one("SELECT insitu_setting('train_max_memory', 1024)")
        self.fails("memory for training.*train_max_memory",
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                   "FROM n WHERE i < 100000) SELECT train_classifier(body || "
                   "i, queue) FROM t, n")

    def test_several_labels_per_row(self):
        self.db.execute("CREATE TABLE m(body TEXT, labels TEXT)")
        source = random.Random(3)
        for i in range(200):
            chosen = [topic for topic in TOPICS if source.random() < 0.5]
            words = [source.choice(TOPICS[topic]) for topic in chosen] or ["a"]
            self.db.execute("INSERT INTO m VALUES (?, ?)",
                            ("%s %d" % (" ".join(words), i % 10),
                             json.dumps(chosen)))
        self.one("SELECT model_register('many', train_classifier(body, "
                 "labels)) FROM m")
        self.assertTrue(
            json.loads(self.one("SELECT model_info('many')"))["multi_label"])
        both = dict(self.all("SELECT label, score FROM classify_scores("
                             "'card package', 'many')"))
        self.assertGreater(both["money"], 0.5)
        self.assertGreater(both["parcel"], 0.5)
        self.fails("arrays in all rows or in none",
                   "SELECT train_classifier(body, iif(rowid % 2, labels, "
                   "'plain')) FROM m")
        self.fails("more than 16777216 bytes", "SELECT train_classifier(body, "
                   "printf('[\"%.17000000c\"]', 'x')) FROM m")
        for bad in ('[1]', '[null]', '[', '[["a"]]'):
            with self.subTest(bad):
                self.fails("JSON array of texts",
                           "SELECT train_classifier(body, ?) FROM m", bad)

    def test_name_is_taken(self):
        self.fails("exists", "SELECT model_register('sort', "
                   "train_classifier(body, queue)) FROM t")

    def test_not_in_views(self):
        self.db.execute("CREATE VIEW v AS SELECT train_classifier(body, queue)"
                        " FROM t")
        self.fails("unsafe use", "SELECT * FROM v")

    def test_interrupt(self):
        sql = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
               "FROM n WHERE i < 300) SELECT train_classifier(body || i, "
               "queue) FROM t, n")
        for delay in (0.05, 0.3, 1.0):
            with self.subTest(delay):
                timer = threading.Timer(delay, self.db.interrupt)
                timer.start()
                with self.assertRaisesRegex(sqlite3.Error, "interrupted"):
                    self.db.execute(sql).fetchall()
                timer.cancel()
        # The connection goes on.
        self.one("SELECT classify('my card', 'sort')")

    def test_an_error_elsewhere(self):
        # SQLite ends an aggregate of a statement that failed as it ends any
        # other, so that the training is run; an interrupt ends it.
        rows = ("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                "n WHERE i < 60) SELECT body || i AS body, queue, "
                "iif(id = 149 AND i = 60, '{', '1') AS json FROM n, t)")
        options = '{"encoder": "insitu-mini-en", "head": "auto"}'
        timer = threading.Timer(0.3, self.db.interrupt)
        start = time.monotonic()
        timer.start()
        self.fails("malformed JSON|interrupted",
                   "SELECT train_classifier(body, queue, ?), max(json(json)) "
                   "FROM " + rows, options)
        self.assertLess(time.monotonic() - start, 3)
        timer.join()
        # Rows that are made first fail before the training has begun.
        start = time.monotonic()
        self.fails("malformed JSON",
                   "WITH r AS MATERIALIZED (SELECT body, queue, json(json) AS "
                   "json FROM " + rows + ") SELECT train_classifier(body, "
                   "queue, ?), max(json) FROM r", options)
        self.assertLess(time.monotonic() - start, 3)


class FineTune(DatabaseTest):
    def setUp(self):
        super().setUp()
        make_rows(self.db, 90)

    def test_embedder_and_classifier(self):
        for base in ("near", "sort"):
            with self.subTest(base):
                name = "tuned-" + base
                self.one("SELECT model_register(?, fine_tune_classifier(body, "
                         "queue, ?, '{\"epochs\": 12, \"learning_rate\": "
                         "0.003, \"batch_size\": 8, \"weights\": \"f32\"}')) "
                         "FROM t", name, base)
                right = self.one(
                    "SELECT avg(classify(body, ?) = queue) FROM t", name)
                self.assertGreater(right, 0.95)

    def test_options_are_checked(self):
        for options in ('{"epochs": 0}', '{"learning_rate": "x"}',
                        '{"dropout": 1}', '{"token_dropout": -0.1}',
                        '{"l2": 1}', '{"validation": 1}'):
            with self.subTest(options):
                self.fails(json.loads(options).popitem()[0],
                           "SELECT fine_tune_classifier(body, queue, 'near', "
                           "?) FROM t", options)
        self.fails("does not exist|not found|no model",
                   "SELECT fine_tune_classifier(body, queue, 'nothing') FROM t")
        self.fails("base", "SELECT fine_tune_classifier(body, queue, NULL) "
                   "FROM t")

    def test_interrupt(self):
        timer = threading.Timer(0.5, self.db.interrupt)
        timer.start()
        with self.assertRaisesRegex(sqlite3.Error, "interrupted"):
            self.db.execute(
                "SELECT fine_tune_classifier(body, queue, 'insitu-mini-en', "
                "'{\"epochs\": 100, \"patience\": 0}') FROM t").fetchall()
        timer.cancel()


class Tabular(DatabaseTest):
    models = False

    def setUp(self):
        super().setUp()
        source = random.Random(5)
        self.db.execute("CREATE TABLE p(age REAL, income REAL, sex TEXT, "
                        "risk TEXT)")
        for _ in range(300):
            age, income = source.uniform(18, 80), source.gauss(30000, 9000)
            sex = source.choice(["f", "m"])
            z = (age - 49) / 10 - (income - 30000) / 9000 + (sex == "m")
            self.db.execute("INSERT INTO p VALUES (?, ?, ?, ?)", (
                age, income, sex,
                "bad" if z + source.gauss(0, 0.3) > 0.5 else "good"))

    def test_numbers(self):
        self.one("SELECT model_register('risk', train_tabular(risk, age, "
                 "income)) FROM p")
        self.assertGreater(self.one(
            "SELECT avg(predict_label('risk', age, income) = risk) FROM p"),
            0.8)
        good = self.one("SELECT predict('risk', 20, 60000)")
        self.assertGreater(good, 0.9)
        self.assertLess(self.one("SELECT predict('risk', 80, 10000)"), 0.1)
        # Missing counts as the mean.
        self.assertTrue(0 < self.one("SELECT predict('risk', NULL, 30000)") < 1)
        self.assertIsNone(self.one("SELECT predict(NULL, 1, 2)"))
        self.fails("2 features", "SELECT predict('risk', 1)")
        self.fails("must be numbers", "SELECT predict('risk', 1, 'x')")

    def test_objects(self):
        self.one("SELECT model_register('risk', train_tabular(risk, "
                 "json_object('age', age, 'income', income, 'sex', sex), "
                 "'{\"positive\": \"bad\"}')) FROM p")
        self.assertGreater(self.one(
            "SELECT avg(predict_label('risk', json_object('age', age, "
            "'income', income, 'sex', sex)) = risk) FROM p"), 0.9)
        scores = dict(self.all(
            "SELECT label, score FROM predict_scores('risk', "
            "'{\"age\": 80, \"income\": 9000, \"sex\": \"m\"}')"))
        self.assertGreater(scores["bad"], 0.9)
        self.assertAlmostEqual(
            scores["bad"],
            self.one("SELECT predict_row('risk', '{\"income\": 9000, "
                     "\"sex\": \"m\", \"age\": 80}')"), 6)
        # An unknown value of a known key, and a missing key.
        self.one("SELECT predict_row('risk', '{\"sex\": \"x\"}')")
        self.fails("shoe", "SELECT predict_row('risk', '{\"shoe\": 44}')")
        self.fails("object|JSON", "SELECT predict_row('risk', '[1')")
        self.assertIsNone(self.one("SELECT predict_row('risk', NULL)"))

    def test_rows_without_features_are_skipped(self):
        sql = ("SELECT hex(train_tabular(risk, object%s)) FROM (SELECT risk, "
               "iif(%s, json_object('age', age), NULL) AS object FROM p "
               "WHERE %s ORDER BY rowid)")
        for options in ("", ", '{}'"):
            for given in ("rowid > 10", "rowid < 290"):
                with self.subTest(given + options):
                    self.assertEqual(
                        self.one(sql % (options, given, "1")),
                        self.one(sql % (options, "1", given)))
        self.fails("300 rows", "SELECT train_tabular(risk, NULL) FROM p")

    def test_an_object_that_is_null(self):
        self.one("SELECT model_register('risk', train_tabular(risk, "
                 "json_object('age', age, 'sex', sex))) FROM p")
        self.assertIsNone(self.one("SELECT predict_row('risk', NULL)"))
        self.assertIsNone(self.one("SELECT predict_label('risk', NULL)"))
        self.assertIsNone(self.one("SELECT predict('risk', NULL)"))
        self.one("SELECT model_register('one', train_tabular(risk, age)) "
                 "FROM p")
        # A number that is missing counts as the mean.
        self.assertTrue(0 < self.one("SELECT predict('one', NULL)") < 1)

    def test_features_beyond_a_float(self):
        self.one("SELECT model_register('risk', train_tabular(risk, age, "
                 "income)) FROM p")
        self.fails("feature 2 is infinite or too large",
                   "SELECT predict('risk', 1, 1e300)")

    def test_bad_rows(self):
        self.fails("infinite|finite",
                   "SELECT train_tabular(risk, 9e999, age) FROM p")
        self.fails("features", "SELECT train_tabular(risk) FROM p")
        self.fails("object|JSON", "SELECT train_tabular(risk, 'x') FROM p")
        self.fails("text", "SELECT train_tabular(risk, age, sex, income) "
                   "FROM p")
        self.fails("no rows", "SELECT train_tabular(NULL, age) FROM p")

    def test_managed_as_others(self):
        self.one("SELECT model_register('risk', train_tabular(risk, age, "
                 "income)) FROM p")
        info = json.loads(self.one("SELECT model_info('risk')"))
        self.assertEqual(info["tasks"], ["predict"])
        self.assertEqual(info["labels"], ["bad", "good"])
        self.assertEqual(self.one("SELECT tasks FROM model_list WHERE name = "
                                  "'risk'"), "predict")
        self.one("SELECT model_load('risk')")
        self.assertEqual(self.one("SELECT model_verify('risk')"), 1)
        before = self.one("SELECT predict('risk', 40, 20000)")
        pack = self.one("SELECT model_export('risk')")
        self.one("SELECT model_unload('risk')")
        self.one("SELECT model_register('again', ?)", pack)
        self.assertEqual(self.one("SELECT predict('again', 40, 20000)"), before)
        # Two names of one pack: each is told by its own.
        for name in ("risk", "again"):
            self.assertEqual(json.loads(self.one("SELECT model_info(?)",
                                                 name))["name"], name)

    def test_wrong_tasks(self):
        self.one("SELECT model_register('risk', train_tabular(risk, age, "
                 "income)) FROM p")
        for sql in ("SELECT classify('x', 'risk')", "SELECT embed('x', 'risk')",
                    "SELECT token_count('x', 'risk')",
                    "SELECT * FROM tokens('x', 'risk')",
                    "SELECT * FROM classify_scores('x', 'risk')",
                    "SELECT * FROM embed_batch('[\"x\"]', 'risk')"):
            with self.subTest(sql):
                self.fails("predict", sql)
        self.fails("cannot predict",
                   "SELECT predict('insitu-mini-en', 1, 2)")
        for call in ("fine_tune_classifier(sex, risk, 'risk')",
                     "train_classifier(sex, risk, "
                     "'{\"encoder\": \"risk\"}')"):
            with self.subTest(call):
                self.fails("cannot read texts: its task is predict",
                           "SELECT %s FROM p" % call)


class Progress(DatabaseTest):
    models = False

    def test_lines_on_standard_error(self):
        program = (
            "import sys; sys.path.insert(0, %r)\n"
            "from support import connect, one\n"
            "from test_training import make_rows\n"
            "db = connect()\n"
            "make_rows(db, 60)\n"
            "one(db, \"SELECT insitu_setting('train_progress', ?)\", "
            "sys.argv[1])\n"
            "one(db, \"SELECT length(fine_tune_classifier(body, queue, "
            "'insitu-mini-en', ?)) FROM t\", sys.argv[2])\n" % HERE)
        options = '{"epochs": 2, "validation": 0.2}'
        for setting, lines in (("on", 3), ("off", 0)):
            done = subprocess.run(
                [sys.executable, "-c", program, setting, options],
                stderr=subprocess.PIPE, check=True, text=True)
            self.assertGreaterEqual(len(done.stderr.splitlines()), lines)
            if lines:
                self.assertRegex(done.stderr, r"insitu: validate epoch 1 of "
                                 r"2.*loss \d.*accuracy \d.*60 rows")
                self.assertRegex(done.stderr, r"insitu: done in \d")
            else:
                self.assertEqual(done.stderr, "")

    def test_settings(self):
        self.assertEqual(self.one("SELECT insitu_setting('train_progress')"),
                         "off")
        self.fails("on or off",
                   "SELECT insitu_setting('train_progress', 'loud')")
        self.fails("whole number",
                   "SELECT insitu_setting('train_max_memory', 5)")


if __name__ == "__main__":
    unittest.main()
