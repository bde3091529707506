"""adapter.py - step 7: a task as small changes of an encoder.

Low-rank changes of every matrix (Hu et al., 2021) and a head over the
embedding; what is saved is a directory as the library PEFT lays it out, a few
hundred kilobytes beside the encoder's many megabytes.
"""

import cpu  # noqa: F401  before torch

import random

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrize

import bert
import contrast
import loop
import tasks
import team as team_module
import wordpiece


class LowRank(nn.Module):
    """W + alpha / rank * B A, for each of the blocks that W is made of."""

    def __init__(self, weight, blocks, rank, alpha):
        super().__init__()
        self.scale = alpha / rank
        rows = weight.shape[0] // blocks
        self.a = nn.ParameterList(nn.Parameter(
            torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
            for _ in range(blocks))
        self.b = nn.ParameterList(nn.Parameter(torch.zeros(rows, rank))
                                  for _ in range(blocks))

    def forward(self, weight):
        return weight + self.scale * torch.cat(
            [b @ a for a, b in zip(self.a, self.b)])


class Model(nn.Module):
    def __init__(self, known, labels, rank, alpha, dropout):
        super().__init__()
        self.base = contrast.Model(bert.Shape(**known["shape"]))
        self.base.encoder.load_state_dict(known["encoder"])
        for p in self.base.parameters():
            p.requires_grad_(False)
        self.base.encoder.dropout.p = dropout
        for layer in self.base.encoder.layers:
            layer.dropout.p = dropout
            for name, blocks in (("qkv", 3), ("out", 1), ("up", 1),
                                 ("down", 1)):
                linear = getattr(layer, name)
                parametrize.register_parametrization(
                    linear, "weight", LowRank(linear.weight, blocks, rank,
                                              alpha), unsafe=True)
        self.classifier = nn.Linear(known["shape"]["hidden"], labels)

    def forward(self, rows):
        with parametrize.cached():
            return self.classifier(self.base.embed(rows) * contrast.HEAD_SCALE)


def adam(model, rate, mine):
    """Its matrices are too thin for steps of equal strength."""
    return [torch.optim.AdamW([p for p in model.parameters() if id(p) in mine],
                              lr=rate, weight_decay=0.01)]


def train(team, model, arguments, work):
    torch.manual_seed(arguments.seed + team.rank)
    dice = random.Random(arguments.seed + team.rank)
    tokenizer = wordpiece.read(work)
    task = tasks.TASKS[arguments.task]
    rows = [(tokenizer.encode(text, task.tokens), label)
            for text, label in task.rows(arguments.data, arguments.more)]
    batches = contrast.forever(rows, arguments.batch // team.workers, dice)

    def losses(_):
        batch = next(batches)
        return {"labels": F.cross_entropy(
            model([ids for ids, _ in batch]),
            torch.tensor([label for _, label in batch]),
            label_smoothing=arguments.smoothing)}

    loop.train(team, model, losses, 1.0, arguments,
               lambda: loop.keep(model.state_dict(),
                                 work / (arguments.task + ".pt")), adam)


def main():
    parser = loop.parser(__doc__, minutes=4, rate=2e-3, seed=90)
    parser.add_argument("--task", required=True, choices=sorted(tasks.TASKS))
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--base", default="base.pt")
    arguments, work = loop.begin(parser, 4)
    known = torch.load(work / arguments.base)
    labels = tasks.TASKS[arguments.task].labels
    model = Model(known, len(labels), arguments.rank, arguments.alpha,
                  arguments.dropout)
    team = team_module.Team(arguments.workers)
    team.share(model)
    team.run(train, model, arguments, work)


if __name__ == "__main__":
    main()
