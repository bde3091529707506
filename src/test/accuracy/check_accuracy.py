#!/usr/bin/python3
"""check_accuracy.py - do 8-bit weights answer as 32-bit floats do?

    check_accuracy.py                 committed rows only (make test)
    check_accuracy.py --data FOLDER   all held-back rows too (make accuracy)

Registers every directory of models/ twice in SQLite, with the option
"weights" f32 and int8, and compares labels and embeddings row by row.  Prints
a TAP line per model and measure, the figures of every set before them.

A model of opinions reads opinions, the others read requests: of a text that
is neither positive nor negative, or no request, two labels are often as good
as equal, and which of them wins says little of the weights.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import glob
import json
import math
import os
import pathlib
import sqlite3
import struct
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__),
                                     '..', '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'models', 'recipes'))
import figures  # noqa: E402
import held_back  # noqa: E402

LIBRARY = os.path.join(ROOT, 'sqlite_ext', 'insitu')
REFERENCE = 'f32'
TESTED = 'int8'
LEAST_EQUAL_LABELS = 0.995
LEAST_MEAN_COSINE = 0.999


class Report:
    """TAP lines, and how many of them are bad."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, good, title):
        self.count += 1
        self.failed += not good
        print('%s %d - accuracy %s' % ('ok' if good else 'not ok',
                                       self.count, title), flush=True)

    def skip(self, title, reason):
        self.count += 1
        print('ok %d - accuracy %s # SKIP %s' % (self.count, title, reason))


def texts_of(sets):
    return {name: [text for text, _ in rows] for name, rows in sets.items()}


def read_requests(data):
    sets = texts_of({'own words': held_back.own_words()})
    if data:
        sets.update(texts_of(held_back.router_sets(data)))
        sets.update(held_back.embedding_sets(data))
    return every_text_once(sets)


def read_opinions(data):
    sets = texts_of({'own words': held_back.own_opinions()})
    if data:
        sets.update(texts_of(held_back.opinion_sets(data)))
    return every_text_once(sets)


def every_text_once(sets):
    seen = set()
    for name, texts in sets.items():
        sets[name] = [text for text in dict.fromkeys(texts)
                      if text not in seen]
        seen.update(sets[name])
    return sets


class Model:
    """A directory, registered once for each kind of weights."""

    def __init__(self, database, folder):
        self.database = database
        self.name = os.path.basename(folder)
        self.digests = {}
        for weights in (REFERENCE, TESTED):
            self.digests[weights], = database.execute(
                'SELECT model_register(?, ?, ?)',
                ('accuracy-' + weights + '-' + self.name, folder,
                 json.dumps({'weights': weights}))).fetchone()
        info, = database.execute('SELECT model_info(?)', (
            'accuracy-' + REFERENCE + '-' + self.name,)).fetchone()
        info = json.loads(info)
        self.tasks = info['tasks']
        self.of_opinions = 'sentiment' in figures.kinds_of(
            info, pathlib.Path(folder))

    def answers(self, weights, text):
        """(label or None, vector or None)"""
        name = 'accuracy-' + weights + '-' + self.name
        label = vector = None
        if 'classify' in self.tasks:
            label, = self.database.execute(
                'SELECT classify(?, ?)', (text, name)).fetchone()
        if 'embed' in self.tasks:
            vector, = self.database.execute(
                'SELECT embed(?, ?)', (text, name)).fetchone()
        return label, vector


def cosine(left, right):
    left, right = (struct.unpack('<%df' % (len(v) // 4), v)
                   for v in (left, right))
    lengths = math.sqrt(math.fsum(a * a for a in left) *
                        math.fsum(b * b for b in right))
    return math.fsum(a * b for a, b in zip(left, right)) / lengths


class Tally:
    """What a set of rows, or all of them, came to."""

    def __init__(self):
        self.rows = self.equal = self.changed = 0
        self.cosines = []

    def add(self, left, right):
        self.rows += 1
        self.equal += left[0] == right[0]
        if left[1] is not None:
            self.changed += left[1] != right[1]
            self.cosines.append(cosine(left[1], right[1]))

    def merge(self, other):
        self.rows += other.rows
        self.equal += other.equal
        self.changed += other.changed
        self.cosines += other.cosines

    def labels(self):
        return 'labels equal %d of %d (%.2f %%)' % (
            self.equal, self.rows, 100 * self.equal / self.rows)

    def vectors(self):
        return 'cosine mean %.6f, min %.6f' % (self.mean(),
                                               min(self.cosines))

    def mean(self):
        return math.fsum(self.cosines) / len(self.cosines)

    def __str__(self):
        return ', '.join(
            [self.labels()] + ([self.vectors()] if self.cosines else []))


def compare(model, sets):
    """The tally of all rows; prints one line per set."""
    total = Tally()
    for name, texts in sets.items():
        part = Tally()
        for text in texts:
            part.add(model.answers(REFERENCE, text),
                     model.answers(TESTED, text))
        print('# %s, %s: %s' % (model.name, name, part), flush=True)
        total.merge(part)
    return total


def check_model(model, sets, report):
    total = compare(model, sets)
    # Two registrations of one thing would agree perfectly.
    report.check(model.digests[REFERENCE] != model.digests[TESTED],
                 '%s: the packs differ' % model.name)
    if 'classify' in model.tasks:
        report.check(total.equal >= LEAST_EQUAL_LABELS * total.rows,
                     '%s: %s' % (model.name, total.labels()))
    if 'embed' in model.tasks:
        report.check(total.changed > total.rows // 2,
                     '%s: %d of %d vectors were computed otherwise' % (
                         model.name, total.changed, total.rows))
        report.check(total.mean() >= LEAST_MEAN_COSINE,
                     '%s: %s' % (model.name, total.vectors()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', help='the folder of models/recipes/README.md')
    options = parser.parse_args()
    report = Report()
    if options.data is not None and not os.path.isdir(options.data):
        report.skip('held-back rows of the data sets',
                    'no folder "%s"' % options.data)
        options.data = None
    folders = sorted(os.path.dirname(path) for path in glob.glob(
        os.path.join(ROOT, 'models', '*', 'config.json')))
    if not folders:
        report.check(False, 'models/ has a model')
    requests = read_requests(options.data)
    opinions = read_opinions(options.data)
    with tempfile.TemporaryDirectory(prefix='insitu-accuracy-') as cache:
        os.environ['XDG_CACHE_HOME'] = cache
        database = sqlite3.connect(':memory:')
        database.enable_load_extension(True)
        database.load_extension(LIBRARY)
        for folder in folders:
            model = Model(database, folder)
            check_model(model, opinions if model.of_opinions else requests,
                        report)
        database.close()
    print('1..%d' % report.count)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
