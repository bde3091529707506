"""words.py - step 6, the other way: a task's head over an encoder at rest, and
one over words.

What a small encoder has read says little of which words praise and which
blame, and a hundred thousand labelled phrases say it well.  Two multinomial
logistic regressions, each fitted alone: over the embeddings, and over the
pieces of a text and the pairs of them, which find their rows of a table by a
hash (docs/importing-models.md).  Their logits are added.  What is saved is an
adapter without changes of the encoder.
"""

import cpu  # noqa: F401  before torch

import argparse
import collections
import pathlib
import time

import torch
import torch.nn.functional as F

import adapter
import contrast
import head
import read_data
import team as team_module
import wordpiece

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
# Of the squares of the weights by the sum of the losses, as scikit-learn's C.
HEAD_STRENGTH, WORDS_STRENGTH = 5.0, 1.5


ROWS = {
    "sentiment": lambda arguments: read_data.opinion_words(arguments.data,
                                                           arguments.more),
    "spam": lambda arguments: adapter.spam(arguments, 20),
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


def fit(read, shape, targets, strength, iterations):
    """The weights [shape] and biases whose logits read(weights) + biases give
    the targets, (labels, how often each)."""
    labels, counts = targets
    weights = torch.zeros(shape, requires_grad=True)
    biases = torch.zeros(int(labels.max()) + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, biases], max_iter=iterations,
                                  line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        losses = F.cross_entropy(read(weights) + biases, labels,
                                 reduction="none")
        value = ((losses * counts).sum() + weights.square().sum() /
                 (2 * strength)) / counts.sum()
        value.backward()
        return value

    optimizer.step(loss)
    print("loss %.4f" % float(loss()), flush=True)
    return weights.detach(), biases.detach()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True, choices=sorted(ROWS))
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--more", help="folder with the further sets")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--rows", type=int, default=65536,
                        help="of the table, a power of two")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--base", default="base.pt")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    team_module.prepare()
    start = time.time()
    model = contrast.load(work / arguments.base).eval()
    tokenizer = wordpiece.read(work)
    _, names, limit = adapter.TASKS[arguments.task]
    rows = collections.Counter(ROWS[arguments.task](arguments))
    texts = [tokenizer.encode(text, limit) for text, _ in rows]
    targets = (torch.tensor([label for _, label in rows]),
               torch.tensor([float(count) for count in rows.values()]))
    vectors = torch.zeros(len(rows), model.encoder.shape.hidden).share_memory_()
    team_module.Team(arguments.workers).run(head.embed, model, texts, vectors)
    print("%d texts, %.0f s" % (len(rows), time.time() - start), flush=True)
    classifier, bias = fit(lambda weights: vectors @ weights.t(),
                           (len(names), vectors.shape[1]), targets,
                           HEAD_STRENGTH, 200)
    bags = Bags(texts, arguments.rows)
    table, word_bias = fit(bags.logits, (arguments.rows, len(names)), targets,
                           WORDS_STRENGTH, 100)
    torch.save({"classifier.weight": classifier / contrast.HEAD_SCALE,
                "classifier.bias": bias + word_bias,
                "word_classifier.weight": table},
               work / (arguments.task + ".pt"))
    print("%.0f s" % (time.time() - start))


if __name__ == "__main__":
    main()
