"""word_vectors.py - step 2: what a piece's neighbours say about it.

Counts which pieces stand near each other, takes the positive pointwise mutual
information and its strongest dimensions (Levy, Goldberg and Dagan, 2015).  A
minute of arithmetic that spares the encoder the millions of tokens it would
need to find the same by gradient steps.
"""

import cpu  # noqa: F401  before torch

import argparse
import json
import pathlib
import time

import numpy
import torch

WINDOW = 8
SMOOTHING = 0.75
SPREAD = 0.04
WEIGHTS = {"encyclopedia": 1.0, "novels": 1.0, "requests": 5.0}


def count_neighbours(ids, size, weight, total):
    """Adds weight / distance for each pair of pieces within WINDOW."""
    for distance in range(1, WINDOW + 1):
        pairs = ids[:-distance].astype(numpy.int64)
        pairs *= size
        pairs += ids[distance:]
        counts = numpy.bincount(pairs, minlength=size * size)
        total += torch.from_numpy(counts).float() * (weight / distance)
        del pairs, counts


def positive_information(counts):
    """Positive pointwise mutual information, in place."""
    counts += counts.t().clone()
    rows = counts.sum(1)
    context = rows.clamp(min=1e-9) ** SMOOTHING
    context /= context.sum()
    counts /= rows.clamp(min=1e-9)[:, None]
    counts /= context[None, :]
    return counts.clamp_(min=1.0).log_()


def strongest(matrix, dimensions, rounds=5, extra=64):
    """Vectors whose dot products come near the symmetric part of matrix."""
    basis = torch.randn(matrix.shape[0], dimensions + extra)
    for _ in range(rounds):
        basis = matrix @ (matrix.t() @ torch.linalg.qr(basis)[0])
    basis = torch.linalg.qr(basis)[0]
    small = basis.t() @ (matrix @ basis)
    values, inner = torch.linalg.eigh((small + small.t()) / 2)
    values, order = values.sort(descending=True)
    vectors = (basis @ inner[:, order])[:, :dimensions]
    return vectors * values[:dimensions].clamp(min=0).sqrt()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--dimensions", type=int, default=384)
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    torch.manual_seed(1)
    start = time.time()
    size = len(json.loads((work / "vocabulary.json").read_text()))
    total = torch.zeros(size * size)
    frequency = torch.zeros(size)
    for name, weight in WEIGHTS.items():
        ids = numpy.load(work / (name + ".npz"))["ids"]
        count_neighbours(ids, size, weight, total)
        frequency += weight * torch.from_numpy(
            numpy.bincount(ids, minlength=size)).float()
        print("%s: %d tokens, %.0f s" % (name, len(ids), time.time() - start),
              flush=True)
    matrix = positive_information(total.view(size, size))
    vectors = strongest(matrix, arguments.dimensions)
    vectors *= SPREAD / vectors.std()
    torch.save({"vectors": vectors, "frequency": frequency},
               work / "word_vectors.pt")
    print("%.0f s" % (time.time() - start))


if __name__ == "__main__":
    main()
