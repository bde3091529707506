"""The window functions: any frame gives the result of its first row, and the
rows of a frame run together.

SPDX-License-Identifier: PostgreSQL
"""

import random
import sqlite3
import unittest

from support import (DatabaseTest, connect, largest_difference, model, one)

NEXT = "ROWS BETWEEN CURRENT ROW AND 31 FOLLOWING"
WORDS = ["my", "order", "card", "bill", "please", "charged", "parcel"]


def make_rows(db, count, seed=1, null_every=7):
    source = random.Random(seed)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT, "
               "kind INTEGER, place INTEGER)")
    for i in range(count):
        body = "%s %d" % (" ".join(source.choices(WORDS, k=i % 9)), i)
        db.execute("INSERT INTO t VALUES (?, ?, ?, ?)",
                   (i, None if i % null_every == 3 else body,
                    source.randrange(3), source.randrange(count // 3)))


class Window(DatabaseTest):
    def setUp(self):
        super().setUp()
        # Every result is computed, and every run is counted.
        self.one("SELECT insitu_setting('memo_size', 0)")
        self.one("SELECT insitu_setting('default_classifier', 'sort')")
        self.one("SELECT insitu_setting('default_embedder', 'near')")
        self.digest = self.one(
            "SELECT digest FROM model_list WHERE name = 'sort'")

    def counted(self):
        rows = self.all("SELECT calls, rows FROM model_stats WHERE digest = ?",
                        self.digest)
        return rows[0] if rows else (0, 0)

    def spent(self, sql, *arguments):
        before = self.counted()
        found = self.all(sql, *arguments)
        after = self.counted()
        return found, after[0] - before[0], after[1] - before[1]

    def test_same_labels_in_batches(self):
        make_rows(self.db, 700)
        expected = self.all("SELECT id, classify(body) FROM t ORDER BY id")
        found, calls, rows = self.spent(
            "SELECT id, classify_window(body) OVER (ORDER BY id %s) FROM t "
            "ORDER BY id" % NEXT)
        self.assertEqual(found, expected)
        self.assertEqual(calls, 22)
        self.assertEqual(rows, 600)
        self.assertEqual(
            self.all("SELECT id, classify_window(body, 'sort') OVER "
                     "(ORDER BY id %s) FROM t ORDER BY id" % NEXT), expected)

    def test_scores_and_embeddings(self):
        make_rows(self.db, 100)
        for id, score, near, alone, vector in self.all(
                "SELECT id, classify_score_window(body, 'billing') OVER w, "
                "embed_window(body, 'near') OVER w, "
                "classify_score(body, 'billing'), embed(body) FROM t "
                "WINDOW w AS (ORDER BY id %s) ORDER BY id" % NEXT):
            if id % 7 == 3:
                self.assertEqual((score, near, alone), (None, None, None))
            else:
                self.assertAlmostEqual(score, alone, 5)
                self.assertLess(largest_difference(near, vector), 1e-5)

    def test_label_of_each_row(self):
        make_rows(self.db, 60)
        labels = [row[0] for row in self.all(
            "SELECT label FROM classify_scores('a') ORDER BY label")]
        self.db.execute("CREATE TABLE wish AS SELECT id, CASE id % 3 WHEN 0 "
                        "THEN ?1 WHEN 1 THEN ?2 END AS label FROM t",
                        labels[:2])
        for found, expected in self.all(
                "SELECT classify_score_window(body, label, 'sort') OVER "
                "(ORDER BY id %s), classify_score(body, label, 'sort') "
                "FROM t JOIN wish USING (id)" % NEXT):
            if expected is None:
                self.assertIsNone(found)
            else:
                self.assertAlmostEqual(found, expected, 5)

    FRAMES = [
        "", "ORDER BY id", "ORDER BY place, id", "ORDER BY id DESC",
        "PARTITION BY kind ORDER BY id " + NEXT,
        "PARTITION BY kind",
        "ORDER BY id ROWS BETWEEN CURRENT ROW AND CURRENT ROW",
        "ORDER BY id ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING",
        "ORDER BY id ROWS BETWEEN 5 PRECEDING AND 2 PRECEDING",
        "ORDER BY id ROWS BETWEEN 2 FOLLOWING AND 9 FOLLOWING",
        "ORDER BY id ROWS BETWEEN 90 FOLLOWING AND 99 FOLLOWING",
        "ORDER BY id ROWS BETWEEN 9 FOLLOWING AND 2 FOLLOWING",
        "ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        "ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 3 FOLLOWING",
        "ORDER BY place RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING",
        "ORDER BY place RANGE BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
        "ORDER BY kind GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING",
        "ORDER BY kind GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING",
        "ORDER BY id %s EXCLUDE CURRENT ROW" % NEXT,
        "ORDER BY kind %s EXCLUDE GROUP" % NEXT,
        "ORDER BY kind %s EXCLUDE TIES" % NEXT,
        "PARTITION BY place ORDER BY id ROWS BETWEEN 1 FOLLOWING AND "
        "2 FOLLOWING",
    ]

    def compare(self, window, where="1"):
        # SQLite's own first_value says which row it is.
        rows = self.all(
            "SELECT classify_window(body) OVER w, "
            "classify(first_value(body) OVER w), "
            "embed_window(body) OVER w, embed(first_value(body) OVER w) "
            "FROM t WHERE %s WINDOW w AS (%s)" % (where, window))
        for found, expected, near, vector in rows:
            self.assertEqual(found, expected)
            self.assertEqual(near is None, vector is None)
            if near is not None:
                self.assertLess(largest_difference(near, vector), 1e-5)
        return len(rows)

    def test_every_frame_gives_its_first_row(self):
        make_rows(self.db, 120)
        self.one("SELECT insitu_setting('memo_size', 1024)")
        for window in self.FRAMES:
            for size in (1, 7, 32):
                with self.subTest("%s, %d" % (window, size)):
                    self.one("SELECT insitu_setting('batch_size', ?)", size)
                    self.assertEqual(self.compare(window), 120)

    def test_random_frames(self):
        make_rows(self.db, 90, seed=3, null_every=4)
        self.one("SELECT insitu_setting('memo_size', 1024)")
        source = random.Random(5)

        def bound():
            n = source.choice([0, 1, 2, 5, 40])
            return source.choice([
                (-n - 1, "%d PRECEDING" % n), (0, "CURRENT ROW"),
                (n + 1, "%d FOLLOWING" % n)])

        for _ in range(60):
            ends = [bound(), bound()]
            ends.sort(key=lambda end: (end[0] > 0) - (end[0] < 0))
            window = "%s ORDER BY %s %s BETWEEN %s AND %s %s" % (
                source.choice(["", "PARTITION BY kind"]),
                source.choice(["id", "place", "body", "kind"]),
                source.choice(["ROWS", "GROUPS"]), ends[0][1], ends[1][1],
                source.choice(["", "", "EXCLUDE CURRENT ROW", "EXCLUDE TIES"]))
            with self.subTest(window):
                self.one("SELECT insitu_setting('batch_size', ?)",
                         source.choice([1, 3, 32]))
                self.compare(window, "id %% %d" % source.choice([2, 3, 5]))

    def test_limit_stops_early(self):
        make_rows(self.db, 700)
        _, calls, rows = self.spent(
            "SELECT classify_window(body) OVER (ORDER BY id %s) FROM t "
            "LIMIT 5" % NEXT)
        self.assertEqual(calls, 1)
        self.assertLessEqual(rows, 32)

    def test_batch_size_cuts_long_frames(self):
        make_rows(self.db, 200, null_every=1000)
        self.one("SELECT insitu_setting('batch_size', 10)")
        found, calls, rows = self.spent(
            "SELECT classify_window(body) OVER (ORDER BY id ROWS BETWEEN "
            "CURRENT ROW AND UNBOUNDED FOLLOWING) FROM t ORDER BY id")
        self.assertEqual(found, self.all("SELECT classify(body) FROM t "
                                         "ORDER BY id"))
        self.assertEqual((calls, rows), (20, 199))

    def test_without_rows_and_all_null(self):
        self.db.execute("CREATE TABLE t(id, body)")
        sql = "SELECT classify_window(body, 'none') OVER (%s) FROM t" % NEXT
        self.assertEqual(self.all(sql), [])
        self.assertEqual(self.all("SELECT classify_window(body) FROM t"),
                         [(None,)])
        self.db.executemany("INSERT INTO t VALUES (?, NULL)",
                            [(i,) for i in range(50)])
        self.assertEqual(self.all(sql), [(None,)] * 50)
        self.assertEqual(
            self.all("SELECT classify_window(id, NULL) OVER (%s) FROM t"
                     % NEXT), [(None,)] * 50)

    def test_as_an_aggregate(self):
        make_rows(self.db, 90)
        self.assertEqual(
            self.all("SELECT kind, classify_window(body) FROM (SELECT * FROM "
                     "t ORDER BY id) GROUP BY kind"),
            self.all("SELECT kind, classify(body) FROM t WHERE id IN "
                     "(SELECT min(id) FROM t GROUP BY kind) ORDER BY kind"))

    def test_errors(self):
        make_rows(self.db, 50)
        over = " OVER (ORDER BY id %s) FROM t" % NEXT
        for message, call in (
                ("does not exist", "classify_window(body, 'none')"),
                ("cannot classify", "classify_window(body, 'near')"),
                ("cannot embed", "embed_window(body, 'sort')"),
                ("no label \"no such\".*billing",
                 "classify_score_window(body, 'no such')"),
                ("same model", "classify_window(body, CASE id WHEN 9 THEN "
                 "'sort2' ELSE 'sort' END)"),
                ("name of a model", "classify_window(body, 'No Name')"),
                ("not a number", "classify_window(body, 7)"),
                ("not a BLOB", "classify_window(CAST(body AS BLOB))"),
                ("more than the limit of 1048576",
                 "classify_window(printf('%.*c', 1048577, 'a'))"),
                ("wrong number of arguments", "classify_window()")):
            with self.subTest(call):
                self.fails(message, "SELECT " + call + over)
                self.assertEqual(
                    len(self.all("SELECT classify_window(body)" + over)), 50)

    def test_long_input_error(self):
        make_rows(self.db, 50)
        self.one("SELECT insitu_setting('on_long_input', 'error')")
        self.db.execute("UPDATE t SET body = ? WHERE id = 20",
                        ("order " * 5000,))
        self.fails("longer than the model", "SELECT classify_window(body) "
                   "OVER (ORDER BY id %s) FROM t" % NEXT)

    def test_an_error_of_another_expression_ends_cleanly(self):
        make_rows(self.db, 50)
        self.fails("integer overflow", "SELECT classify_window(body) OVER "
                   "(ORDER BY id %s), abs(-9223372036854775807 - (id = 9)) "
                   "FROM t" % NEXT)

    def test_half_read_queries(self):
        make_rows(self.db, 300)
        for _ in range(20):
            cursor = self.db.execute(
                "SELECT embed_window(body) OVER (ORDER BY id %s) FROM t" % NEXT)
            cursor.fetchmany(3)
            cursor.close()

    def test_model_dropped_half_way(self):
        make_rows(self.db, 100)
        cursor = self.db.execute(
            "SELECT classify_window(body) OVER (ORDER BY id %s) FROM t" % NEXT)
        first = cursor.fetchmany(5)
        self.one("SELECT model_unload('sort')")
        self.assertEqual(len(first) + len(cursor.fetchall()), 100)

    def test_default_changed_half_way(self):
        one(self.db, "SELECT model_register('other', ?)", model(seed=9))
        make_rows(self.db, 100)
        cursor = self.db.execute(
            "SELECT classify_window(body) OVER (ORDER BY id %s) FROM t" % NEXT)
        cursor.fetchmany(5)
        self.one("SELECT insitu_setting('default_classifier', 'other')")
        with self.assertRaisesRegex(sqlite3.Error, "default model changed"):
            cursor.fetchall()

    def test_scalar_functions_are_still_there(self):
        self.assertIsNotNone(self.one("SELECT classify('order')"))
        self.fails("may not be used as a window function",
                   "SELECT classify('order') OVER ()")

    def test_many_rows_in_one_frame(self):
        # Results take memory, texts do not stay.
        self.db.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 "
                        "UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i, "
                        "'order ' || (i % 50) AS body FROM n")
        self.one("SELECT insitu_setting('memo_size', 1024)")
        found = self.all(
            "SELECT classify_window(body) OVER (ORDER BY i ROWS BETWEEN "
            "CURRENT ROW AND UNBOUNDED FOLLOWING) FROM t")
        self.assertEqual(found[:50] * 400, found)


class PrefixedWindow(unittest.TestCase):
    def test_names(self):
        from support import PREFIXED_ENTRY, load
        db = load(sqlite3.connect(":memory:"), entry=PREFIXED_ENTRY)
        one(db, "SELECT insitu_model_register('sort', ?)", model())
        self.assertEqual(
            one(db, "SELECT insitu_classify_window('card', 'sort') OVER ()"),
            one(db, "SELECT insitu_classify('card', 'sort')"))
        db.close()
        self.assertIsNotNone(connect())
