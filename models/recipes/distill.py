"""distill.py - step 5: a small encoder learns from a large one.

The student learns to give the teacher's embeddings themselves, turned into as
many dimensions as it has: the principal directions of the teacher's embeddings,
which keep their cosines.  No labels and no pairs are needed, only texts of all
kinds (Reimers & Gurevych, 2020, teach other languages so).
"""

import cpu  # noqa: F401  before torch

import random

import torch
import torch.nn.functional as F

import bert
import contrast
import loop
import team as team_module

# Texts to find the directions with, and the share of running text among them
# and later.
SAMPLE = 6000
RUNNING = 4


def start_from_teacher(student, teacher):
    """Word vectors: the teacher's, normalised as it reads them, in their
    principal directions."""
    with torch.no_grad():
        words = teacher.encoder.words.weight
        words = F.layer_norm(words + teacher.encoder.types.weight[0],
                             words.shape[1:])
        words = words - words.mean(0)
        values, vectors = torch.linalg.eigh(words.t() @ words)
        small = words @ vectors.flip(1)[:, :student.encoder.shape.hidden]
        student.encoder.words.weight.copy_(small * (0.04 / small.std()))
        student.encoder.words.weight[0].zero_()


class Texts:
    """Token rows of all that contrast.py learns from, its pairs taken apart."""

    def __init__(self, arguments, work, rank):
        dice = random.Random(arguments.seed + rank)
        self.lessons = contrast.Lessons(arguments, work, 9 + rank, dice,
                                        graded=48, tickets=48)
        self.lessons.sources[0] = (self.lessons.sources[0][0], RUNNING,
                                   self.lessons.sources[0][2])

    def batch(self, number):
        _, rows = self.lessons.pairs(number)
        texts = [text for row in rows for text in row]
        if number % 3 == 0:
            texts += [text for a, b, _ in next(self.lessons.graded)
                      for text in (a, b)]
        else:
            more = self.lessons.tickets if number % 3 == 1 else \
                self.lessons.opinions
            texts += [ids for ids, _ in next(more)]
        return texts


def directions(student, teacher, texts):
    """[teacher's hidden][student's hidden] with orthogonal columns: the
    principal directions of the teacher's embeddings, turned towards what the
    student gives already (Schoenemann, 1966)."""
    count = student.encoder.shape.hidden
    known, found = [], []
    with torch.no_grad():
        at = 0
        while sum(map(len, known)) < SAMPLE:
            rows = texts.batch(at)
            known.append(teacher.embed(rows))
            found.append(student.embed(rows))
            at += 1
        known, found = torch.cat(known), torch.cat(found)
        values, vectors = torch.linalg.eigh(known.t() @ known)
        basis = vectors[:, -count:]
        print("%d of %d directions have %.4f of the squares" % (
            count, len(values), values[-count:].sum() / values.sum()),
            flush=True)
        left, _, right = torch.linalg.svd((known @ basis).t() @ found)
        return basis @ (left @ right)


def take_heads(student, teacher, basis):
    """What the teacher's heads read in these directions."""
    with torch.no_grad():
        for part in ("tickets", "opinion"):
            head = getattr(teacher, part)
            getattr(student, part).weight.copy_(head.weight @ basis)
            getattr(student, part).bias.copy_(head.bias)


def distance(found, known):
    return (found - known).square().sum(-1).mean()


def train(team, student, teacher, basis, arguments, work):
    torch.manual_seed(arguments.seed + team.rank)
    texts = Texts(arguments, work, team.rank)

    def losses(step):
        rows = texts.batch(60 * arguments.seed + step)
        with torch.no_grad():
            known = F.normalize(teacher.embed(rows) @ basis, dim=-1)
        return {"distance": distance(student.embed(rows), known)}

    loop.train(team, student, losses, 1.3, arguments,
               lambda: contrast.save(student, work / arguments.out))


def main():
    parser = loop.parser(__doc__, minutes=12, rate=1e-3, seed=70)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--teacher", default="taught.pt")
    parser.add_argument("--start", help="an earlier student, to go on with; "
                        "its own shape counts")
    parser.add_argument("--out", default="mini.pt")
    arguments, work = loop.begin(parser, 3)
    teacher = contrast.load(work / arguments.teacher).eval()
    if arguments.start:
        student = contrast.load(work / arguments.start)
    else:
        student = contrast.Model(bert.Shape(
            teacher.encoder.shape.vocabulary, arguments.layers,
            arguments.hidden, arguments.heads, 4 * arguments.hidden))
        start_from_teacher(student, teacher)
    basis = directions(student, teacher, Texts(arguments, work, 0))
    take_heads(student, teacher, basis)
    team = team_module.Team(arguments.workers)
    team.share(student)
    team.run(train, student, teacher, basis, arguments, work)


if __name__ == "__main__":
    main()
