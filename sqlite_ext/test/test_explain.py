"""explain_classify and explain_html: rows, positions, labels, limits.

SPDX-License-Identifier: PostgreSQL
"""

import html.parser
import random
import sqlite3
import threading
import time
import unittest

from support import BUNDLED, DatabaseTest, PREFIXED_ENTRY, load, model, one

ROWS = "SELECT token, start_pos, end_pos, contribution FROM explain_classify"
HOSTILE = ["<script>document.title = 'x'</script>", "\"'&<>", "-->", "</div>",
           "a & b", "\u202eabc \u05e9\u05dc\u05d5\u05dd", "\U0001f600 ok",
           "line\none\ttwo   three", "&lt;", "<!--", "]]>", "\x01\x7f\x85"]


class Reader(html.parser.HTMLParser):
    """The elements of a snippet, and the text that it shows."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.titles = [], set(), []
        self.text, self.in_text = "", False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        for name, value in attrs:
            if name not in ("style", "title", "dir"):
                raise ValueError(name)
            if name == "title":
                self.titles.append(float(value))
            if name == "dir":
                self.in_text = True

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(tag)
        if tag == "div":
            self.in_text = False

    def handle_data(self, data):
        if self.in_text:
            self.text += data


def shown(text):
    """What is left of a text: HTML allows few control characters."""
    return "".join("\ufffd" if (ord(c) < 32 and c not in "\t\n\f\r") or
                   127 <= ord(c) < 160 else c for c in text)


class Explain(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('default_classifier', 'sort')")

    def rows(self, *arguments):
        return self.all(ROWS + "(%s)" % ", ".join("?" * len(arguments)),
                        *arguments)

    def test_one_row_per_word(self):
        rows = self.rows("My card was  charged, twice!")
        self.assertEqual([row[:3] for row in rows], [
            ("My", 1, 2), ("card", 4, 7), ("was", 9, 11),
            ("charged", 14, 20), (",", 21, 21), ("twice", 23, 27),
            ("!", 28, 28)])
        self.assertTrue(all(isinstance(row[3], float) for row in rows))

    def test_forms_agree(self):
        text = "where is my order"
        label = self.one("SELECT classify(?)", text)
        rows = self.rows(text)
        self.assertEqual(rows, self.rows(text, "sort"))
        self.assertEqual(rows, self.rows(text, "sort", label))
        others = [self.rows(text, "sort", other)
                  for other in ("billing", "order", "other")
                  if other != label]
        self.assertNotIn(rows, others)
        # Scores of all labels are 1 together, for the text and without it.
        total = sum(row[3] for part in others + [rows] for row in part)
        self.assertAlmostEqual(total, 0, places=2)

    def test_label_by_name_of_its_column(self):
        self.assertEqual(
            self.all(ROWS + " WHERE input = 'my order' AND label = 'billing' "
                            "AND model = 'sort'"),
            self.rows("my order", "sort", "billing"))
        # A label alone belongs to the default model.
        self.assertEqual(
            self.all(ROWS + "('my order') WHERE label = 'billing'"),
            self.rows("my order", "sort", "billing"))

    def test_positions_are_those_of_substr(self):
        for text in ("\u00c4rger \u00fcber na\u00efve \u4e2d\u6587 "
                     "\U0001f642 \u05e9\u05dc\u05d5\u05dd!", "a\u0301b c"):
            self.assertEqual(self.one(
                "SELECT count(*) FROM explain_classify(?1) "
                "WHERE token <> substr(?1, start_pos, "
                "end_pos - start_pos + 1)", text), 0)

    def test_joined_to_a_table(self):
        self.db.execute("CREATE TABLE t(body TEXT)")
        self.db.executemany("INSERT INTO t VALUES (?)",
                            [("my order",), (None,), ("",), ("hello",)])
        self.assertEqual(
            [row[0] for row in self.all(
                "SELECT token FROM t, explain_classify(t.body) "
                "ORDER BY t.rowid, start_pos")], ["my", "order", "hello"])
        self.assertEqual(
            [row[0] is None for row in self.all(
                "SELECT explain_html(body) FROM t ORDER BY rowid")],
            [False, True, False, False])

    def test_nothing_to_explain(self):
        for text in ("", "  \n ", None):
            self.assertEqual(self.rows(text), [])
        self.assertEqual(self.rows("x", None), [])
        self.assertEqual(self.rows("x", "sort", None), [])
        self.assertIsNone(self.one("SELECT explain_html(NULL)"))
        self.assertIsNone(self.one("SELECT explain_html('x', NULL)"))

    def test_nul_and_invalid_bytes(self):
        rows = self.all(
            "SELECT CAST(token AS BLOB), start_pos FROM explain_classify("
            "CAST(x'6d7900206f72ff646572' AS TEXT))")
        self.assertEqual(rows[0], (b"my", 1))
        page = self.one("SELECT explain_html(CAST(x'6d7900ff20c3' AS TEXT))")
        self.assertIn("&#xFFFD;", page)
        self.assertNotIn("\0", page)
        self.assertEqual(Reader(page).text, "my\ufffd\ufffd \ufffd")

    def test_words_behind_the_limit(self):
        text = "my order " * 100
        rows = self.rows(text)
        self.assertEqual(len(rows), 62)
        self.assertIn("opacity:.6", self.one("SELECT explain_html(?)", text))
        self.one("SELECT insitu_setting('on_long_input', 'error')")
        self.fails("longer than", ROWS + "(?)", text)
        self.fails("longer than", ROWS + "(?, 'sort', 'other')", text)
        self.fails("longer than", "SELECT explain_html(?)", text)

    def test_errors(self):
        self.fails("has no label .bill.. Its 3 labels are: billing, order",
                   ROWS + "('x', 'sort', 'bill')")
        self.fails("cannot classify", ROWS + "('x', 'near')")
        self.fails("cannot classify", "SELECT explain_html('x', 'near')")
        self.fails("does not exist|no model", ROWS + "('x', 'nowhere')")
        self.fails("must be text, not a BLOB", ROWS + "(x'00')")
        self.fails("must be text, not a number", ROWS + "('x', 'sort', 1)")
        self.fails("needs an argument", "SELECT * FROM explain_classify")

    def test_an_alias_is_followed(self):
        self.one("SELECT model_alias('pointer', 'sort')")
        self.assertEqual(self.all(ROWS + "('my order', 'pointer')"),
                         self.all(ROWS + "('my order', 'sort')"))
        self.assertEqual(self.one("SELECT explain_html('my order', 'pointer')"),
                         self.one("SELECT explain_html('my order', 'sort')"))
        self.one("SELECT insitu_setting('default_classifier', 'pointer')")
        self.assertEqual(len(self.rows("my order")), 2)

    def test_prefixed_names(self):
        db = load(sqlite3.connect(":memory:"), entry=PREFIXED_ENTRY)
        try:
            one(db, "SELECT model_register('sort', ?)".replace(
                "model_", "insitu_model_"), model())
            self.assertEqual(one(db, "SELECT count(*) FROM "
                                     "insitu_explain_classify('my order', "
                                     "'sort')"), 2)
            self.assertIn("<div", one(
                db, "SELECT insitu_explain_html('my order', 'sort')"))
        finally:
            db.close()

    def test_hostile_texts_come_back(self):
        generator = random.Random(3)
        for round_ in range(60):
            text = " ".join(generator.choices(HOSTILE, k=4)) if round_ else ""
            text = HOSTILE[round_] if round_ < len(HOSTILE) else text
            page = self.one("SELECT explain_html(?, 'sort')", text)
            reader = Reader(page)
            self.assertEqual(reader.open, [])
            self.assertLessEqual(reader.tags, {"div", "span", "b", "bdi"})
            self.assertEqual(reader.text, shown(text))

    def test_titles_are_the_contributions(self):
        text = "my card was charged twice for the same order"
        titles = Reader(self.one("SELECT explain_html(?)", text)).titles
        self.assertEqual(
            titles, [round(row[3] * 1000) / 1000 for row in self.rows(text)])


class Shipped(DatabaseTest):
    models = False

    def setUp(self):
        super().setUp()
        names = [row[0] for row in self.all("SELECT name FROM model_list")]
        if BUNDLED not in names:
            self.skipTest("built without the shipped model")

    def test_the_word_that_carries_it(self):
        rows = self.all(ROWS + "('I was charged twice for the same order')")
        self.assertEqual(max(rows, key=lambda row: row[3])[0], "charged")
        score = self.one("SELECT classify_score("
                         "'I was charged twice for the same order', "
                         "'billing')")
        self.assertAlmostEqual(sum(row[3] for row in rows), score, delta=.15)

    def test_interrupt(self):
        text = "my order is late, where is my parcel? " * 30
        timer = threading.Timer(0.1, self.db.interrupt)
        begin = time.monotonic()
        timer.start()
        self.fails("interrupted", "SELECT explain_html(?) "
                                  "FROM (VALUES (1), (2), (3), (4))", text)
        timer.join()
        self.assertLess(time.monotonic() - begin, 10)


if __name__ == "__main__":
    unittest.main()
