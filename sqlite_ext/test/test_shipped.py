"""What ships in models/: what the card promises.

The bounds are below the card's figures by more than rounding can cost, and
above what a damaged or mixed-up model gives.

SPDX-License-Identifier: PostgreSQL
"""

import csv
import os
import unittest

from support import connect, one

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "..", "..", "models")
LARGEST_BYTES = 40 * 1000 * 1000


def requests():
    path = os.path.join(MODELS, "recipes", "tickets_eval.tsv")
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


class Shipped(unittest.TestCase):
    def setUp(self):
        self.db = connect()

    def test_tickets(self):
        right = sum(one(self.db, "SELECT classify(?)", text) == label
                    for label, text in requests())
        self.assertEqual(len(requests()), 200)
        self.assertGreaterEqual(right, 168)

    def test_meaning(self):
        """A paraphrase is nearer than a text about something else."""
        near, far = self.db.execute(
            "SELECT cosine_distance(embed(t), embed(a)),"
            " cosine_distance(embed(t), embed(b)) FROM (SELECT"
            " 'A man is playing a guitar on the stage.' AS t,"
            " 'Someone performs music in front of people.' AS a,"
            " 'A dog is sleeping on the couch.' AS b)").fetchone()
        self.assertLess(near, far)

    def test_size(self):
        total = 0
        for folder, _, files in os.walk(MODELS):
            total += sum(os.path.getsize(os.path.join(folder, name))
                         for name in files if not name.endswith(".pyc"))
        self.assertLessEqual(total, LARGEST_BYTES)
