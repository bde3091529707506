"""The aggregates of evaluation: figures, groups, NULL, types, entry points.

What the figures mean is compared with scikit-learn in src/test/parity.

SPDX-License-Identifier: PostgreSQL
"""

import json
import random
import sqlite3
import unittest

from support import ENTRY, PREFIXED_ENTRY, DatabaseTest, connect, load, one

ROWS = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "b"), ("b", "b"),
        ("b", "a"), (None, "a"), ("a", None)]
NOTHING = {"precision": None, "recall": None, "f1": None}


class Evaluate(DatabaseTest):
    models = False

    def setUp(self):
        super().setUp()
        self.db.execute("CREATE TABLE p(id INTEGER PRIMARY KEY, part INTEGER, "
                        "predicted TEXT, actual TEXT)")
        self.db.executemany(
            "INSERT INTO p(part, predicted, actual) VALUES (?, ?, ?)",
            [(1 if i < 4 else 2,) + row for i, row in enumerate(ROWS)])

    def ask(self, call, rest="FROM p"):
        return json.loads(self.one("SELECT %s %s" % (call, rest)))

    def test_figures(self):
        self.assertEqual(
            self.one("SELECT eval_accuracy(predicted, actual) FROM p"), 0.5)
        report = self.ask("eval_report(predicted, actual)")
        self.assertEqual((report["rows"], report["nulls"]), (6, 2))
        self.assertEqual(report["accuracy"], 0.5)
        self.assertEqual(report["labels"]["b"], {
            "precision": 2 / 3, "recall": 0.5, "f1": 4 / 7, "support": 4})
        self.assertEqual(report["labels"]["c"], {
            "precision": 0, "recall": 0, "f1": 0, "support": 0})
        self.assertEqual(list(report["labels"]), ["a", "b", "c"])
        confusion = {"labels": ["a", "b", "c"],
                     "matrix": [[1, 1, 0], [1, 2, 1], [0, 0, 0]]}
        self.assertEqual(report["confusion"], confusion)
        self.assertEqual(self.ask("eval_confusion(predicted, actual)"),
                         confusion)

    def test_no_rows(self):
        for where in ("FROM p WHERE 0", "FROM p WHERE id > 6"):
            nulls = 0 if where.endswith("0") else 2
            self.assertIsNone(self.one(
                "SELECT eval_accuracy(predicted, actual) " + where))
            self.assertEqual(
                self.ask("eval_report(predicted, actual)", where),
                {"rows": 0, "nulls": nulls, "accuracy": None,
                 "macro": NOTHING, "micro": NOTHING, "weighted": NOTHING,
                 "labels": {}, "confusion": {"labels": [], "matrix": []}})
            self.assertIn("no rows", self.one(
                "SELECT eval_html(predicted, actual) " + where))
        self.assertEqual(self.all(
            "SELECT part, eval_accuracy(predicted, actual) FROM p WHERE 0 "
            "GROUP BY part"), [])
        report = self.ask("eval_calibration(1, 1)", "FROM p WHERE 0")
        self.assertEqual((report["rows"], report["ece"]), (0, None))

    def test_groups(self):
        self.assertEqual(
            self.all("SELECT part, eval_accuracy(predicted, actual), "
                     "eval_report(predicted, actual) ->> 'rows' FROM p "
                     "GROUP BY part ORDER BY part"),
            [(1, 0.5, 4), (2, 0.5, 2)])
        self.assertEqual(
            self.all("SELECT eval_accuracy(predicted, actual) FILTER "
                     "(WHERE part = 1), eval_confusion(predicted, actual) "
                     "FILTER (WHERE id > 100) FROM p"),
            [(0.5, '{"labels":[],"matrix":[]}')])
        self.assertEqual(
            self.all("SELECT part FROM p GROUP BY part "
                     "HAVING eval_accuracy(predicted, actual) > 0.4"),
            [(1,), (2,)])

    def test_order_does_not_matter(self):
        source = random.Random(1)
        rows = [("l%d" % source.randrange(40), "l%d" % source.randrange(30))
                for _ in range(2000)]
        texts = set()
        for _ in range(5):
            source.shuffle(rows)
            self.db.execute("DELETE FROM p")
            self.db.executemany(
                "INSERT INTO p(predicted, actual) VALUES (?, ?)", rows)
            texts.add(self.all("SELECT eval_report(predicted, actual), "
                               "eval_html(predicted, actual) FROM p")[0])
        self.assertEqual(len(texts), 1)

    def test_json_subtype(self):
        self.assertEqual(
            self.one("SELECT json_array(eval_confusion(predicted, actual)) "
                     "FROM p WHERE id = 1"),
            '[{"labels":["a"],"matrix":[[1]]}]')
        self.assertEqual(
            self.one("SELECT json_type(json_array(eval_report(predicted, "
                     "actual), eval_calibration(1, 1)), '$[1]') FROM p"),
            "object")

    def test_types(self):
        self.assertEqual(
            self.ask("eval_confusion(value, 1)",
                     "FROM json_each('[1, 1.5, \"1\", true]')"),
            {"labels": ["1", "1.5"], "matrix": [[3, 1], [0, 0]]})
        labels = self.ask("eval_report(x, x)", "FROM (SELECT 'a' || char(0) "
                          "|| 'b\"\\' || char(10) AS x)")["labels"]
        self.assertEqual(list(labels), ["a\0b\"\\\n"])
        self.fails("predicted must be text, not a BLOB",
                   "SELECT eval_accuracy(x'00', 'a')")
        self.fails("actual must be text, not a BLOB",
                   "SELECT eval_report('a', x'00')")
        self.fails("not valid UTF-8",
                   "SELECT eval_report('a', CAST(x'ff' AS TEXT))")
        self.fails("10241 bytes",
                   "SELECT eval_html(printf('%.*c', 10241, 'x'), 'a')")
        self.fails("wrong number of arguments", "SELECT eval_report('a')")
        self.fails("may not be used as a window function",
                   "SELECT eval_accuracy(predicted, actual) OVER () FROM p")
        # The connection goes on.
        self.assertEqual(self.one("SELECT eval_accuracy('a', 'a')"), 1)

    def test_limits(self):
        counted = ("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL "
                   "SELECT i + 1 FROM n WHERE i < %d) ")
        self.fails("65536 different labels", counted % 70000 +
                   "SELECT eval_report(i, 0) FROM n")
        self.fails("1000000 different pairs", counted % 1001000 +
                   "SELECT eval_report(i / 1000, i % 1000) FROM n")

    def test_calibration(self):
        report = self.ask(
            "eval_calibration(s, h)", "FROM (SELECT 0.9 AS s, 1 AS h UNION "
            "ALL VALUES (0.95, 0), (1, 1), (0, 0), (NULL, 1), (0.5, NULL))")
        self.assertEqual((report["rows"], report["nulls"]), (4, 2))
        self.assertEqual(report["accuracy"], 0.5)
        self.assertAlmostEqual(report["mean_score"], 0.7125, 12)
        self.assertAlmostEqual(report["ece"], 0.2625, 12)
        self.assertAlmostEqual(report["brier"], 0.228125, 12)
        self.assertEqual(len(report["bins"]), 10)
        self.fails("not within 0 and 1", "SELECT eval_calibration(1.5, 1)")
        self.fails("score must be a number",
                   "SELECT eval_calibration('0.5', 1)")
        self.fails("hit must be a number",
                   "SELECT eval_calibration(0.5, 'yes')")

    def test_stopped_queries_leave_nothing(self):
        cursor = self.db.execute(
            "SELECT part, eval_report(predicted, actual) FROM p "
            "GROUP BY part ORDER BY part")
        cursor.fetchone()
        cursor.close()
        self.fails("malformed JSON",
                   "SELECT eval_report(predicted, json(actual)) FROM p")
        self.db.commit()

    def test_entry_points(self):
        db = sqlite3.connect(":memory:")
        load(db, entry=PREFIXED_ENTRY)
        self.assertEqual(one(db, "SELECT insitu_eval_accuracy('a', 'a')"), 1)
        self.fails("no such function", "SELECT eval_accuracy(1, 1)", db=db)
        load(db, entry=ENTRY)
        self.assertEqual(one(db, "SELECT eval_accuracy('a', 'b')"), 0)
        db.close()

    def test_view(self):
        self.db.execute("CREATE VIEW v AS SELECT "
                        "eval_accuracy(predicted, actual) AS a FROM p")
        self.assertEqual(self.one("SELECT a FROM v"), 0.5)

    def test_over_classify(self):
        db = connect()
        self.assertEqual(
            one(db, "SELECT eval_accuracy(classify(value), classify(value)) "
                "FROM json_each('[\"where is my parcel?\", \"refund me\"]')"),
            1)
        db.close()


if __name__ == "__main__":
    unittest.main()
