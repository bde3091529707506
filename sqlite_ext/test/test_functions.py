"""Every function: results, NULL, types, limits.

SPDX-License-Identifier: PostgreSQL
"""

import json
import math
import sqlite3
import unittest

from support import (BUNDLED, DatabaseTest, connect, floats,
                     largest_difference, model, one)


class BundledModel(unittest.TestCase):
    """What works in a fresh session without any configuration."""

    @classmethod
    def setUpClass(cls):
        cls.db = connect()
        names = [row[0] for row in
                 cls.db.execute("SELECT name FROM model_list")]
        if BUNDLED not in names:
            raise unittest.SkipTest("built without the shipped model")

    @classmethod
    def tearDownClass(cls):
        cls.db.close()

    def test_classify(self):
        label = one(self.db, "SELECT classify(?)",
                    "I was charged twice for the same order")
        self.assertEqual(label, "billing")

    def test_explicit_name_gives_the_same(self):
        text = "where is my package"
        self.assertEqual(one(self.db, "SELECT classify(?)", text),
                         one(self.db, "SELECT classify(?, ?)", text, BUNDLED))

    def test_embedding_has_length_one(self):
        vector = floats(one(self.db, "SELECT embed('hello')"))
        self.assertAlmostEqual(math.fsum(x * x for x in vector), 1, places=4)

    def test_cannot_be_dropped_or_shadowed(self):
        for sql in ("SELECT model_drop('%s')",
                    "SELECT model_drop('%s', 1)",
                    "SELECT model_alias('%s', 'x')",
                    "SELECT model_register('%s', model_export(default_name))"
                    .replace("default_name", "'%s'" % BUNDLED)):
            with self.assertRaisesRegex(sqlite3.Error, "ships with"):
                self.db.execute(sql % BUNDLED).fetchall()

    def test_verify_and_export(self):
        self.assertEqual(one(self.db, "SELECT model_verify(?)", BUNDLED), 1)
        size = one(self.db, "SELECT length(model_export(?))", BUNDLED)
        self.assertEqual(
            size, one(self.db, "SELECT bytes FROM model_list WHERE name = ?",
                      BUNDLED))


class Classify(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('default_classifier', 'sort')")

    def test_label_is_the_best_score(self):
        text = "my card was charged twice"
        rows = self.all("SELECT label, score FROM classify_scores(?)", text)
        self.assertEqual(len(rows), 3)
        self.assertAlmostEqual(sum(score for _, score in rows), 1, places=5)
        self.assertEqual(rows, sorted(rows, key=lambda row: -row[1]))
        self.assertEqual(self.one("SELECT classify(?)", text), rows[0][0])
        for label, score in rows:
            self.assertAlmostEqual(
                self.one("SELECT classify_score(?, ?)", text, label), score,
                places=6)

    def test_explicit_model(self):
        text = "where is my package"
        self.assertEqual(self.one("SELECT classify(?)", text),
                         self.one("SELECT classify(?, 'sort')", text))
        self.assertAlmostEqual(
            self.one("SELECT classify_score(?, 'order')", text),
            self.one("SELECT classify_score(?, 'order', 'sort')", text),
            places=6)
        self.assertEqual(
            self.all("SELECT * FROM classify_scores(?)", text),
            self.all("SELECT * FROM classify_scores(?, 'sort')", text))

    def test_null_arguments(self):
        for sql in ("SELECT classify(NULL)", "SELECT classify(NULL, 'sort')",
                    "SELECT classify('a', NULL)",
                    "SELECT classify(NULL, NULL)",
                    "SELECT classify_score(NULL, 'order')",
                    "SELECT classify_score('a', NULL)",
                    "SELECT classify_score('a', 'order', NULL)",
                    "SELECT token_count(NULL)", "SELECT token_ids(NULL)",
                    "SELECT token_count('a', NULL)",
                    "SELECT embed(NULL)", "SELECT embed(NULL, 'near')",
                    "SELECT embed('a', NULL)", "SELECT embed_query(NULL)"):
            with self.subTest(sql):
                self.assertIsNone(self.one(sql))
        for sql in ("SELECT * FROM classify_scores(NULL)",
                    "SELECT * FROM classify_scores('a', NULL)",
                    "SELECT * FROM tokens(NULL)",
                    "SELECT * FROM classify_batch(NULL)",
                    "SELECT * FROM embed_batch('[]', NULL)"):
            with self.subTest(sql):
                self.assertEqual(self.all(sql), [])

    def test_empty_text(self):
        self.assertIn(self.one("SELECT classify('')"),
                      ("billing", "order", "other"))
        self.assertEqual(self.one("SELECT token_count('')"), 2)

    def test_unknown_label_names_the_labels(self):
        self.fails('no label "refund".*billing, order, other',
                   "SELECT classify_score('a', 'refund')")

    def test_unknown_model(self):
        self.fails('model "none" does not exist.*model_register',
                   "SELECT classify('a', 'none')")

    def test_strange_model_names(self):
        for name in ("", "x" * 10000, "a;b", "'quoted'", "../x", "Sort",
                     "sort ", "s\0ort", "\u00e9", "\x1b[31m"):
            with self.subTest(name):
                self.fails("does not exist", "SELECT classify('a', ?)", name)
                self.fails("not allowed|does not exist|could not",
                           "SELECT model_register(?, '/nonexistent')", name)

    def test_wrong_task_names_both(self):
        self.fails('"near" cannot classify: its task is embed',
                   "SELECT classify('a', 'near')")
        self.fails('"near" cannot classify',
                   "SELECT * FROM classify_scores('a', 'near')")
        self.fails('"near" cannot classify',
                   "SELECT * FROM classify_batch('[\"a\"]', 'near')")
        self.fails('"sort" cannot embed: its task is classify',
                   "SELECT embed('a', 'sort')")
        self.fails('"sort" cannot embed',
                   "SELECT * FROM embed_batch('[\"a\"]', 'sort')")

    def test_numbers_are_read_as_text(self):
        for value, text in ((12, "12"), (1.5, "1.5"), (-3, "-3")):
            self.assertEqual(self.one("SELECT token_ids(?)", value),
                             self.one("SELECT token_ids(?)", text))

    def test_blob_is_refused(self):
        for sql in ("SELECT classify(x'6869')", "SELECT embed(x'6869', 'near')",
                    "SELECT classify(zeroblob(1000000000))",
                    "SELECT classify('a', x'736f7274')",
                    "SELECT token_count(zeroblob(10))",
                    "SELECT * FROM tokens(x'6869')"):
            with self.subTest(sql):
                self.fails("must be text, not a BLOB", sql)

    def test_model_must_be_text(self):
        self.fails("must be text, not a number", "SELECT classify('a', 1)")

    def test_wrong_number_of_arguments(self):
        for sql in ("SELECT classify()", "SELECT classify('a', 'b', 'c')",
                    "SELECT classify_score('a')", "SELECT embed()",
                    "SELECT embed_query('a', 'b', 'c')",
                    "SELECT model_register('a')", "SELECT model_drop()",
                    "SELECT insitu_setting()",
                    "SELECT insitu_setting('a', 'b', 'c')",
                    "SELECT cosine_distance(x'00')"):
            with self.subTest(sql):
                self.fails("wrong number of arguments", sql)
        self.fails("too many arguments", "SELECT * FROM tokens('a', 'b', 'c')")
        for table in ("tokens", "classify_scores", "classify_batch",
                      "embed_batch"):
            with self.subTest(table):
                self.fails("needs an argument", "SELECT * FROM " + table)

    def test_embedded_nul_counts(self):
        with_nul = self.one(
            "SELECT token_ids(CAST(x'6f72646572006d79' AS TEXT))")
        self.assertEqual(with_nul, self.one("SELECT token_ids('ordermy')"))

    def test_invalid_utf8(self):
        for hexadecimal in ("ff", "c3", "6869f0", "eda080", "c080", "80808080",
                            "f8888080"):
            with self.subTest(hexadecimal):
                sql = "CAST(x'%s' AS TEXT)" % hexadecimal
                self.assertIsNotNone(self.one("SELECT classify(%s)" % sql))
                self.all("SELECT * FROM tokens(%s)" % sql)

    def test_input_limit(self):
        text = "a" * (1 << 20)
        self.assertEqual(self.one("SELECT token_count(?)", text), 3)
        for sql in ("SELECT classify(?)", "SELECT token_count(?)",
                    "SELECT embed(?, 'near')",
                    "SELECT label FROM classify_scores(?)",
                    "SELECT i FROM tokens(?)"):
            with self.subTest(sql):
                self.fails("more than the limit of 1048576", sql, text + "a")

    def test_long_input(self):
        text = "order " * 100000
        self.assertEqual(self.one("SELECT token_count(?)", text), 100002)
        self.assertEqual(self.one("SELECT count(*) FROM tokens(?)", text),
                         100002)
        self.assertEqual(
            self.one("SELECT classify_score(?, 'order')", text),
            self.one("SELECT classify_score(?, 'order')", "order " * 62))

    def test_on_long_input_error(self):
        fits, long = "order " * 62, "order " * 63
        self.one("SELECT insitu_setting('on_long_input', 'error')")
        self.one("SELECT classify(?)", fits)
        self.fails("longer than the model's 64 tokens", "SELECT classify(?)",
                   long)
        self.one("SELECT insitu_setting('on_long_input', 'truncate')")
        self.one("SELECT classify(?)", long)

    def test_token_counts_around_the_maximum(self):
        for words in (0, 1, 60, 61, 62, 63, 64, 620):
            with self.subTest(words):
                text = "order " * words
                self.assertEqual(self.one("SELECT token_count(?)", text),
                                 words + 2)
                self.assertIsNotNone(self.one("SELECT classify(?)", text))

    def test_error_does_not_show_the_input(self):
        secret = "my secret password"
        try:
            self.one("SELECT classify(?, 'near')", secret)
            self.fail("no error")
        except sqlite3.Error as error:
            self.assertNotIn("secret", str(error))

    def test_in_many_places_of_a_query(self):
        self.db.executescript(
            "CREATE TABLE t(id INTEGER, body TEXT);"
            "INSERT INTO t VALUES (1, 'order late'), (2, 'pay bill'),"
            " (3, NULL), (4, 'order late');")
        labels = dict(self.all("SELECT id, classify(body) FROM t"))
        self.assertIsNone(labels[3])
        self.assertEqual(labels[1], labels[4])
        self.assertEqual(
            self.all("SELECT id FROM t WHERE classify(body, 'sort') = ? "
                     "ORDER BY id", labels[1])[0][0], 1)
        self.all("SELECT classify(body) AS c, count(*) FROM t GROUP BY c")
        self.all("SELECT id FROM t ORDER BY classify_score(body, 'order')")
        rows = self.all("SELECT t.id, s.label FROM t, classify_scores(t.body) "
                        "AS s WHERE s.label = 'order' ORDER BY 1")
        self.assertEqual([row[0] for row in rows], [1, 2, 4])
        rows = self.all("SELECT t.id, s.label FROM t LEFT JOIN "
                        "classify_scores(t.body) AS s ON s.label = 'order' "
                        "ORDER BY 1")
        self.assertEqual([row[0] for row in rows], [1, 2, 3, 4])
        rows = self.all("SELECT id, (SELECT label FROM classify_scores(body) "
                        "LIMIT 1) FROM t ORDER BY id")
        self.assertEqual(dict(rows), labels)

    def test_hidden_columns(self):
        self.assertEqual(
            self.one("SELECT input FROM classify_scores('abc', 'sort') "
                     "LIMIT 1"), "abc")
        self.assertEqual(
            self.all("SELECT label FROM classify_scores "
                     "WHERE input = 'abc' AND model = 'sort'"),
            self.all("SELECT label FROM classify_scores('abc', 'sort')"))
        self.assertEqual(
            self.all("SELECT label FROM classify_scores('abc') "
                     "WHERE input = 'other'"), [])


class Embed(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('default_embedder', 'near')")

    def test_shape_and_norm(self):
        blob = self.one("SELECT embed('hello world')")
        self.assertEqual(len(blob), 32 * 4)
        self.assertAlmostEqual(sum(x * x for x in floats(blob)), 1, places=5)

    def test_forms_agree(self):
        blob = self.one("SELECT embed('hello world')")
        for sql in ("SELECT embed('hello world', 'near')",
                    "SELECT embed_query('hello world')",
                    "SELECT embed_query('hello world', 'near')",
                    "SELECT embedding FROM embed_batch('[\"hello world\"]')"):
            self.assertLess(largest_difference(blob, self.one(sql)), 1e-5)

    def test_cosine_distance(self):
        self.assertAlmostEqual(
            self.one("SELECT cosine_distance(embed('a'), embed('a'))"), 0,
            places=5)
        self.assertAlmostEqual(
            self.one("SELECT cosine_distance(x'0000803f00000000', "
                     "x'0000000000008040')"), 1)
        self.assertAlmostEqual(
            self.one("SELECT cosine_distance(x'0000803f', x'000080bf')"), 2)
        self.assertIsNone(self.one("SELECT cosine_distance(NULL, x'00000000')"))
        self.assertIsNone(
            self.one("SELECT cosine_distance(x'00000000', x'00000000')"))
        self.fails("must be a BLOB", "SELECT cosine_distance('a', 'b')")
        self.fails("must be a BLOB", "SELECT cosine_distance(x'', x'')")
        self.fails("must be a BLOB", "SELECT cosine_distance(x'00', x'00')")
        self.fails("1 and 2 values", "SELECT cosine_distance(x'00000000', "
                   "x'0000000000000000')")


class Tokens(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('default_classifier', 'sort')")

    def test_rows(self):
        rows = self.all("SELECT * FROM tokens('My order!')")
        self.assertEqual([row[0] for row in rows], [1, 2, 3, 4, 5])
        self.assertEqual([row[1] for row in rows],
                         ["[CLS]", "my", "order", "!", "[SEP]"])
        self.assertEqual([row[3:] for row in rows],
                         [(None, None), (1, 2), (4, 8), (9, 9), (None, None)])
        ids = json.loads(self.one("SELECT token_ids('My order!')"))
        self.assertEqual([row[2] for row in rows], ids)
        self.assertEqual(self.one("SELECT token_count('My order!')"), 5)

    def test_positions_cut_out_the_text(self):
        text = "\u00e9\u00e9 order \U0001f600 my \u4e2d card"
        rows = self.all(
            "SELECT token, substr(?1, start_pos, end_pos - start_pos + 1) "
            "FROM tokens(?1) WHERE start_pos IS NOT NULL", text)
        found = {token: piece for token, piece in rows}
        self.assertEqual(found["order"], "order")
        self.assertEqual(found["my"], "my")
        self.assertEqual(found["card"], "card")

    def test_ids_are_json(self):
        self.assertEqual(
            self.one("SELECT json_type(json_array(token_ids('a')), '$[0]')"),
            "array")


class Batches(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('default_classifier', 'sort')")
        self.one("SELECT insitu_setting('default_embedder', 'near')")

    def test_equal_to_single_calls(self):
        texts = ["order %d my card " % i * (i % 9) for i in range(100)]
        for size in (1, 3, 32, 100, 1024):
            self.one("SELECT insitu_setting('batch_size', ?)", size)
            rows = self.all("SELECT i, label, score FROM classify_batch(?)",
                            json.dumps(texts))
            self.assertEqual([row[0] for row in rows], list(range(1, 101)))
            for i, label, score in rows[:20]:
                self.assertAlmostEqual(
                    score, self.one("SELECT classify_score(?, ?)",
                                    texts[i - 1], label), places=5)
        rows = self.all("SELECT embedding FROM embed_batch(?)",
                        json.dumps(texts))
        for (blob,), text in zip(rows, texts[:20]):
            self.assertLess(
                largest_difference(blob, self.one("SELECT embed(?)", text)),
                1e-5)

    def test_nulls_and_empty(self):
        self.assertEqual(self.all("SELECT * FROM classify_batch('[]')"), [])
        rows = self.all("SELECT * FROM classify_batch('[null]')")
        self.assertEqual(rows, [(1, None, None)])
        rows = self.all(
            "SELECT i, label IS NULL FROM classify_batch('[null,\"a\",null,"
            "1,2.5,\"\"]')")
        self.assertEqual(rows, [(1, 1), (2, 0), (3, 1), (4, 0), (5, 0), (6, 0)])
        rows = self.all("SELECT i, embedding IS NULL FROM "
                        "embed_batch('[\"a\",null]')")
        self.assertEqual(rows, [(1, 0), (2, 1)])
        many = json.dumps([None] * 100 + ["a"])
        self.assertEqual(
            self.one("SELECT count(label) FROM classify_batch(?)", many), 1)

    def test_bad_arrays(self):
        # SQLite 3.42 and later read JSON5, which has "[1,]" for an array.
        strict = ["[1,]"] if sqlite3.sqlite_version_info < (3, 42) else []
        for text in ["", "x", "{}", '{"a":1}', '"a"', "1", "[", '["a"',
                     "[1,,2]", "null"] + strict:
            with self.subTest(text):
                self.fails("JSON array", "SELECT * FROM classify_batch(?)",
                           text)
        self.fails("JSON array", "SELECT * FROM classify_batch(1)")
        self.fails("JSON array", "SELECT * FROM classify_batch(x'5b5d')")
        for text in ("[[]]", "[{}]", "[true]", '["a",[1]]'):
            with self.subTest(text):
                self.fails("texts or null", "SELECT * FROM classify_batch(?)",
                           text)
        self.fails("JSON array|depth|nest", "SELECT * FROM classify_batch(?)",
                   "[" * 100000)

    def test_limits(self):
        self.fails("more than the limit of 100000",
                   "SELECT * FROM classify_batch(?)",
                   json.dumps([""] * 100001))
        self.fails("more than the limit of 1048576",
                   "SELECT * FROM classify_batch(?)",
                   json.dumps(["a" * ((1 << 20) + 1)]))

    def test_limit_clause_stops_early(self):
        self.one("SELECT insitu_setting('batch_size', 4)")
        before = self.one("SELECT rows FROM model_stats WHERE name = 'sort'")\
            if self.all("SELECT 1 FROM model_stats WHERE name='sort'") else 0
        texts = json.dumps(["order"] * 1000)
        self.all("SELECT * FROM classify_batch(?) LIMIT 5", texts)
        after = self.one("SELECT rows FROM model_stats WHERE name = 'sort'")
        self.assertLessEqual(after - before, 8)

    def test_from_a_table(self):
        self.db.executescript(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT);"
            "INSERT INTO t(body) VALUES ('order'), (NULL), ('card');")
        rows = self.all(
            "SELECT t.body, b.label IS NULL FROM (SELECT json_group_array(body)"
            " AS bodies FROM t) AS a, classify_batch(a.bodies) AS b, "
            "t WHERE t.id = b.i ORDER BY b.i")
        self.assertEqual(rows, [("order", 0), (None, 1), ("card", 0)])


class NamedModel(DatabaseTest):
    """A constant name is looked up once in a statement."""

    def setUp(self):
        super().setUp()
        self.db.executescript(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "LIMIT 300) INSERT INTO t SELECT i, 'order ' || i FROM n")

    def count_statements(self, sql, *arguments):
        seen = []
        self.db.set_trace_callback(seen.append)
        self.all(sql, *arguments)
        self.db.set_trace_callback(None)
        return len(seen)

    def test_is_looked_up_once(self):
        self.one("SELECT classify('a', 'sort')")
        for sql, arguments in (("SELECT classify(body, 'sort') FROM t", ()),
                               ("SELECT classify(body, ?) FROM t", ("sort",)),
                               ("SELECT embed(body, 'near') FROM t", ())):
            self.assertLess(self.count_statements(sql, *arguments), 60)

    def test_names_may_differ_by_row(self):
        one(self.db, "SELECT model_register('other', ?)", model(seed=9))
        rows = self.all("SELECT classify(body, CASE id % 2 WHEN 0 THEN 'sort' "
                        "ELSE 'other' END) FROM t ORDER BY id")
        self.assertEqual(rows[1::2], self.all(
            "SELECT classify(body, 'sort') FROM t WHERE id % 2 = 0 "
            "ORDER BY id"))
        self.assertEqual(rows[::2], self.all(
            "SELECT classify(body, 'other') FROM t WHERE id % 2 = 1 "
            "ORDER BY id"))

    def test_dropped_or_unloaded_half_way(self):
        sql = "SELECT classify(body, 'sort') FROM t"
        cursor = self.db.execute(sql)
        first = cursor.fetchmany(3)
        self.one("SELECT model_unload('sort')")
        self.assertEqual(len(first + cursor.fetchall()), 300)
        cursor = self.db.execute(sql)
        cursor.fetchmany(3)
        self.one("SELECT model_drop('sort')")
        try:
            self.assertEqual(len(cursor.fetchall()), 297)
        except sqlite3.Error as error:
            self.assertRegex(str(error), "sort|locked|busy")
        self.fails("does not exist", sql)


class Settings(DatabaseTest):
    models = False

    def test_defaults(self):
        for name, value in (("default_classifier", BUNDLED),
                            ("default_embedder", BUNDLED),
                            ("on_long_input", "truncate"),
                            ("batch_size", 32), ("model_path", ""),
                            ("locked", "off"),
                            ("max_loaded_bytes", 1 << 30),
                            ("memo_size", 1024), ("kernels", "auto")):
            self.assertEqual(self.one("SELECT insitu_setting(?)", name), value)

    def test_kernels(self):
        self.one("SELECT insitu_setting('memo_size', 0)")
        best = self.one("SELECT embed('where is my parcel?')")
        for level in ("scalar", "auto"):
            self.assertEqual(
                self.one("SELECT insitu_setting('kernels', ?)", level), level)
            self.assertEqual(self.one("SELECT embed('where is my parcel?')"),
                             best)

    def test_values_are_checked(self):
        for name, value in (("batch_size", 0), ("batch_size", 1025),
                            ("batch_size", "many"), ("batch_size", None),
                            ("batch_size", -1), ("batch_size", 1.5),
                            ("batch_size", "32 kB"),
                            ("kernels", "sse9"), ("kernels", None),
                            ("on_long_input", "ignore"),
                            ("on_long_input", None),
                            ("default_classifier", "No Such Name"),
                            ("default_classifier", ""),
                            ("default_classifier", "x" * 64),
                            ("default_embedder", None),
                            ("model_path", "relative"),
                            ("cache_directory", "relative"),
                            ("cache_directory", "/a\0b"),
                            ("max_loaded_bytes", -1), ("locked", 1),
                            ("memo_size", -1), ("memo_size", (1 << 20) + 1),
                            ("memo_size", "1MB")):
            with self.subTest("%s = %r" % (name, value)):
                self.fails("value", "SELECT insitu_setting(?, ?)", name, value)
        self.fails('setting "speed" does not exist.*batch_size',
                   "SELECT insitu_setting('speed')")
        self.fails("does not exist", "SELECT insitu_setting('speed', 1)")
        self.assertIsNone(self.one("SELECT insitu_setting(NULL)"))

    def test_numbers_in_quotes(self):
        self.assertEqual(
            self.one("SELECT insitu_setting('batch_size', '64')"), 64)

    def test_lock(self):
        self.one("SELECT insitu_setting('locked', 'on')")
        for name, value in (("model_path", "/tmp"), ("cache_directory", ""),
                            ("max_loaded_bytes", 1), ("locked", "off"),
                            ("memo_size", 0)):
            self.fails("locked", "SELECT insitu_setting(?, ?)", name, value)
        self.one("SELECT insitu_setting('batch_size', 8)")

    def test_settings_belong_to_the_connection(self):
        other = connect()
        self.one("SELECT insitu_setting('batch_size', 8)")
        self.assertEqual(one(other, "SELECT insitu_setting('batch_size')"), 32)
        other.close()
