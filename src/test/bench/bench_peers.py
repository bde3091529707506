#!/usr/bin/python3
"""bench_peers.py - the core and both databases beside other engines.

    bench_peers.py [--rounds 7] [--seconds 0.2] [--minutes 6]
                   [--geometries minilm,bert-base]

QUICK=1: 2 rounds, minilm alone.

Encoders of two geometries (peers_setup.py; random weights, which cost the same
time), each engine in a process that stays alive, on one core (taskset) and on
two.  On two, engines that have threads get two of them; insitu has none by
design and runs as two processes.  Engines take turns within a round, so that a
busy minute hurts all of them; cells are medians.  What runs on one core counts
by the time it had the core (the kernel's schedstat), which is that of the
clock while nothing else runs; threads and workers that share work count by the
clock.  A cell is measured until it has had its time (MOST_SECONDS), a geometry
until it has had --minutes, but at least once.  The tables go to standard output
and to build/bench/table.md, the targets with the ratios reached behind them.

Insitu's and llama.cpp's figures include their tokenizers; onnxruntime and
torch are given ids.  Engines of npm are installed into build/bench; one that
cannot be installed is a row that says so.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

from bench_sql import describe_machine
from peers_engines import CORES, measure_rates, open_engines, open_sqlite
from peers_report import (INSITU, describe_spread, format_targets,
                          list_targets, make_sql_table, make_table)
from peers_setup import (BESIDE_SQL, BUILD, GEOMETRIES, HERE, compile_program,
                         install_packages, make_files, write_cases)
from peers_sql import Postgres, list_statements

sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import Cluster  # noqa: E402

MOST_SECONDS = 6  # of one cell, over all rounds


def measure_peak(program, cores):
    """(int8, f32) in Gop/s, the sum over cores that work at the same time."""
    running = [subprocess.Popen(['taskset', '-c', str(core), program],
                                stdout=subprocess.PIPE) for core in cores]
    rates = [[float(value) for value in process.communicate()[0].split()]
             for process in running]
    return [sum(column) for column in zip(*rates)]


class Measurement:
    def __init__(self, geometry, options, program, peak_program):
        self.geometry = geometry
        self.options = options
        self.peak_program = peak_program
        self.missing = []
        text, self.texts = write_cases(geometry)
        self.alone, self.shared, reference = open_engines(
            geometry, program, self.missing)
        self.sqlite = open_sqlite(geometry, text, reference, self.missing)
        self.rates, self.sql, self.peaks = {}, {}, []
        self.spent, self.waited = {}, []
        self.end = time.monotonic() + 60 * options.minutes

    def list_cells(self):
        """(engine, case), those that are compared close together"""
        for label in self.geometry.cases:
            for engine in self.alone:
                if label != BESIDE_SQL or engine.name == INSITU:
                    yield engine, label
        for label in self.geometry.shared:
            for engine in self.shared:
                yield engine, label

    def has_had_its_time(self, key):
        spent = self.spent.get(key, 0.0)
        return spent > MOST_SECONDS or (spent > 0.0 and
                                        time.monotonic() > self.end)

    def run_cell(self, engine, label):
        key = engine.name, label
        if self.has_had_its_time(key):
            return
        start = time.monotonic()
        command = 'run %d %f' % (self.geometry.cases.index(label),
                                 self.options.seconds)
        answers = measure_rates(engine, command)
        self.spent[key] = self.spent.get(key, 0.0) + time.monotonic() - start
        self.waited += [waited for _, _, waited in answers]
        self.rates.setdefault(key, []).append(sum(
            rate / share for rate, share, _ in answers))

    def run_statement(self, name, statement):
        if self.has_had_its_time(name):
            return
        start = time.monotonic()
        self.sql.setdefault(name, []).append(statement())
        self.spent[name] = self.spent.get(name, 0.0) + time.monotonic() - start

    def run(self, cluster):
        postgres = Postgres(cluster, self.geometry, self.texts)
        for workers in (0, 2):
            print(postgres.explain(postgres.plain(34), 'on', workers))
        statements = list_statements(self.geometry, postgres, self.sqlite)
        for number in range(self.options.rounds):
            self.peaks += [measure_peak(self.peak_program, CORES[:1])
                           for _ in range(3)]
            for engine, label in self.list_cells():
                self.run_cell(engine, label)
            for name, statement in statements.items():
                self.run_statement(name, statement)
            print('# %s: round %d of %d' % (
                self.geometry.name, number + 1, self.options.rounds),
                flush=True)
            if time.monotonic() > self.end:
                break

    def report(self):
        # A peak is lowered by what else runs: the highest.
        peak = [max(column) for column in zip(*self.peaks)]
        cells = list(self.rates.values()) + list(self.sql.values())
        lines = ['', '## ' + self.geometry.title, '',
                 'Peak of one core on registers: int8 %.0f Gop/s, f32 %.0f '
                 'Gop/s.  Rounds: %d.  Lowest to highest round: %s.  Ready '
                 'without a core: %.0f %% of the time.' % (
                     peak[0], peak[1], max(map(len, cells)),
                     describe_spread(cells),
                     100 * statistics.median(self.waited)), '']
        lines += make_table('one core', self.alone, self.geometry.shown,
                            self.rates, True)
        lines += ['| %s | missing: %s |' % entry for entry in self.missing]
        if self.shared:
            lines += [''] + make_table('two cores', self.shared,
                                       self.geometry.shared, self.rates,
                                       False)
        lines += [''] + make_sql_table(self.sql, self.sqlite)
        lines += [''] + format_targets(list_targets(
            self.geometry, self.rates, self.sql, peak))
        return lines + [
            '\nWRONG: %s has cosine %.4f' % (worker.name, worker.cosine)
            for worker in self.alone + self.sqlite
            if worker.cosine is not None and worker.cosine < worker.least]

    def close(self):
        for worker in self.alone + self.shared + self.sqlite:
            worker.close()


def parse_arguments():
    quick = os.environ.get('QUICK', '') not in ('', '0')
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=2 if quick else 7)
    parser.add_argument('--seconds', type=float,
                        default=0.1 if quick else 0.2)
    parser.add_argument('--minutes', type=float, default=1 if quick else 6)
    parser.add_argument('--geometries', default='minilm' if quick else
                        ','.join(entry.name for entry in GEOMETRIES))
    return parser.parse_args()


def main():
    options = parse_arguments()
    os.makedirs(BUILD, exist_ok=True)
    install_packages()
    lines = describe_machine() + [
        '* Medians of up to %d interleaved rounds, %.2f s for each cell of the '
        'tables of engines' % (options.rounds, options.seconds)]
    report = ''
    program, peak_program = map(compile_program, ('core_worker', 'peak'))
    for geometry in GEOMETRIES:
        if geometry.name not in options.geometries.split(','):
            continue
        make_files(geometry)
        with Cluster() as cluster:
            measurement = Measurement(geometry, options, program,
                                      peak_program)
            measurement.run(cluster)
            lines += measurement.report()
            measurement.close()
        report = '\n'.join(lines) + '\n'
        with open(os.path.join(BUILD, 'table.md'), 'w',
                  encoding='utf-8') as file:
            file.write(report)
    print(report)
    sys.exit(1 if 'WRONG' in report else 0)


if __name__ == '__main__':
    main()
