"""What ships in models/: what the cards promise.

The bounds are below the card's figures by more than rounding can cost, and
above what a damaged or mixed-up model gives.

SPDX-License-Identifier: PostgreSQL
"""

import csv
import os
import unittest

from support import BUNDLED, connect, one

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "..", "..", "models")
LARGEST_BYTES = 40 * 1000 * 1000
REQUESTS = "tickets_eval.tsv", 200
MINI_RIGHT, BASE_RIGHT, TICKETS_RIGHT = 190, 183, 187
OPINIONS = "opinions_eval.tsv", 319
SENTIMENT_RIGHT = 216


def right(db, model, rows_that_judge):
    """How many get their label."""
    name, count = rows_that_judge
    with open(os.path.join(MODELS, "recipes", name), encoding="utf-8",
              newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == count
    return sum(one(db, "SELECT classify(?, ?)", text, model) == label
               for label, text in rows)


class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db = connect()
        cls.db.execute("SELECT insitu_setting('cache_directory', '')")
        for name in ("base", "tickets", "sentiment", "spam"):
            cls.db.execute("SELECT model_register(?, ?)", (
                name, os.path.join(MODELS, "insitu-%s-en" % name))).fetchone()

    def check_meaning(self, model):
        """A paraphrase is nearer than a text about something else."""
        near, far = self.db.execute(
            "SELECT cosine_distance(embed(t, ?1), embed(a, ?1)),"
            " cosine_distance(embed(t, ?1), embed(b, ?1)) FROM (SELECT"
            " 'A man is playing a guitar on the stage.' AS t,"
            " 'Someone performs music in front of people.' AS a,"
            " 'A dog is sleeping on the couch.' AS b)", (model,)).fetchone()
        self.assertLess(near, far)

    def check_labels(self, model, expected):
        found = {text: one(self.db, "SELECT classify(?, ?)", text, model)
                 for text in expected}
        self.assertEqual(found, expected)

    def test_mini(self):
        self.assertGreaterEqual(right(self.db, BUNDLED, REQUESTS), MINI_RIGHT)
        self.check_meaning(BUNDLED)

    def test_base(self):
        self.assertGreaterEqual(right(self.db, "base", REQUESTS), BASE_RIGHT)
        self.check_meaning("base")

    def test_tickets(self):
        self.assertGreaterEqual(right(self.db, "tickets", REQUESTS),
                                TICKETS_RIGHT)

    def test_sentiment(self):
        self.assertGreaterEqual(right(self.db, "sentiment", OPINIONS),
                                SENTIMENT_RIGHT)
        self.check_labels("sentiment", {
            "An honest, moving film with a wonderful cast.": "positive",
            "A dull film that wastes its cast.": "negative",
            "Best headphones I have ever owned.": "positive",
            "The battery died after a week and nobody helped.": "negative",
        })

    def test_spam(self):
        self.check_labels("spam", {
            "WINNER!! Claim your free prize of 1000 pounds now, call "
            "09061701461 from a land line.": "spam",
            "Sorry, I'll be late. Can you pick up the kids at five?": "ham",
        })

    def test_size(self):
        total = 0
        for folder, _, files in os.walk(MODELS):
            total += sum(os.path.getsize(os.path.join(folder, name))
                         for name in files if not name.endswith(".pyc"))
        self.assertLessEqual(total, LARGEST_BYTES)
