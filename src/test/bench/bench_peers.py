#!/usr/bin/python3
"""bench_peers.py - the core and both databases beside other engines.

    bench_peers.py [--rounds 7] [--seconds 0.2]       QUICK=1: 2 rounds

One encoder of MiniLM's geometry (6 layers, 384 wide, 12 heads, 1536 inner,
30,522 pieces; random weights, which cost the same time), one run, one core
(taskset), each engine in a process that stays alive.  Engines take turns
within a round, so that a busy minute hurts all of them; cells are medians.
The table goes to standard output and to build/bench/table.md, the targets with
the ratios reached behind it.

Insitu's figures include its tokenizer; onnxruntime and torch are given ids.
Engines of npm are installed into build/bench; one that cannot be installed is
a row that says so.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys

from bench_sql import (SQLite, cosine, describe_machine, make_model,
                       read_words, NAME)

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT, Cluster  # noqa: E402

BUILD = os.path.join(ROOT, 'build', 'bench')
MODULES = os.path.join(BUILD, 'node_modules')
PACKAGES = ('onnxruntime-node', 'sqlite-lembed', '@sqliteai/sqlite-ai')
CPU = '1' if os.cpu_count() > 1 else '0'
# name, tokens of the texts, texts per call
CASES = [('1 × %d' % n, [n] * 32, 1) for n in (16, 32, 64, 128, 256)] + [
    ('32 × 32', [32] * 32, 32),
    ('32 × 4..128', [4 + i * 124 // 31 for i in range(32)], 32),
    ('1 × 4..128', [4 + i * 124 // 31 for i in range(32)], 1),
    ('32 × 34', [34] * 32, 32)]
SHOWN = 8  # the last one stands beside PostgreSQL's figure
LINEAR = 6 * (4 * 384 * 384 + 2 * 384 * 1536)  # multiply-adds per token


class Worker:
    """A process that answers each line of standard input with one."""

    def __init__(self, name, command, least, environment=()):
        self.name = name
        self.least = least  # cosine with insitu's f32
        self.version = ''
        self.cosine = None
        self.process = subprocess.Popen(
            ['taskset', '-c', CPU] + command, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=dict(os.environ, OMP_NUM_THREADS='1',
                     OPENBLAS_NUM_THREADS='1', **dict(environment)))

    def ask(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise OSError('%s ended' % self.name)
        answer = json.loads(line)
        if isinstance(answer, dict):
            raise OSError('%s: %s' % (self.name, answer['error'][:120]))
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# --- set-up -----------------------------------------------------------------

def run_quietly(command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)


def install_packages():
    for package in PACKAGES:
        if os.path.isdir(os.path.join(MODULES, package)):
            continue
        try:
            # The scripts of onnxruntime-node fetch libraries for GPUs.
            run_quietly(['npm', 'install', '--silent', '--no-audit',
                         '--no-fund', '--ignore-scripts', '--prefix', BUILD,
                         package], stderr=subprocess.DEVNULL, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            print('# %s: %s' % (package, error))


def compile_program(name):
    multiarch = subprocess.run(['gcc', '-print-multiarch'], check=True,
                               stdout=subprocess.PIPE).stdout.decode().strip()
    core = os.path.join(ROOT, 'src/core')
    out = os.path.join(BUILD, name)
    run_quietly(['gcc', '-std=c11', '-D_GNU_SOURCE', '-O3', '-I' + core,
                 '-I' + os.path.dirname(core), '-o', out,
                 os.path.join(HERE, name + '.c'),
                 os.path.join(ROOT, 'build/libinsitu_store.a'),
                 os.path.join(ROOT, 'build/libinsitu_core.a'),
                 '/usr/lib/%s/openblas-serial/libopenblas.a' % multiarch,
                 '-lutf8proc', '-ljansson', '-lmd', '-lm', '-lpthread'])
    return out


def make_texts(words, lengths, seed):
    """[(ids, text)], all different; [CLS] and [SEP] are two of the tokens."""
    dice = random.Random(seed)
    chosen = [[dice.choice(words) for _ in range(length - 2)]
              for length in lengths]
    return [([2] + [number for number, _ in text] + [3],
             ' '.join(word for _, word in text)) for text in chosen]


def write_cases(words):
    cases = [(make_texts(words, lengths, seed), per_call)
             for seed, (_, lengths, per_call) in enumerate(CASES)]
    with open(os.path.join(BUILD, 'cases.json'), 'w',
              encoding='utf-8') as file:
        json.dump([{'per_call': per_call, 'ids': [ids for ids, _ in texts]}
                   for texts, per_call in cases], file)
    with open(os.path.join(BUILD, 'cases.txt'), 'w',
              encoding='utf-8') as file:
        for texts, per_call in cases:
            file.write('%d %d\n' % (len(texts), per_call))
            file.writelines(text + '\n' for _, text in texts)
    return cases[1][0][0][1]  # the text that embeddings are compared on


def make_files():
    directory = os.path.join(BUILD, 'model')
    if not os.path.exists(os.path.join(directory, 'model.safetensors')):
        make_model(BUILD)
    for weights in ('int8', 'bf16', 'f32'):
        run_quietly([os.path.join(ROOT, 'build/make_pack'), directory,
                     os.path.join(BUILD, weights + '.pack'),
                     '{"weights": "%s"}' % weights])
    return directory


# --- engines ----------------------------------------------------------------

def open_engines(directory, missing):
    """Workers that answer "run CASE SECONDS"."""
    program = compile_program('core_worker')
    engines = [Worker('insitu ' + weights,
                      [program, os.path.join(BUILD, 'cases.txt'),
                       os.path.join(BUILD, weights + '.pack')],
                      0.98 if weights == 'int8' else 0.999)
               for weights in ('int8', 'bf16', 'f32')]
    cases = os.path.join(BUILD, 'cases.json')
    wanted = [('onnxruntime int8', 0.98), ('onnxruntime f32', 0.999),
              ('torch f32', 0.999)]
    try:
        run_quietly(['/usr/bin/python3', os.path.join(HERE, 'make_onnx.py'),
                     directory, BUILD])
    except subprocess.CalledProcessError as error:
        print('# make_onnx.py: %s' % error)
    for name, least in wanted:
        if name.startswith('torch'):
            command = ['/usr/bin/python3',
                       os.path.join(HERE, 'torch_worker.py'), cases,
                       directory]
        else:
            command = ['node', os.path.join(HERE, 'onnx_worker.js'), MODULES,
                       cases, os.path.join(BUILD, 'model-%s.onnx' %
                                           name.split()[1])]
        add_worker(engines, missing, Worker(name, command, least))
    reference = engines[2].ask('embed 1')
    for engine in engines:
        engine.cosine = cosine(engine.ask('embed 1'), reference)
    return engines, reference


def add_worker(workers, missing, worker):
    try:
        worker.version = worker.ask('version')
        workers.append(worker)
    except (OSError, ValueError) as error:
        missing.append((worker.name, str(error)))


def find_library(package, name):
    for path, _, files in os.walk(MODULES):
        if name in files and package in path:
            return os.path.join(path, name)
    raise OSError('the package has no library for this machine')


def open_sqlite_peers(directory, texts, text, reference, missing):
    peers = []
    gguf = os.path.join(BUILD, 'q8_0.gguf')
    path = os.path.join(BUILD, 'texts.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(texts, file)
    for name, package, library, script in (
            ('sqlite-lembed q8_0', 'sqlite-lembed', 'lembed0.so',
             'lembed_worker.py'),
            ('sqlite-ai q8_0', 'sqlite-ai', 'ai.so', 'ai_worker.py')):
        try:
            run_quietly(['/usr/bin/python3', os.path.join(
                HERE, 'make_gguf.py'), directory, gguf, 'q8_0'])
            found = find_library(package, library)
            preload = os.path.join(BUILD, 'one_thread.so')
            run_quietly(['gcc', '-O2', '-shared', '-fPIC', '-o', preload,
                         os.path.join(HERE, 'one_thread.c'), '-ldl'])
            environment = {} if 'ai' in name else {
                'LEMBED_LIBRARY': found, 'LD_PRELOAD': preload}
            if 'lembed' in name:
                found = found[:-3]
            worker = Worker(name, ['/usr/bin/python3',
                                   os.path.join(HERE, script), found, gguf,
                                   path], 0.98, environment.items())
            add_worker(peers, missing, worker)
            worker.cosine = cosine(worker.ask('embed ' + text), reference)
        except (OSError, subprocess.CalledProcessError) as error:
            missing.append((name, str(error)))
    return peers


# --- SQL --------------------------------------------------------------------

class Postgres:
    """Rows per second of SELECT id, embed(body), rows thrown away."""

    def __init__(self, cluster, directory, texts):
        self.cluster = cluster
        source = os.path.join(cluster.directory, 'model')
        shutil.copytree(directory, source)
        self.rows = {}
        statements = ["CREATE EXTENSION insitu;"
                      "SELECT model_register('%s', '%s', "
                      "'{\"weights\": \"int8\"}');" % (NAME, source)]
        for length in sorted({length for length, _ in texts}):
            chosen = [body for n, body in texts if n == length]
            self.rows[length] = len(chosen)
            statements.append(
                'CREATE TABLE t%d (id serial, body text) '
                'WITH (parallel_workers = 2);'
                'INSERT INTO t%d (body) VALUES %s; ANALYZE t%d;' % (
                    length, length,
                    ',\n'.join("('%s')" % body for body in chosen), length))
        cluster.psql('\n'.join(statements))

    def explain(self, length, batch, workers=0):
        return self.cluster.psql(
            'SET jit = off; SET insitu.batch_plans = %s;'
            'SET max_parallel_workers_per_gather = %d;'
            'SET parallel_leader_participation = off;'
            'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;'
            'SET min_parallel_table_scan_size = 0;\n'
            "SELECT array_length(embed('warm', '%s'), 1);\n"
            'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) '
            "SELECT id, embed(body, '%s') FROM t%d;" % (
                batch, workers, NAME, NAME, length))

    def rate(self, length, batch, workers=0):
        output = self.explain(length, batch, workers)
        match = re.search(r'Execution Time: ([\d.]+) ms', output)
        return 1000 * self.rows[length] / float(match.group(1))


def open_statements(sqlite, postgres, peers):
    """name -> function that returns rows per second."""
    statements = {
        'SQLite, insitu int8': lambda: 200 / sqlite.run('alone', 34, 200)}
    for peer in peers:
        statements['SQLite, ' + peer.name] = (
            lambda peer=peer: 12 / peer.ask('run 34 12'))
    for length in (34, 8):
        for batch in ('on', 'off'):
            statements['PostgreSQL, %d tokens, batch_plans %s' % (
                length, batch)] = (
                lambda length=length, batch=batch:
                postgres.rate(length, batch))
    statements['PostgreSQL, 34 tokens, 2 workers'] = (
        lambda: postgres.rate(34, 'on', 2))
    return statements


# --- report -----------------------------------------------------------------

def make_tables(engines, missing, rates, sql, peers):
    shown = CASES[:SHOWN]
    lines = ['| texts/s, one core | ' + ' | '.join(
        case[0] + ' tokens' for case in shown) + ' | cosine |',
        '|---' * (SHOWN + 2) + '|']
    for engine in engines:
        cells = ['%.1f' % statistics.median(rates[engine.name, i])
                 for i in range(SHOWN)]
        lines.append('| %s | %s | %.5f |' % (
            (engine.name + ' ' + engine.version).strip(), ' | '.join(cells),
            engine.cosine))
    lines += ['| %s | missing: %s |' % entry for entry in missing]
    lines += ['', '| SQL | rows/s (lowest–highest) |', '|---|---|']
    for name, values in sql.items():
        lines.append('| %s | %.1f (%.1f–%.1f) |' % (
            name, statistics.median(values), min(values), max(values)))
    lines += ['', 'Cosine of the SQLite peers with insitu f32: ' + ', '.join(
        '%s %s %.5f' % (peer.name, peer.version, peer.cosine)
        for peer in peers) + '.']
    return lines


def ratio_of(above, below):
    """The median of the rounds' ratios: both were measured together."""
    if not above or not below:
        return None
    return statistics.median(a / b for a, b in zip(above, below))


def list_targets(rates, sql, peak):
    """(what, ratio reached or None, wanted)"""
    ours, theirs = 'insitu int8', 'onnxruntime int8'

    def core(case, wanted, left=ours, right=theirs):
        return ('%s, %s / %s' % (CASES[case][0] + ' tokens', left, right),
                ratio_of(rates.get((left, case)), rates.get((right, case))),
                wanted)

    plain = sql.get('PostgreSQL, 34 tokens, batch_plans on')
    peers = [sql[name] for name in sql if 'q8_0' in name]
    fastest = max(peers, key=statistics.median) if peers else None
    linear = 2 * LINEAR * 32 * statistics.median(rates[ours, 1]) / 1e9
    return [
        core(1, 1.5), core(3, 1.4), core(5, 1.4), core(6, 3.0),
        ('32 × 4..128 tokens, insitu int8 / onnxruntime int8 without padding, '
         'one by one', ratio_of(rates[ours, 6], rates.get((theirs, 7))), 1.4),
        core(1, 1.0, 'insitu f32', 'onnxruntime f32'),
        ('SQLite insitu int8 / faster of the q8_0 peers',
         ratio_of(sql['SQLite, insitu int8'], fastest), 7.0),
        ('PostgreSQL plain SELECT / core, 32 × 34 tokens',
         ratio_of(plain, rates[ours, SHOWN]), 0.95),
        ('PostgreSQL, 8 tokens, batch_plans on / off',
         ratio_of(sql['PostgreSQL, 8 tokens, batch_plans on'],
                  sql['PostgreSQL, 8 tokens, batch_plans off']), 1.3),
        ('PostgreSQL, 2 workers / 1 process',
         ratio_of(sql['PostgreSQL, 34 tokens, 2 workers'], plain), 1.8),
        # What a text's products would take at the peak, of all its time.
        ('1 × 32 tokens, products with weights over the whole time / int8 '
         'peak (inside the products alone it is more)',
         linear / peak[0] if peak[0] else None, 0.8)]


def format_targets(targets):
    lines = ['', '| target | reached | wanted | |', '|---|---|---|---|']
    for what, reached, wanted in targets:
        if reached is None:
            lines.append('| %s | – | %.2f | not measured |' % (what, wanted))
        else:
            lines.append('| %s | %.2f | %.2f | %s |' % (
                what, reached, wanted,
                'pass' if reached >= wanted else 'miss'))
    return lines


def measure_peak(program):
    """(int8, f32), the highest: a peak is lowered by what else runs."""
    return [float(value) for value in subprocess.run(
        ['taskset', '-c', CPU, program], check=True,
        stdout=subprocess.PIPE).stdout.split()]


def measure(engines, statements, rounds, seconds, program):
    rates, sql, peaks = {}, {}, []
    for number in range(rounds):
        peaks += [measure_peak(program) for _ in range(3)]
        for case in range(len(CASES)):
            for engine in engines:
                if case >= SHOWN and engine.name != 'insitu int8':
                    continue
                rates.setdefault((engine.name, case), []).append(
                    engine.ask('run %d %f' % (case, seconds)))
        for name, statement in statements.items():
            sql.setdefault(name, []).append(statement())
        print('# round %d of %d' % (number + 1, rounds), flush=True)
    return rates, sql, [max(column) for column in zip(*peaks)]


def measure_all(options, directory, words, cluster):
    missing = []
    facts = describe_machine()
    text = write_cases(words)
    peak_program = compile_program('peak')
    texts = [(length, body) for length, rows in ((34, 1024), (8, 2048))
             for _, body in make_texts(words, [length] * rows, length)]
    engines, reference = open_engines(directory, missing)
    peers = open_sqlite_peers(directory, texts, text, reference, missing)
    # What this process runs, and what it starts from here, keeps to its core.
    postgres = Postgres(cluster, directory, texts)
    os.sched_setaffinity(0, {int(CPU)})
    sqlite = SQLite(directory, texts)
    os.sched_setaffinity(0, range(os.cpu_count()))
    print(postgres.explain(34, 'on'))
    print(postgres.explain(34, 'on', 2))
    statements = open_statements(sqlite, postgres, peers)
    rates, sql, peak = measure(engines, statements, options.rounds,
                               options.seconds, peak_program)
    lines = facts + [
        '* Medians of %d interleaved rounds, %.2f s for each cell of the first '
        'table' % (options.rounds, options.seconds),
        '* Peak of one core on registers: int8 %.0f Gop/s, f32 %.0f Gop/s'
        % tuple(peak), '']
    lines += make_tables(engines, missing, rates, sql, peers)
    lines += format_targets(list_targets(rates, sql, peak))
    for worker in engines + peers:
        if worker.cosine < worker.least:
            lines.append('\nWRONG: %s has cosine %.4f' % (worker.name,
                                                         worker.cosine))
        worker.close()
    return '\n'.join(lines) + '\n'


def main():
    quick = os.environ.get('QUICK', '') not in ('', '0')
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=2 if quick else 7)
    parser.add_argument('--seconds', type=float,
                        default=0.1 if quick else 0.2)
    options = parser.parse_args()
    os.makedirs(BUILD, exist_ok=True)
    install_packages()
    directory = make_files()
    known = set(read_words(directory))
    with open(os.path.join(directory, 'vocab.txt'),
              encoding='utf-8') as file:
        words = [(number, word) for number, word in
                 enumerate(file.read().split('\n')) if word in known]
    with Cluster() as cluster:
        report = measure_all(options, directory, words, cluster)
    print(report)
    with open(os.path.join(BUILD, 'table.md'), 'w',
              encoding='utf-8') as file:
        file.write(report)
    sys.exit(1 if 'WRONG' in report else 0)


if __name__ == '__main__':
    main()
