#!/usr/bin/python3
"""make_evaluation_fixture.py - what scikit-learn says about predictions.

    make_evaluation_fixture.py [file]  (default: fixtures/evaluation.json)

Needs python3-sklearn.  Writes pairs of labels with accuracy, averages, figures
per label and confusion matrix of scikit-learn (zero_division=0), and scores
with its calibration curve and Brier loss; the calibration errors are computed
here by their definition (Guo et al. 2017).

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import random
import sys

import numpy
from sklearn.calibration import calibration_curve
from sklearn.metrics import (accuracy_score, brier_score_loss,
                             confusion_matrix,
                             precision_recall_fscore_support)

HERE = os.path.dirname(os.path.realpath(__file__))
AVERAGES = ('macro', 'micro', 'weighted')
UNICODE = ['', ' ', 'Ärger', 'angst', 'été', 'Ω', '日本語', '🙂', 'שלום',
           '"quoted"', 'back\\slash', 'line\nend', 'tab\there', '\u0001']


def draw(source, labels, count, accuracy, spread=None):
    """Pairs (predicted, actual) of which about so many are right."""
    pairs = []
    for _ in range(count):
        actual = source.choice(labels)
        right = source.random() < accuracy
        pairs.append([actual if right else source.choice(spread or labels),
                      actual])
    return pairs


def cases():
    source = random.Random(20)
    many = ['label %d' % i for i in range(230)]
    yield 'one row', [['a', 'a']]
    yield 'one wrong row', [['a', 'b']]
    yield 'nothing is right', [['b', 'a'], ['c', 'b'], ['a', 'c']] * 3
    yield 'two labels', draw(source, ['no', 'yes'], 101, 0.8)
    yield 'ten labels', draw(source, list('abcdefghij'), 400, 0.6)
    yield 'classes that are never predicted', draw(
        source, list('abcdef'), 120, 0.3, ['a', 'b'])
    yield 'classes that never occur', draw(
        source, ['a', 'b'], 120, 0.5, list('abcdef'))
    yield 'one class only', [['a', 'a']] * 7
    yield 'rare classes', draw(source, ['x'] * 200 + ['y', 'z'], 700, 0.97,
                               ['x', 'y', 'z'])
    yield 'labels of other scripts', draw(source, UNICODE, 300, 0.7)
    yield 'more labels than a matrix has', draw(source, many, 600, 0.5)


def figures(values):
    return dict(zip(('precision', 'recall', 'f1', 'support'),
                    [float(value) for value in values if value is not None]))


def describe(name, pairs):
    # Labels sorted by their bytes, as ours are.
    labels = sorted({label for pair in pairs for label in pair},
                    key=lambda label: label.encode())
    numbers = {label: i for i, label in enumerate(labels)}
    predicted = [numbers[pair[0]] for pair in pairs]
    actual = [numbers[pair[1]] for pair in pairs]
    every = list(range(len(labels)))
    by_label = precision_recall_fscore_support(
        actual, predicted, labels=every, zero_division=0)
    expected = {
        'accuracy': float(accuracy_score(actual, predicted)),
        'labels': {label: figures([column[i] for column in by_label])
                   for i, label in enumerate(labels)},
        'confusion': confusion_matrix(actual, predicted,
                                      labels=every).tolist(),
    }
    for average in AVERAGES:
        expected[average] = figures(precision_recall_fscore_support(
            actual, predicted, average=average, zero_division=0))
    if len(labels) > 200:
        del expected['confusion']
    return {'name': name, 'labels': labels,
            'pairs': list(zip(predicted, actual)), 'expected': expected}


def calibration(name, scores, hits):
    scores, hits = numpy.array(scores), numpy.array(hits)
    rates, means = calibration_curve(hits, scores, n_bins=10)
    counts = numpy.histogram(scores, bins=10, range=(0, 1))[0]
    counts = counts[counts > 0]
    gaps = numpy.abs(rates - means)
    return {'name': name, 'scores': scores.tolist(), 'hits': hits.tolist(),
            'expected': {
                'accuracy': float(hits.mean()),
                'mean_score': float(scores.mean()),
                'brier': float(brier_score_loss(hits, scores)),
                'ece': float((gaps * counts).sum() / len(scores)),
                'mce': float(gaps.max()),
                'bins': [list(map(float, row))
                         for row in zip(counts, means, rates)]}}


def calibrations():
    source = random.Random(21)
    scores = [source.random() for _ in range(500)]
    yield calibration('calibrated', scores,
                      [int(source.random() < score) for score in scores])
    scores = [0.5 + source.random() / 2 for _ in range(300)]
    yield calibration('sure of itself', scores,
                      [int(source.random() < score - 0.2)
                       for score in scores])
    yield calibration('ends', [0.0, 1.0, 0.0, 1.0, 1.0], [0, 1, 1, 1, 0])


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        HERE, 'fixtures', 'evaluation.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump({'labels': [describe(*case) for case in cases()],
                   'scores': list(calibrations())}, file,
                  ensure_ascii=False, separators=(',', ':'))
        file.write('\n')


if __name__ == '__main__':
    main()
