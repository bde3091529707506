#!/usr/bin/python3
"""make_models.py - the models that the documents' examples register.

    make_models.py folder

Writes Hugging Face directories with seeded random weights: folder/sentiment,
a classifier with the labels negative and positive, folder/encoder, a sentence
encoder, folder/tickets, an adapter of it, and folder/tickets-merged, what the
adapter makes of it.  Their answers mean nothing.  Beside them come the models
that ship.

SPDX-License-Identifier: PostgreSQL
"""
import glob
import os
import shutil
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../../..')
sys.path.insert(0, os.path.join(ROOT, 'sqlite_ext/test'))
import tiny_models  # noqa: E402


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    tiny_models.make_classifier(os.path.join(folder, 'sentiment'), seed=1,
                                labels=('negative', 'positive'))
    tiny_models.make_classifier(os.path.join(folder, 'sentiment-2'), seed=3,
                                labels=('negative', 'positive'))
    encoder = os.path.join(folder, 'encoder')
    tickets = os.path.join(folder, 'tickets')
    tiny_models.make_embedder(encoder, seed=2)
    tiny_models.make_adapter(tickets, '../encoder', seed=5,
                             labels=('billing', 'delivery', 'other'))
    tiny_models.merge_adapter(tickets + '-merged', encoder, tickets)
    for path in glob.glob(os.path.join(ROOT, 'models', 'insitu-*')):
        shutil.copytree(path, os.path.join(folder, os.path.basename(path)))


if __name__ == '__main__':
    main()
