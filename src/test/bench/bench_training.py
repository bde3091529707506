#!/usr/bin/python3
"""bench_training.py - how good and how fast trained models are.

    bench_training.py [--data ../shared/data] [--only NAME,...] [--quick]
                      [--module sqlite_ext/insitu.so]

Trains in SQL, through the SQLite extension, and evaluates on rows that no
training saw: eval_accuracy over classify and predict_label.  One table on
standard output and in build/bench/training.md.  Data sets are not part of the
repository: tasks whose files are missing are left out and named.  Peers for
numbers are logistic regression and a small network of scikit-learn, on the
same rows and folds, where python3-sklearn is installed.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import csv
import json
import os
import random
import sqlite3
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, '..', '..', '..'))
OUT = os.path.join(ROOT, 'build', 'bench')
ENCODER = 'insitu-mini-en'
sys.path.insert(0, HERE)
from bench_sql import describe_machine  # noqa: E402


# --- data -------------------------------------------------------------------

def read_banking(folder, part):
    with open(os.path.join(folder, 'banking77', part + '.csv'), newline='',
              encoding='utf-8') as file:
        return [(row['text'], row['category'])
                for row in csv.DictReader(file)]


def read_clinc(folder, part):
    with open(os.path.join(folder, 'clinc150', 'data_full.json'),
              encoding='utf-8') as file:
        return [tuple(row) for row in json.load(file)[part]]


def read_sst(folder, part):
    with open(os.path.join(folder, 'sst2', 'stsa.binary.' + part),
              encoding='utf-8') as file:
        return [(line[2:].strip(), 'positive' if line[0] == '1'
                 else 'negative') for line in file if line.strip()]


def number_or_text(field):
    field = field.strip()
    if field in ('?', ''):
        return None
    try:
        return float(field)
    except ValueError:
        return field


def read_table(folder, name, skip=0, label=None):
    """[({feature: number or text}, label)]; the label is the last column."""
    with open(os.path.join(folder, 'tabular', name), newline='',
              encoding='utf-8') as file:
        lines = [line for line in csv.reader(file) if line][skip:]
    return [({'f%02d' % i: number_or_text(field)
              for i, field in enumerate(line[:-1], 1)},
             label(line[-1].strip()) if label else line[-1].strip())
            for line in lines]


TABLES = {
    'adult': lambda folder: read_table(folder, 'adult-train.csv'),
    'heart': lambda folder: read_table(
        folder, 'heart_processed.cleveland.data', 1,
        lambda text: 'sick' if float(text) > 0 else 'well'),
    'german credit': lambda folder: read_table(folder, 'german.csv'),
    'pima': lambda folder: read_table(folder, 'pima-indians-diabetes.csv'),
    'iris': lambda folder: read_table(folder, 'iris.csv'),
    'wine': lambda folder: read_table(folder, 'wine.csv'),
    'breast cancer': lambda folder: read_table(
        folder, 'breast-cancer-wisconsin.csv'),
}


def take_few(rows, count, seed):
    """count rows of each label."""
    shuffled = rows[:]
    random.Random(seed).shuffle(shuffled)
    taken = {}
    for text, label in shuffled:
        taken.setdefault(label, [])
        if len(taken[label]) < count:
            taken[label].append((text, label))
    return [row for rows in taken.values() for row in rows]


# --- training ---------------------------------------------------------------

class Trainer:
    """A database with the extension, and what was measured in it."""

    def __init__(self, module):
        self.db = sqlite3.connect(':memory:')
        self.db.enable_load_extension(True)
        self.db.load_extension(module)
        self.models = 0

    def one(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchone()[0]

    def fill(self, table, rows):
        self.db.execute('DROP TABLE IF EXISTS ' + table)
        self.db.execute('CREATE TABLE %s(input, label)' % table)
        self.db.executemany('INSERT INTO %s VALUES (?, ?)' % table, rows)

    def train(self, call, train, test, predict='classify(input, ?1)'):
        """(accuracy, seconds of training)"""
        self.fill('train', train)
        self.fill('test', test)
        self.models += 1
        name = 'm%d' % self.models
        start = time.monotonic()
        self.one('SELECT model_register(?, %s) FROM train' % call, name)
        seconds = time.monotonic() - start
        accuracy = self.one('SELECT eval_accuracy(%s, label) FROM test'
                            % predict, name)
        self.one('SELECT model_drop(?)', name)
        return accuracy, seconds

    def embedding_seconds(self, rows):
        """What a training over frozen embeddings spends before it fits."""
        self.fill('train', rows)
        self.one("SELECT insitu_setting('memo_size', 0)")
        start = time.monotonic()
        self.one('SELECT count(embedding) FROM embed_batch('
                 '(SELECT json_group_array(input) FROM train))')
        return time.monotonic() - start


def text_tasks(folder, quick):
    """[(name, call, train, test, wanted)]"""
    frozen = "train_classifier(input, label)"
    network = "train_classifier(input, label, '{\"head\": \"network\"}')"
    tuned = "fine_tune_classifier(input, label, '%s')" % ENCODER
    banking = read_banking(folder, 'train'), read_banking(folder, 'test')
    few = take_few(banking[0], 10, 1)
    tasks = [
        ('frozen: Banking77', frozen, *banking, 0.85),
        ('frozen: Banking77, 10 per intent', frozen, few, banking[1], 0.60),
    ]
    if quick:
        return tasks
    sst = read_sst(folder, 'train'), read_sst(folder, 'dev')
    clinc = read_clinc(folder, 'train'), read_clinc(folder, 'val')
    return tasks + [
        ('frozen, network: Banking77', network, *banking, None),
        ('frozen: CLINC150', frozen, *clinc, None),
        ('frozen: SST-2', frozen, *sst, None),
        ('fine-tuned: Banking77', tuned, *banking, 0.90),
        ('fine-tuned: Banking77, 10 per intent', tuned, few, banking[1], None),
        ('fine-tuned: CLINC150', tuned, *clinc, None),
        ('fine-tuned: SST-2', tuned, *sst, 0.80),
    ]


def run_text(trainer, folder, only, quick):
    rows = [['task', 'training rows', 'accuracy', 'wanted', 'seconds']]
    for name, call, train, test, wanted in text_tasks(folder, quick):
        if only and not any(word in name for word in only):
            continue
        accuracy, seconds = trainer.train(call, train, test)
        rows.append([name, str(len(train)), '%.4f' % accuracy,
                     '%.2f' % wanted if wanted else '', '%.0f' % seconds])
        print('# %s: %.4f in %.0f s' % (name, accuracy, seconds), flush=True)
        if name == 'frozen: Banking77':
            rows.append(['of it embedding', str(len(train)), '', '',
                         '%.0f' % trainer.embedding_seconds(train)])
    return rows


# --- numbers ----------------------------------------------------------------

def one_hot(rows):
    """Features of the peers: standardised numbers, a column per text."""
    import numpy
    names = sorted({'%s=%s' % (key, value) if isinstance(value, str) else key
                    for features, _ in rows for key, value in features.items()
                    if value is not None})
    place = {name: i for i, name in enumerate(names)}
    matrix = numpy.full((len(rows), len(names)), numpy.nan)
    for i, (features, _) in enumerate(rows):
        for key, value in features.items():
            if value is None:
                continue
            if isinstance(value, str):
                matrix[i, place['%s=%s' % (key, value)]] = 1
            else:
                matrix[i, place[key]] = value
    texts = [i for i, name in enumerate(names) if '=' in name]
    part = matrix[:, texts]
    part[numpy.isnan(part)] = 0
    matrix[:, texts] = part
    return matrix


def peer_accuracies(rows, folds):
    """{name: accuracy} of scikit-learn on the same folds; {} without it."""
    try:
        import numpy
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegressionCV
        from sklearn.neural_network import MLPClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        return {}
    makers = {
        'logistic': lambda: LogisticRegressionCV(Cs=5, cv=3, max_iter=2000),
        'network': lambda: MLPClassifier((16,), alpha=0.1, max_iter=1000,
                                         random_state=1),
    }
    matrix = one_hot(rows)
    labels = numpy.array([label for _, label in rows])
    found = {}
    for name, make in makers.items():
        hits = 0
        for test in folds:
            train = numpy.setdiff1d(numpy.arange(len(rows)), test)
            peer = make_pipeline(SimpleImputer(), StandardScaler(), make())
            peer.fit(matrix[train], labels[train])
            hits += (peer.predict(matrix[test]) == labels[test]).sum()
        found[name] = hits / len(rows)
    return found


def run_tables(trainer, folder, only, quick):
    rows = [['table, 5 folds', 'rows', 'logistic', 'network', 'auto',
             'scikit-learn logistic', 'scikit-learn network', 'seconds']]
    for name, read in TABLES.items():
        if (only and name not in only) or (quick and name == 'adult'):
            continue
        data = read(folder)
        order = list(range(len(data)))
        random.Random(1).shuffle(order)
        folds = [order[i::5] for i in range(5)]
        line, total = [], 0
        for head in ('logistic', 'network', 'auto'):
            hits = 0
            for test in folds:
                held = set(test)
                pack = [(json.dumps(features), label)
                        for features, label in data]
                accuracy, seconds = trainer.train(
                    "train_tabular(label, input, '{\"head\": \"%s\"}')" % head,
                    [row for i, row in enumerate(pack) if i not in held],
                    [pack[i] for i in test], 'predict_label(?1, input)')
                hits += accuracy * len(test)
                total += seconds
            line.append('%.4f' % (hits / len(data)))
        peers = peer_accuracies(data, folds)
        rows.append([name, str(len(data)), *line] +
                    ['%.4f' % peers[peer] if peers else 'not installed'
                     for peer in ('logistic', 'network')] + ['%.1f' % total])
        print('# %s' % ' '.join(rows[-1]), flush=True)
    return rows


def print_table(rows, file):
    for i, row in enumerate(rows):
        line = '| %s |' % ' | '.join(row)
        print(line)
        print(line, file=file)
        if i == 0:
            print('|%s' % ('---|' * len(row)), file=file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', default=os.path.join(ROOT, '..', 'shared',
                                                       'data'))
    parser.add_argument('--module', default=os.path.join(
        ROOT, 'sqlite_ext', 'insitu.so'))
    parser.add_argument('--only', default='')
    parser.add_argument('--quick', action='store_true')
    arguments = parser.parse_args()
    only = [word for word in arguments.only.split(',') if word]
    if not os.path.isdir(arguments.data):
        print('# %s is not there: nothing was measured' % arguments.data)
        return
    os.makedirs(OUT, exist_ok=True)
    trainer = Trainer(arguments.module)
    with open(os.path.join(OUT, 'training.md'), 'w', encoding='utf-8') as file:
        for line in describe_machine()[:-1]:
            print(line)
            print(line, file=file)
        print('', file=file, flush=True)
        print_table(run_text(trainer, arguments.data, only, arguments.quick),
                    file)
        print('', file=file)
        print_table(run_tables(trainer, arguments.data, only,
                               arguments.quick), file)


if __name__ == '__main__':
    main()
