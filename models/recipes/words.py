"""words.py - step 7, beside the encoder: a task's head over words.

What a small encoder has read says little of which words praise and which
blame, and a hundred thousand labelled phrases say it well.  A multinomial
logistic regression, fitted alone, over the pieces of a text and the pairs of
them, which find their rows of a table by a hash (docs/importing-models.md).
A share of its logits is added to those of the head that reads the embedding.
"""

import cpu  # noqa: F401  before torch

import argparse
import collections
import pathlib
import time
import typing

import torch
import torch.nn.functional as F

import read_data
import tasks
import team as team_module
import wordpiece

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


class Plan(typing.NamedTuple):
    texts: typing.Callable  # as the rows of tasks.Task
    # Of the squares of the weights by the sum of the losses, as
    # scikit-learn's C.
    strength: float
    rows: int       # of the table, a power of two
    balance: float  # a text counts by its label's rarity to this power


PLANS = {
    # The strength is that of the product's fine_tune_classifier.
    "tickets": Plan(tasks.TASKS["tickets"].rows, 10.0, 8192, 0.5),
    "sentiment": Plan(read_data.opinion_words, 1.5, 65536, 0.0),
}


def mix(bits):
    """SplitMix64 (Steele, Lea & Flood, 2014)."""
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & MASK
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & MASK
    return bits ^ bits >> 31


def find_rows(ids, count):
    """Of each piece between [CLS] and [SEP], and of each two."""
    pieces = ids[1:-1]
    states = [mix((piece + STEP) & MASK) for piece in pieces]
    return [state % count for state in states] + \
        [mix((state + after + 1) & MASK) % count
         for state, after in zip(states, pieces[1:])]


class Bags:
    """Texts as rows of a table; each row weighs 1 / root of how many there
    are."""

    def __init__(self, texts, count):
        rows = [find_rows(ids, count) for ids in texts]
        sizes = torch.tensor([len(bag) for bag in rows])
        self.rows = torch.tensor([row for bag in rows for row in bag])
        self.starts = sizes.cumsum(0) - sizes
        self.shares = sizes.clamp(min=1).float().rsqrt().repeat_interleave(
            sizes)

    def logits(self, table):
        return F.embedding_bag(self.rows, table, self.starts, mode="sum",
                               per_sample_weights=self.shares)


class Targets:
    """The labels of texts, and how much each text counts."""

    def __init__(self, rows, balance):
        """rows: {(text, number of the label): how often}"""
        self.labels = torch.tensor([label for _, label in rows])
        counts = torch.tensor([float(count) for count in rows.values()])
        of_label = torch.bincount(self.labels, counts)
        weights = (of_label.sum() / of_label) ** balance
        self.counts = counts * (weights / weights.mean())[self.labels].float()

    def loss(self, logits):
        """The sum."""
        losses = F.cross_entropy(logits, self.labels, reduction="none")
        return (losses * self.counts).sum()


def fit(bags, width, targets, strength):
    """The table that makes the labels most likely.  It has no bias: that is
    the other head's."""
    table = torch.zeros(width, requires_grad=True)
    optimizer = torch.optim.LBFGS([table], max_iter=100,
                                  line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = (targets.loss(bags.logits(table)) +
                 table.square().sum() / (2 * strength)) / targets.counts.sum()
        value.backward()
        return value

    optimizer.step(loss)
    print("loss %.4f" % float(loss()), flush=True)
    return table.detach()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True, choices=sorted(PLANS))
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--more", help="folder with the further sets")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--rows", type=int,
                        help="of the table, another power of two")
    parser.add_argument("--out", required=True, help="a file in --work")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    plan, task = PLANS[arguments.task], tasks.TASKS[arguments.task]
    team_module.prepare()
    start = time.time()
    tokenizer = wordpiece.read(work)
    rows = collections.Counter(plan.texts(arguments.data, arguments.more))
    texts = [tokenizer.encode(text, task.tokens) for text, _ in rows]
    print("%d texts, %.0f s" % (len(rows), time.time() - start), flush=True)
    table_rows = arguments.rows or plan.rows
    table = fit(Bags(texts, table_rows), (table_rows, len(task.labels)),
                Targets(rows, plan.balance), plan.strength)
    torch.save(table, work / arguments.out)
    print("%.0f s" % (time.time() - start))


if __name__ == "__main__":
    main()
