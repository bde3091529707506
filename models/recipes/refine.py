"""refine.py - step 6: the large encoder learns from the small one, and from
reviews.

A student can be better than its teacher (Furlanello et al., 2018): what the
small encoder was not told is what the large one knows of single training texts
by heart.  So the large one learns to give the mean of its own embeddings and of
the small one's, of critics' sentences the small one's alone; and beside it a
head for opinions on reviews, which are many and say little each.
"""

import cpu  # noqa: F401  before torch

import random

import torch
import torch.nn.functional as F

import contrast
import distill
import loop
import read_data
import team as team_module
import wordpiece

# Of the embeddings' distance, beside the opinions' cross entropy.
DISTANCE = 2.0
OPINIONS = 0.5
# Pairs, texts of another kind, sentences of critics, and reviews in a batch of
# one worker, and the length of a text.
PAIRS, OTHERS, CRITICS, REVIEWS = 16, 48, 64, 96
TOKENS = 64
REVIEW_TOKENS = 48
# Share of a review's tokens that is left out, others each time.
LEFT_OUT = 0.1


class Batches:
    def __init__(self, arguments, work, rank):
        self.seed = 60 * arguments.seed
        self.dice = random.Random(arguments.seed + rank)
        self.lessons = distill.Texts(arguments, work, rank).lessons
        tokenizer = wordpiece.read(work)

        def encode(texts, tokens):
            return [tokenizer.encode(text, tokens) for text in texts]

        reviews = read_data.reviews(arguments.data, arguments.more)
        self.reviews = contrast.forever(
            list(zip(encode([text for text, _ in reviews], REVIEW_TOKENS),
                     [label for _, label in reviews])), REVIEWS, self.dice)
        self.critics = contrast.forever(
            encode(read_data.critics(arguments.data, arguments.more), TOKENS),
            CRITICS, self.dice)

    def texts(self, step):
        """Texts, and how many of them at the end are of critics."""
        number = self.seed + step
        _, rows = self.lessons.pairs(number)
        texts = [text if len(text) <= TOKENS else text[:TOKENS - 1] + text[-1:]
                 for row in rows[:PAIRS] for text in row]
        kind = number % 3
        if kind == 0:
            texts += [text for a, b, _ in next(self.lessons.graded)
                      for text in (a, b)][:OTHERS]
        elif kind == 1:
            texts += [text for text, _ in next(self.lessons.tickets)][:OTHERS]
        else:
            return texts + next(self.critics), CRITICS
        return texts, 0

    def opinions(self):
        rows = next(self.reviews)
        return [self.some(ids) for ids, _ in rows], \
            torch.tensor([label for _, label in rows])

    def some(self, ids):
        inner = ids[1:-1]
        kept = [i for i in inner if self.dice.random() >= LEFT_OUT]
        return [ids[0], *(kept or inner), ids[-1]]


def train(team, model, teachers, basis, arguments, work):
    large, small = teachers
    torch.manual_seed(arguments.seed + team.rank)
    batches = Batches(arguments, work, team.rank)

    def losses(step):
        texts, critics = batches.texts(step)
        with torch.no_grad():
            known = small.embed(texts) @ basis.t()
            others = len(texts) - critics
            known[:others] += large.embed(texts[:others])
            known = F.normalize(known, dim=-1)
        reviews, labels = batches.opinions()
        found = model.embed(texts + reviews)
        logits = model.opinion(found[len(texts):] * contrast.HEAD_SCALE)
        return {"distance": DISTANCE * distill.distance(found[:len(texts)],
                                                        known),
                "opinions": OPINIONS * F.cross_entropy(
                    logits, labels, label_smoothing=0.05)}

    loop.train(team, model, losses, 1.3, arguments,
               lambda: contrast.save(model, work / arguments.out))


def main():
    parser = loop.parser(__doc__, minutes=58, rate=6e-4, seed=81)
    parser.add_argument("--bits", type=int, default=6,
                        help="noise in all products, as contrast.py's")
    parser.add_argument("--start", default="taught.pt")
    parser.add_argument("--small", default="mini.pt")
    parser.add_argument("--out", default="base.pt")
    arguments, work = loop.begin(parser, 3)
    large = contrast.load(work / arguments.start).eval()
    small = contrast.load(work / arguments.small).eval()
    basis = distill.directions(small, large, distill.Texts(arguments, work, 0))
    model = contrast.load(work / arguments.start)
    model.encoder.bear(arguments.bits)
    team = team_module.Team(arguments.workers)
    team.share(model)
    team.run(train, model, (large, small), basis, arguments, work)


if __name__ == "__main__":
    main()
