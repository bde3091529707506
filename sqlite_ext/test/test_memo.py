"""Recent results of a connection: not computed again, bounded, forgotten.

SPDX-License-Identifier: PostgreSQL
"""

import json
import sqlite3

from support import DatabaseTest, connect, model, one


class Memo(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.digests = dict(self.all("SELECT name, digest FROM model_list"))

    def work(self, name="sort", db=None):
        """(tokens through the encoder, results from the memo) so far."""
        row = (db or self.db).execute(
            "SELECT tokens, memo_hits FROM model_stats WHERE digest = ?",
            (self.digests[name],)).fetchone()
        return row or (0, 0)

    def spent(self, sql, *arguments, name="sort"):
        """What a query had to compute, and what it found."""
        before = self.work(name)
        self.all(sql, *arguments)
        after = self.work(name)
        return after[0] - before[0], after[1] - before[1]

    def test_second_call_does_not_compute(self):
        for sql, name in (("SELECT classify(?, 'sort')", "sort"),
                          ("SELECT embed(?, 'near')", "near"),
                          ("SELECT embed_query(?, 'near')", "near")):
            with self.subTest(sql):
                tokens, hits = self.spent(sql, "my order", name=name)
                self.assertGreater(tokens, 2)
                self.assertEqual(hits, 0)
                self.assertEqual(self.spent(sql, "my order", name=name),
                                 (0, 1))
                self.assertGreater(
                    self.spent(sql, "my Order ", name=name)[0], 2)

    def test_results_are_equal_to_the_last_bit(self):
        first = self.one("SELECT embed('my order', 'near')")
        self.assertEqual(self.one("SELECT embed('my order', 'near')"), first)
        scores = self.all("SELECT * FROM classify_scores('card', 'sort')")
        self.assertEqual(
            self.all("SELECT * FROM classify_scores('card', 'sort')"), scores)
        for label, score in scores:
            self.assertEqual(
                self.one("SELECT classify_score('card', ?, 'sort')", label),
                score)

    def test_functions_share_a_row(self):
        self.one("SELECT classify('card', 'sort')")
        label = self.one("SELECT classify('card', 'sort')")
        self.assertEqual(
            self.spent("SELECT classify_score('card', ?, 'sort')", label),
            (0, 1))
        self.assertEqual(
            self.spent("SELECT * FROM classify_scores('card', 'sort')"),
            (0, 1))
        self.assertEqual(
            self.spent("SELECT * FROM classify_batch(?, 'sort')",
                       json.dumps(["card", None, "card"])), (0, 1))

    def test_equal_texts_of_a_batch_are_computed_once(self):
        one_text = self.spent("SELECT classify('card bill', 'sort')")[0]
        self.one("SELECT insitu_setting('memo_size', 0)")
        self.assertEqual(
            self.spent("SELECT count(label) FROM classify_batch(?, 'sort')",
                       json.dumps(["card bill"] * 32)), (one_text, 0))

    def test_size_zero_means_none(self):
        self.assertEqual(self.one("SELECT insitu_setting('memo_size', 0)"), 0)
        for _ in range(2):
            tokens, hits = self.spent("SELECT classify('card', 'sort')")
            self.assertGreater(tokens, 0)
            self.assertEqual(hits, 0)

    def test_setting_the_size_clears(self):
        self.spent("SELECT classify('card', 'sort')")
        self.assertEqual(self.spent("SELECT classify('card', 'sort')"), (0, 1))
        self.one("SELECT insitu_setting('memo_size', 1024)")
        self.assertGreater(self.spent("SELECT classify('card', 'sort')")[0], 0)
        self.assertEqual(self.spent("SELECT classify('card', 'sort')"), (0, 1))

    def test_size_is_a_bound(self):
        self.one("SELECT insitu_setting('memo_size', 8)")
        texts = ["order %d" % i for i in range(1000)]
        count = "SELECT count(classify(value, 'sort')) FROM json_each(?)"
        self.spent(count, json.dumps(texts))
        # The last ones are there, the first ones are not.
        self.assertEqual(self.spent(count, json.dumps(texts[-20:])), (0, 20))
        self.assertEqual(self.spent(count, json.dumps(texts[:20]))[1], 0)

    def test_memo_belongs_to_the_connection(self):
        other = connect()
        one(other, "SELECT model_register('sort', ?)", model())
        self.spent("SELECT classify('card', 'sort')")
        before = self.work()
        one(other, "SELECT classify('card', 'sort')")
        self.assertGreater(self.work()[0], before[0])
        other.close()

    def test_long_input_is_refused_all_the_same(self):
        text = "order " * 5000
        self.one("SELECT classify(?, 'sort')", text)
        self.one("SELECT insitu_setting('on_long_input', 'error')")
        with self.assertRaisesRegex(sqlite3.Error, "longer"):
            self.one("SELECT classify(?, 'sort')", text)

    def test_unloaded_model_is_found_again(self):
        self.spent("SELECT classify('card', 'sort')")
        self.one("SELECT model_unload('sort')")
        self.assertEqual(self.spent("SELECT classify('card', 'sort')"), (0, 1))

    def test_session_bytes(self):
        sql = "SELECT session_bytes FROM model_stats WHERE digest = ?"
        self.one("SELECT classify('card', 'sort')")
        used = self.one(sql, self.digests["sort"])
        self.assertGreater(used, 10000)
        texts = json.dumps(["order %d" % i for i in range(2000)])
        self.one("SELECT count(*) FROM classify_batch(?, 'sort')", texts)
        self.assertEqual(self.one(sql, self.digests["sort"]), used)
        self.one("SELECT model_unload('sort')")
        self.assertEqual(self.one(sql, self.digests["sort"]), 0)
