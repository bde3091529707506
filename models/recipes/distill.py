"""distill.py - step 5: a small encoder learns from a large one.

The student takes over the neighbourhoods of the teacher's embeddings: for each
text of a batch the distribution over the others by their cosines (Tejankar et
al., 2021, without the memory), beside the losses that the teacher had.  Its
word vectors start as the strongest dimensions of the teacher's.
"""

import cpu  # noqa: F401  before torch

import argparse
import pathlib
import random
import time

import torch
import torch.nn.functional as F

import bert
import contrast
import optimizer
import team as team_module

SHARPNESS = 0.05


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


def likeness_loss(student, teacher):
    """Rows of cosines as distributions, without a text's own."""
    own = torch.eye(len(student), dtype=torch.bool)
    known = (teacher @ teacher.t() / SHARPNESS).masked_fill(own, -1e4)
    found = (student @ student.t() / SHARPNESS).masked_fill(own, -1e4)
    return F.kl_div(found.log_softmax(-1), known.softmax(-1),
                    reduction="batchmean")


def pair_losses(student, teacher, rows, words):
    """words: what tells which texts share words, where that is the better
    teacher; else None"""
    texts = [row[0] for row in rows] + [row[1] for row in rows]
    vectors = student.embed(texts)
    pairs = contrast.contrastive_loss(vectors, len(rows))
    if words:
        return pairs + contrast.words_loss(
            vectors, torch.from_numpy(words.cosines(texts)))
    with torch.no_grad():
        known = teacher.embed(texts)
    return likeness_loss(vectors, known) + 0.6 * pairs


def head_losses(student, teacher, part, rows):
    """The label and the teacher's opinion of it."""
    texts = [ids for ids, _ in rows]
    with torch.no_grad():
        known = teacher.embed(texts)
        wanted = getattr(teacher, part)(known * contrast.HEAD_SCALE)
    vectors = student.embed(texts)
    logits = getattr(student, part)(vectors * contrast.HEAD_SCALE)
    labels = torch.tensor([label for _, label in rows])
    return F.cross_entropy(logits, labels, label_smoothing=0.05) * 0.5 + \
        F.kl_div(logits.log_softmax(-1), wanted.softmax(-1),
                 reduction="batchmean") + likeness_loss(vectors, known) * 0.3


def train(team, student, teacher, arguments, work):
    torch.manual_seed(70 + team.rank)
    dice = random.Random(70 + team.rank)
    lessons = contrast.Lessons(arguments, work, 9 + team.rank, dice,
                               graded=48, tickets=48)
    optimizers = optimizer.build(student, arguments.rate,
                                 team.mine(student.named_parameters()))
    start, total = time.time(), 0.0
    for step, done in team.steps(arguments.minutes):
        source, rows = lessons.pairs(3000 + step)
        loss = pair_losses(student, teacher, rows,
                           lessons.words if source.words_matter else None)
        if step % 3 == 0:
            loss = loss + contrast.order_loss(student, next(lessons.graded))
        if step % 3 == 1:
            loss = loss + head_losses(student, teacher, "tickets",
                                      next(lessons.tickets))
        if step % 3 == 2:
            loss = loss + head_losses(student, teacher, "opinion",
                                      next(lessons.opinions))
        loss.backward()
        team.step(student, optimizers, arguments.rate *
                  min(1, (step + 1) / 50) * max(0.02, min(1, 1.3 * (1 - done))))
        total += loss.item()
        if (step + 1) % 50 == 0 and team.rank == 0:
            print("step %d %.1f min loss %.3f" % (
                step + 1, (time.time() - start) / 60, total / 50), flush=True)
            total = 0.0
        if (step + 1) % 200 == 0 and team.rank == 0:
            contrast.save(student, work / arguments.out)
    if team.rank == 0:
        contrast.save(student, work / arguments.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--more", help="folder with the further sets")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--teacher", default="base.pt")
    parser.add_argument("--start", help="an earlier student, to go on with; "
                        "its own shape counts")
    parser.add_argument("--out", default="mini.pt")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    team_module.prepare()
    torch.manual_seed(3)
    teacher = contrast.load(work / arguments.teacher).eval()
    if arguments.start:
        student = contrast.load(work / arguments.start)
    else:
        student = contrast.Model(bert.Shape(
            teacher.encoder.shape.vocabulary, arguments.layers,
            arguments.hidden, arguments.heads, 4 * arguments.hidden))
        start_from_teacher(student, teacher)
    team = team_module.Team(arguments.workers)
    team.share(student)
    team.run(train, student, teacher, arguments, work)


if __name__ == "__main__":
    main()
