#!/usr/bin/python3
"""bench_banking.py - what training costs and gives on BANKING77.

    bench_banking.py FOLDER [METHOD [OPTIONS]]     all rows
    bench_banking.py --per-label 10 FOLDER ...     the first 10 rows per label
    bench_banking.py --rows 1000 FOLDER ...        the first 1000 rows

FOLDER has train.csv and test.csv with the columns text and category.  The
encoder is the shipped model's pack; make sqlite builds it.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import collections
import csv
import os
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..',
                                     '..'))
PROGRAM = os.path.join(ROOT, 'build', 'bench_train')
PACK = os.path.join(ROOT, 'build', 'insitu-router-v1.pack')


def write_lines(source, target, per_label=0, most=0):
    seen = collections.Counter()
    rows = 0
    with open(source, encoding='utf-8', newline='') as file, \
            open(target, 'w', encoding='utf-8') as out:
        for row in csv.DictReader(file):
            label = row['category']
            seen[label] += 1
            if (per_label and seen[label] > per_label) or \
                    (most and rows == most):
                continue
            rows += 1
            out.write('%s\t%s\n' % (label, ' '.join(row['text'].split())))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--per-label', type=int, default=0)
    parser.add_argument('--rows', type=int, default=0)
    parser.add_argument('--pack', default=PACK)
    parser.add_argument('folder')
    parser.add_argument('rest', nargs='*')
    options = parser.parse_args()
    subprocess.check_call(['make', '--no-print-directory', '-s', '-C', ROOT,
                           'build/bench_train'])
    with tempfile.TemporaryDirectory() as scratch:
        train = os.path.join(scratch, 'train.tsv')
        test = os.path.join(scratch, 'test.tsv')
        write_lines(os.path.join(options.folder, 'train.csv'), train,
                    options.per_label, options.rows)
        write_lines(os.path.join(options.folder, 'test.csv'), test)
        return subprocess.call([PROGRAM, options.pack, train, test] +
                               options.rest)


if __name__ == '__main__':
    sys.exit(main())
