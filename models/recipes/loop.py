"""loop.py - what steps 4 to 7 share: options, losses of a batch, a step, a word
of how it goes, the weights kept now and then; and step 3, how they begin."""

import argparse
import pathlib
import time

import torch

import optimizer
import team as team_module


def parser(description, minutes, rate, seed):
    """The options that these steps have all, with a step's own defaults."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--data", default="../shared/data")
    options.add_argument("--more", help="folder with the further sets")
    options.add_argument("--work", default="build/model")
    options.add_argument("--minutes", type=float, default=minutes)
    options.add_argument("--rate", type=float, default=rate)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--seed", type=int, default=seed)
    return options


def begin(parser, seed):
    """The options, and the folder --work.  seed: of what is drawn before the
    workers draw for themselves."""
    arguments = parser.parse_args()
    team_module.prepare()
    torch.manual_seed(seed)
    return arguments, pathlib.Path(arguments.work)


def keep(state, path):
    """Whoever is stopped while it writes leaves the file as it was."""
    fresh = path.with_suffix(".fresh")
    torch.save(state, fresh)
    fresh.replace(path)


def train(team, model, batch_losses, fall, arguments, save,
          build=optimizer.build):
    """batch_losses(step): {name: loss} of this worker's batch, whose sum is
    learnt.  The rate is arguments.rate, less at the beginning and, in the end,
    nearly nothing: fall times as steeply as if it fell from the start.
    build: makes the optimizers of a worker's share of the weights that are
    learnt."""
    learnt = [(name, p) for name, p in model.named_parameters()
              if p.requires_grad]
    optimizers = build(model, arguments.rate, team.mine(learnt))
    start, sums = time.time(), {}
    for step, done in team.steps(arguments.minutes):
        losses = batch_losses(step)
        sum(losses.values()).backward()
        team.step(model, optimizers, arguments.rate *
                  min(1, (step + 1) / 50) *
                  max(0.02, min(1, fall * (1 - done))))
        for name, value in losses.items():
            sums.setdefault(name, []).append(value.item())
        if (step + 1) % 50 == 0 and team.rank == 0:
            print("step %d %.1f min %s" % (
                step + 1, (time.time() - start) / 60, " ".join(
                    "%s %.4f" % (name, sum(values) / len(values))
                    for name, values in sorted(sums.items()))), flush=True)
            sums = {}
        if (step + 1) % 100 == 0 and team.rank == 0:
            save()
    if team.rank == 0:
        save()
