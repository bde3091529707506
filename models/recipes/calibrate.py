"""calibrate.py - how bold the scores of the ten labels may be.

Finds the temperature (Guo et al., 2017) and what comes off the logit of "other"
that make the requests of tickets_dev.tsv most likely; no set that judges a
model is read.  Prints the options for export.py.
"""

import cpu  # noqa: F401  before torch

import argparse
import pathlib

import torch
import torch.nn.functional as F

import contrast
import held_back
import read_data
import wordpiece


def fit(logits, labels, other):
    log_temperature = torch.zeros(1, requires_grad=True)
    lead = torch.zeros(1, requires_grad=True)
    shift = F.one_hot(torch.tensor(other), logits.shape[1]).float()
    optimizer = torch.optim.LBFGS([log_temperature, lead], max_iter=100)

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy((logits - lead * shift) /
                                log_temperature.exp(), labels)
        value.backward()
        return value

    optimizer.step(loss)
    return float(log_temperature.exp()), float(lead)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["base", "mini"])
    parser.add_argument("--work", default="build/model")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    tokenizer = wordpiece.read(work)
    rows = held_back.development()
    labels = torch.tensor([read_data.LABELS.index(label) for _, label in rows])
    model = contrast.load(work / (arguments.what + ".pt")).eval()
    with torch.no_grad():
        logits = model.tickets(model.embed(
            [tokenizer.encode(text) for text, _ in rows]) * contrast.HEAD_SCALE)
    other = read_data.LABELS.index("other")
    temperature, lead = fit(logits, labels, other)
    print("--temperature %.3f --other-lead %.3f" % (temperature, lead))


if __name__ == "__main__":
    main()
