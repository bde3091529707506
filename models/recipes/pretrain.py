"""pretrain.py - step 3: masked language modelling.

Devlin et al. (2018), section 3.1, with three savings: the words start from
their neighbours' statistics (word_vectors.py), only the masked places go
through the last layer, and the network starts with half of its layers, which
are doubled on the way (Gong et al., 2019).  Goes on where it was stopped.

With --encoder an encoder that has learnt more since then reads on: embeddings
that were taught for long lose the words, and get them back within minutes.
"""

import cpu  # noqa: F401  before torch

import argparse
import json
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

import bert
import loop
import optimizer
import team as team_module
import wordpiece

TOKENS = 16384
MICRO = 2048
MASKED = 0.2
# Rows of these lengths, and how often: every position is learnt.
LENGTHS = [(64, 0.55), (128, 0.35), (256, 0.10)]
STATE = "pretrained.state"
SOURCES = [("encyclopedia", 0.58), ("novels", 0.14), ("requests", 0.14),
           ("opinions", 0.14)]


class Corpus:
    def __init__(self, work, seed, rank):
        self.dice = numpy.random.default_rng([seed, rank])
        # Workers with rows of equal lengths do not wait for each other.
        self.lengths = numpy.random.default_rng(seed)
        self.parts = []
        for name, _ in SOURCES:
            with numpy.load(work / (name + ".npz")) as file:
                self.parts.append((file["ids"], file["sentences"]))
        shares = numpy.array([share if len(ids) > max(LENGTHS)[0] else 0
                              for (_, share), (ids, _) in zip(SOURCES,
                                                              self.parts)])
        self.shares = shares / shares.sum()

    def batch(self, tokens):
        """Rows of one length, each from the beginning of a sentence."""
        length = self.lengths.choice([n for n, _ in LENGTHS],
                                     p=[share for _, share in LENGTHS])
        rows = numpy.empty((tokens // length, length), numpy.int64)
        sources = self.dice.choice(len(SOURCES), len(rows), p=self.shares)
        for row, source in zip(rows, sources):
            ids, sentences = self.parts[source]
            at = sentences[self.dice.integers(len(sentences))]
            at = min(at, len(ids) - length)
            row[0], row[-1] = wordpiece.CLS, wordpiece.SEP
            row[1:-1] = ids[at:at + length - 2]
        return torch.from_numpy(rows)


def mask_tokens(ids, vocabulary):
    """MASKED of each row: 80 % [MASK], 10 % random, 10 % kept.
    Returns the masked rows and the places [rows][count]."""
    count = int(ids.shape[1] * MASKED)
    dice = torch.rand(ids.shape)
    dice[:, 0] = dice[:, -1] = 2
    places = dice.argsort(1)[:, :count].sort(1)[0]
    kind = torch.rand(places.shape)
    was = ids.gather(1, places)
    to = torch.where(kind < 0.8, wordpiece.MASK, was)
    to = torch.where(kind > 0.9, torch.randint(5, vocabulary, was.shape), to)
    return ids.scatter(1, places, to), places


class Model(nn.Module):
    """The encoder and the head that names the masked pieces."""

    def __init__(self, shape):
        super().__init__()
        self.encoder = bert.Encoder(shape)
        self.transform = bert.Linear(shape.hidden, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))

    def forward(self, ids, places):
        states = self.encoder(ids, places)
        states = self.norm(F.gelu(self.transform(states))).flatten(0, 1)
        return bert.product(states, self.encoder.words.weight, self.bias)


def start_from_vectors(model, work):
    known = torch.load(work / "word_vectors.pt")
    with torch.no_grad():
        words = model.encoder.words.weight
        words[5:] = known["vectors"][5:]
        share = (known["frequency"] + 1) / known["frequency"].sum()
        model.bias.copy_(share.log() - share.log().mean())


def doubled(model):
    """The same network with its layers stacked twice."""
    shape = model.encoder.shape
    more = bert.Shape(**{**vars(shape), "layers": 2 * shape.layers})
    deeper = Model(more)
    state = model.state_dict()
    for name, value in list(state.items()):
        if name.startswith("encoder.layers."):
            parts = name.split(".")
            parts[2] = str(int(parts[2]) + shape.layers)
            state[".".join(parts)] = value
    deeper.load_state_dict(state)
    return deeper


def sum_of_losses(model, rows, vocabulary):
    """Gradients of the mean loss of rows, in pieces that fit the caches."""
    masked, places = mask_tokens(rows, vocabulary)
    targets = rows.gather(1, places)
    size, loss = max(1, MICRO // rows.shape[1]), 0.0
    for at in range(0, len(rows), size):
        part = F.cross_entropy(
            model(masked[at:at + size], places[at:at + size]),
            targets[at:at + size].flatten(), reduction="sum")
        (part / targets.numel()).backward()
        loss += part.item() / targets.numel()
    return loss


def train(team, model, arguments, work, state):
    """One stage with one number of layers, until its time is over."""
    torch.manual_seed(100 * state["step"] + team.rank)
    vocabulary = model.encoder.shape.vocabulary
    optimizers = optimizer.build(model, arguments.rate,
                                 team.mine(model.named_parameters()))
    moments = work / ("%s.moments%d" % (arguments.out, team.rank))
    if state["resumed"] and moments.exists():
        for one, kept in zip(optimizers, torch.load(moments)):
            one.load_state_dict(kept)
    corpus = Corpus(work, state["step"], team.rank)
    stage = 1.0 if state["grown"] else arguments.grow
    spent, step, begun = state["spent"], state["step"], state["begun"]
    total, last = 0.0, time.time()

    def save():
        torch.save([one.state_dict() for one in optimizers],
                   moments.with_suffix(".fresh%d" % team.rank))
        moments.with_suffix(".fresh%d" % team.rank).replace(moments)
        if team.rank == 0:
            loop.keep({"spent": spent, "step": step, "begun": begun,
                       "grown": state["grown"], "kept": state["kept"],
                       "shape": vars(model.encoder.shape),
                       "model": model.state_dict()},
                      work / (arguments.out + ".state"))

    while True:
        # All workers must come to the same end.
        done = team.mean(spent) / (60 * arguments.minutes)
        if done >= stage:
            break
        rate = arguments.rate * min(1, (step - begun + 1) / 60) * \
            max(0.01, min(1, 1.4 * (1 - done)))
        total += sum_of_losses(model, corpus.batch(TOKENS // team.workers),
                               vocabulary)
        team.step(model, optimizers, rate)
        step += 1
        now = time.time()
        spent, last = spent + now - last, now
        if step % 25 == 0:
            if team.rank == 0:
                print("step %d loss %.3f rate %.1e %.1f min" % (
                    step, total / 25, rate, spent / 60), flush=True)
            total = 0.0
        if step % 200 == 0:
            save()
    save()


def reading_on(work, name):
    """The state of a fresh run: the encoder of a file, with the head that an
    earlier run ended with; what else the file has is kept for the end."""
    known, state = torch.load(work / name), torch.load(work / STATE)
    for key, value in known.pop("encoder").items():
        state["model"]["encoder." + key] = value
    return {**state, "shape": known.pop("shape"), "kept": known,
            "spent": 0.0, "begun": state["step"], "resumed": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--grow", type=float, default=0.15,
                        help="share of the time after which layers double")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--encoder", help="base.pt: reads on with it, from "
                        "the head of pretrained.state")
    parser.add_argument("--out", default="pretrained")
    arguments, work = loop.begin(parser, 1)
    vocabulary = len(json.loads((work / "vocabulary.json").read_text()))
    path = work / (arguments.out + ".state")
    if path.exists() or arguments.encoder:
        state = {**torch.load(path), "resumed": True} if path.exists() else \
            reading_on(work, arguments.encoder)
        model = Model(bert.Shape(**state.pop("shape")))
        model.load_state_dict(state.pop("model"))
    else:
        state = {"spent": 0.0, "step": 0, "begun": 0, "resumed": False,
                 "grown": arguments.grow <= 0, "kept": {}}
        layers = arguments.layers if state["grown"] else arguments.layers // 2
        model = Model(bert.Shape(vocabulary, layers, arguments.hidden,
                                 arguments.heads, 4 * arguments.hidden))
        start_from_vectors(model, work)
    while True:
        team = team_module.Team(arguments.workers)
        team.share(model)
        team.run(train, model, arguments, work, state)
        if state["grown"]:
            break
        state = torch.load(path)
        del state["model"], state["shape"]
        state.update(grown=True, begun=state["step"], resumed=False)
        model = doubled(model)
        print("%d layers" % model.encoder.shape.layers, flush=True)
    torch.save({**state["kept"], "shape": vars(model.encoder.shape),
                "encoder": model.encoder.state_dict()},
               work / (arguments.out + ".pt"))


if __name__ == "__main__":
    main()
