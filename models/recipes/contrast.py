"""contrast.py - step 4: texts that belong together lie near each other.

Symmetric in-batch contrastive loss (van den Oord et al., 2018) on pairs.py's
sources, the ordering of graded similarities (CoSENT), and two small heads over
the embedding - ten labels of requests, positive or negative - so that an
embedding tells also what a text is about and how its writer feels.
"""

import cpu  # noqa: F401  before torch

import random

import torch
import torch.nn.functional as F
from torch import nn

import bert
import loop
import pairs
import read_data
import support
import team as team_module
import wordpiece

TEMPERATURE = 0.05
ORDER_SCALE = 20.0
# A head over vectors of length 1 needs this much room.
HEAD_SCALE = 16.0


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.encoder = bert.Encoder(shape)
        self.tickets = nn.Linear(shape.hidden, len(read_data.LABELS))
        self.opinion = nn.Linear(shape.hidden, 2)

    def embed(self, rows):
        """Token rows -> [rows][hidden]"""
        return self.encoder.embed(rows)


def contrastive_loss(vectors, count):
    """vectors: the firsts of count pairs, their seconds, further negatives."""
    left, right = vectors[:count], vectors[count:2 * count]
    target = torch.arange(count)
    return (F.cross_entropy(left @ vectors[count:].t() / TEMPERATURE, target) +
            F.cross_entropy(right @ left.t() / TEMPERATURE, target)) / 2


def words_loss(vectors, known):
    """How far each text's order of the others is from the one that their words
    give, known [texts][texts].  What a text is about is learnt soon; which
    words it has is what finds one passage among many of one subject."""
    def likeness(cosines):
        others = ~torch.eye(len(cosines), dtype=torch.bool)
        return (cosines / TEMPERATURE)[others].view(len(cosines), -1)

    return F.kl_div(likeness(vectors @ vectors.t()).log_softmax(-1),
                    likeness(known).softmax(-1), reduction="batchmean")


def spread_loss(vectors, count):
    """Mean squared cosine of texts that do not belong together, about their
    mean; 1 where all directions are used alike (the covariance term of Bardes
    et al., 2022).  Without it a third of the directions has nearly all of the
    variance, and what few texts differ in is drowned."""
    centred = F.normalize(vectors - vectors.mean(0), dim=-1)
    place = torch.arange(len(vectors))
    place = torch.where(place < 2 * count, place % count, place)
    apart = place[:, None] != place[None]
    return (centred @ centred.t())[apart].square().mean() * vectors.shape[1]


def order_loss(model, rows):
    """Of two pairs the more similar one shall have the greater cosine."""
    vectors = model.embed([row[0] for row in rows] + [row[1] for row in rows])
    cosine = (vectors[:len(rows)] * vectors[len(rows):]).sum(-1) * ORDER_SCALE
    grade = torch.tensor([row[2] for row in rows])
    wrong = cosine[None, :] - cosine[:, None]
    wrong = wrong[grade[:, None] > grade[None, :]]
    return torch.logsumexp(torch.cat([torch.zeros(1), wrong]), 0) / 4


def head_loss(model, head, rows):
    vectors = model.embed([ids for ids, _ in rows])
    labels = torch.tensor([label for _, label in rows])
    return F.cross_entropy(head(vectors * HEAD_SCALE), labels,
                           label_smoothing=0.05)


def forever(rows, count, dice):
    while True:
        dice.shuffle(rows)
        for at in range(0, len(rows) - count, count):
            yield rows[at:at + count]


class Lessons:
    """Everything there is to learn from, in batches; dice shuffles them."""

    def __init__(self, arguments, work, seed, dice, graded, tickets):
        data, more = arguments.data, arguments.more
        tokenizer = wordpiece.read(work)
        self.dice = dice
        self.sources, self.words = pairs.sources(data, more, work, tokenizer)
        self.graded = forever(
            [(tokenizer.encode(a, 64), tokenizer.encode(b, 64), s)
             for a, b, s in pairs.similar(data, more)], graded, dice)
        self.tickets = forever(
            [(tokenizer.encode(text, 96), label)
             for text, label in support.numbered(data, seed)], tickets, dice)
        self.opinions = forever(
            [(tokenizer.encode(text, 64), label)
             for text, label in read_data.opinions(data, more)], 128, dice)

    def pairs(self, number):
        """(source, pairs): equal numbers give all workers the same source, so
        that none waits."""
        weights = [weight for _, weight, _ in self.sources]
        source, _, count = random.Random(number).choices(
            self.sources, weights)[0]
        return source, source.batch(count, self.dice)


def train(team, model, arguments, work):
    torch.manual_seed(arguments.seed + team.rank)
    dice = random.Random(arguments.seed + team.rank)
    lessons = Lessons(arguments, work, 7 + team.rank, dice, graded=32,
                      tickets=48)

    def losses(step):
        source, rows = lessons.pairs(20 * arguments.seed + step)
        texts = [row[0] for row in rows] + [row[1] for row in rows]
        texts += [row[2] for row in rows if len(row) > 2]
        vectors = model.embed(texts)
        found = {type(source).__name__: contrastive_loss(vectors, len(rows))}
        if source.words_matter:
            found["words"] = arguments.words * words_loss(
                vectors, torch.from_numpy(lessons.words.cosines(texts)))
            found["spread"] = arguments.spread * spread_loss(vectors,
                                                             len(rows))
        if step % 3 == 0:
            found["order"] = order_loss(model, next(lessons.graded))
        if step % 3 == 1:
            found["tickets"] = 0.5 * head_loss(model, model.tickets,
                                               next(lessons.tickets))
        if step % 3 == 2:
            found["opinion"] = 0.5 * head_loss(model, model.opinion,
                                               next(lessons.opinions))
        return found

    loop.train(team, model, losses, 1.2, arguments,
               lambda: save(model, work / arguments.out))


def load(path):
    """What save() wrote; a part that a file lacks is fresh."""
    known = torch.load(path)
    model = Model(bert.Shape(**known["shape"]))
    for part in ("encoder", "tickets", "opinion"):
        if part in known:
            getattr(model, part).load_state_dict(known[part])
    return model


def save(model, path):
    loop.keep({"shape": vars(model.encoder.shape),
               "encoder": model.encoder.state_dict(),
               "tickets": model.tickets.state_dict(),
               "opinion": model.opinion.state_dict()}, path)


def main():
    parser = loop.parser(__doc__, minutes=25, rate=1e-3, seed=50)
    parser.add_argument("--words", type=float, default=1.0,
                        help="weight of the likeness of words")
    parser.add_argument("--spread", type=float, default=0.1,
                        help="weight of using all directions alike")
    parser.add_argument("--bits", type=int, default=6,
                        help="noise in all products, as if of so many bits; "
                        "0: none")
    parser.add_argument("--start", default="pretrained.pt",
                        help="taught.pt with another seed goes on")
    parser.add_argument("--out", default="taught.pt")
    arguments, work = loop.begin(parser, 2)
    model = load(work / arguments.start)
    model.encoder.bear(arguments.bits)
    team = team_module.Team(arguments.workers)
    team.share(model)
    team.run(train, model, arguments, work)


if __name__ == "__main__":
    main()
