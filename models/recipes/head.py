"""head.py - the ten labels of requests over a finished encoder's embeddings.

contrast.py's head has seen a few thousand texts by its end; with the encoder at
rest the best one for all training texts is a matter of a minute.
"""

import cpu  # noqa: F401  before torch

import argparse
import pathlib
import time

import torch
import torch.nn.functional as F
from torch import nn

import contrast
import read_data
import support
import team as team_module
import wordpiece

DECAY = 1e-4


def embed_share(team, model, rows, vectors):
    """Each worker its share of the rows, into shared memory."""
    mine = range(team.rank, len(rows), team.workers)
    with torch.no_grad():
        for at in range(0, len(mine), 512):
            part = mine[at:at + 512]
            found = model.embed([rows[i] for i in part])
            vectors[torch.tensor(part)] = found
    team.barrier.wait()


def embed(model, rows, workers):
    """[rows][hidden] of texts as tokens."""
    vectors = torch.zeros(len(rows), model.encoder.shape.hidden).share_memory_()
    team_module.Team(workers).run(embed_share, model, rows, vectors)
    return vectors


def fit(vectors, labels):
    head = nn.Linear(vectors.shape[1], len(read_data.LABELS))
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200,
                                  line_search_fn="strong_wolfe")
    counts = torch.bincount(labels, minlength=len(read_data.LABELS)).float()
    weights = (counts.sum() / counts).sqrt()

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy(head(vectors * contrast.HEAD_SCALE), labels,
                                weights / weights.mean())
        value = value + DECAY * head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    print("loss %.4f" % float(loss()))
    return head


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default="base.pt")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    team_module.prepare()
    torch.manual_seed(6)
    start = time.time()
    model = contrast.load(work / arguments.model).eval()
    tokenizer = wordpiece.read(work)
    rows = support.different(arguments.data)
    vectors = embed(model, [tokenizer.encode(text, 128) for text, _ in rows],
                    arguments.workers)
    print("%d texts, %.0f s" % (len(rows), time.time() - start), flush=True)
    model.tickets = fit(vectors, torch.tensor([label for _, label in rows]))
    contrast.save(model, work / arguments.model)


if __name__ == "__main__":
    main()
