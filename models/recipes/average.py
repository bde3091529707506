"""average.py - the mean of the weights of one encoder's descendants.

    average.py base_1.pt base_2.pt --out base.pt [--shares 0.6 0.4]

Trainings that began at one state and went different ways end in one basin, and
between them lies a better encoder than either (Wortsman et al., 2022).
"""

import cpu  # noqa: F401  before torch

import argparse
import pathlib

import torch


def mean(states, shares):
    return {key: sum(share * state[key]
                     for share, state in zip(shares, states))
            for key in states[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="+")
    parser.add_argument("--shares", nargs="+", type=float)
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--out", default="base.pt")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    known = [torch.load(work / name) for name in arguments.states]
    shares = arguments.shares or [1 / len(known)] * len(known)
    if len(shares) != len(known) or abs(sum(shares) - 1) > 1e-6:
        parser.error("one share per state is needed, 1 in all")
    whole = dict(known[0])
    for part in ("encoder", "tickets", "opinion"):
        whole[part] = mean([one[part] for one in known], shares)
    torch.save(whole, work / arguments.out)


if __name__ == "__main__":
    main()
