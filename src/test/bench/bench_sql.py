#!/usr/bin/python3
"""bench_sql.py - rows per second of embed() in SQL, on both databases.

    bench_sql.py [--rounds 5] [--lengths 16,32,64,128] [--model directory]
                 [--out table.md] [--no-lembed]

Runs an encoder of MiniLM's geometry (6 layers, 384 wide, 1536 inner, 30,522
pieces; random weights, which cost the same time) over texts of n tokens, one
row at a time and in batches, and beside it npm's sqlite-lembed with the same
weights in a GGUF file, as it ships and held to one thread as we are.  The
contenders take turns within each round, so that a busy minute hurts all of
them; the table has medians, and the lowest and highest round as a spread.
npm's package goes to a temporary folder.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import datetime
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT, Cluster  # noqa: E402

ROWS = {16: 128, 32: 96, 64: 64, 128: 32}
# A contender this slow gets fewer rows, at least two.
MAX_SECONDS = 4.0
NAME = 'bench-minilm'


def rows_of(length):
    return ROWS.get(length, max(8, 4096 // length))


# --- texts ------------------------------------------------------------------

def read_words(directory):
    """Words that are one piece each."""
    path = os.path.join(directory, 'vocab.txt')
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            pieces = file.read().split('\n')
    else:
        with open(os.path.join(directory, 'tokenizer.json'),
                  encoding='utf-8') as file:
            pieces = list(json.load(file)['model']['vocab'])
    return [piece for piece in pieces if re.fullmatch('[a-z]{3,10}', piece)]


def make_texts(words, lengths):
    """[(length, text)]; [CLS] and [SEP] are two of a text's tokens."""
    source = random.Random(1)
    return [(length, ' '.join(source.choice(words)
                              for _ in range(length - 2)))
            for length in lengths for _ in range(rows_of(length))]


# --- contenders -------------------------------------------------------------

class SQLite:
    """Each contender: forms, and run(form, length, rows) -> seconds."""

    name = 'insitu in SQLite'
    forms = {
        'alone': "SELECT sum(length(embed(body, '%s'))) FROM (SELECT body "
                 "FROM texts WHERE n = ? LIMIT ?)",
        'batch': "SELECT sum(length(embedding)) FROM embed_batch((SELECT "
                 "json_group_array(body) FROM (SELECT body FROM texts "
                 "WHERE n = ? LIMIT ?)), '%s')",
    }

    def __init__(self, directory, texts):
        self.connection = sqlite3.connect(':memory:')
        self.connection.enable_load_extension(True)
        self.connection.load_extension(os.path.join(ROOT,
                                                    'sqlite_ext/insitu'))
        # Each round computes its texts anew.
        self.connection.execute("SELECT insitu_setting('memo_size', 0)")
        self.connection.execute('CREATE TABLE texts (n int, body text)')
        self.connection.executemany('INSERT INTO texts VALUES (?, ?)', texts)
        self.connection.execute('SELECT model_register(?, ?)',
                                (NAME, directory))
        self.embed('warm')

    def embed(self, text):
        row = self.connection.execute('SELECT embed(?, ?)',
                                      (text, NAME)).fetchone()
        return struct.unpack('<%df' % (len(row[0]) // 4), row[0])

    def count_tokens(self, text):
        return self.connection.execute('SELECT token_count(?, ?)',
                                       (text, NAME)).fetchone()[0]

    def run(self, form, length, rows):
        start = time.perf_counter()
        self.connection.execute(self.forms[form] % NAME,
                                (length, rows)).fetchall()
        return time.perf_counter() - start


class Lembed:
    forms = ('alone',)

    def __init__(self, name, library, gguf, texts, preload=None):
        self.name = name
        environment = dict(os.environ, LEMBED_LIBRARY=library + '.so')
        if preload:
            environment['LD_PRELOAD'] = preload
        self.worker = subprocess.Popen(
            [sys.executable, os.path.join(HERE, 'lembed_worker.py'), library,
             gguf, texts], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.version = self.ask('version')

    def ask(self, command):
        self.worker.stdin.write(command + '\n')
        self.worker.stdin.flush()
        return json.loads(self.worker.stdout.readline())

    def embed(self, text):
        return self.ask('embed ' + text)

    def run(self, _, length, rows):
        return self.ask('run %d %d' % (length, rows))

    def close(self):
        self.worker.stdin.close()
        self.worker.wait()


class PostgreSQL:
    name = 'insitu in PostgreSQL'
    forms = {
        'alone': "SELECT sum(array_length(embed(body, '{2}'), 1)) FROM "
                 "(SELECT body FROM texts WHERE n = {0} LIMIT {1}) t;",
        'batch': "SELECT sum(array_length(embedding, 1)) FROM embed_batch("
                 "(SELECT array_agg(body) FROM (SELECT body FROM texts "
                 "WHERE n = {0} LIMIT {1}) t), '{2}');",
    }

    def __init__(self, cluster, directory, texts):
        self.cluster = cluster
        source = os.path.join(cluster.directory, 'model')
        shutil.copytree(directory, source)
        rows = ',\n'.join("(%d, '%s')" % row for row in texts)
        cluster.psql('CREATE EXTENSION insitu;'
                     'CREATE TABLE texts (n int, body text);'
                     'INSERT INTO texts VALUES %s;'
                     "SELECT model_register('%s', '%s');" % (rows, NAME,
                                                             source))

    def run(self, form, length, rows):
        statement = self.forms[form].format(length, rows, NAME)
        output = self.cluster.psql(
            'SET jit = off; SET max_parallel_workers_per_gather = 0;\n'
            'SET insitu.memo_size = 0;\n'
            "SELECT array_length(embed('warm', '%s'), 1);\n"
            '\\timing on\n%s\n' % (NAME, statement))
        return float(re.search(r'Time: ([\d.]+) ms', output).group(1)) / 1000


# --- set-up -----------------------------------------------------------------

def make_model(folder):
    directory = os.path.join(folder, 'model')
    subprocess.run([sys.executable, os.path.join(
        ROOT, 'src/tools/make_random_model.py'), directory], check=True,
        stdout=subprocess.DEVNULL)
    return directory


def install_lembed(folder):
    """Returns the path of the library, without its suffix."""
    package = os.path.join(folder, 'npm')
    os.mkdir(package)
    subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund',
                    'sqlite-lembed'], cwd=package, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for path, _, files in os.walk(package):
        if 'lembed0.so' in files:
            return os.path.join(path, 'lembed0')
    raise FileNotFoundError('the package has no library for this machine')


def open_lembed(folder, directory, texts):
    """Contenders, or none with the reason printed."""
    try:
        library = install_lembed(folder)
        gguf = os.path.join(folder, 'model.gguf')
        subprocess.run([sys.executable, os.path.join(HERE, 'make_gguf.py'),
                        directory, gguf], check=True)
        preload = os.path.join(folder, 'lembed_threads.so')
        subprocess.run(['gcc', '-O2', '-shared', '-fPIC', '-o', preload,
                        os.path.join(HERE, 'lembed_threads.c'), '-ldl'],
                       check=True)
        path = os.path.join(folder, 'texts.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(texts, file)
        return [Lembed('sqlite-lembed held to one thread', library, gguf,
                       path, preload),
                Lembed('sqlite-lembed as it ships (four threads)', library,
                       gguf, path)]
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print('sqlite-lembed is missing from the table: %s' % error)
        return []


def cosine(left, right):
    product = sum(a * b for a, b in zip(left, right))
    return product / (sum(a * a for a in left) *
                      sum(b * b for b in right)) ** 0.5


def ask_git(*words):
    return subprocess.run(('git',) + words, cwd=ROOT, check=False,
                          stdout=subprocess.PIPE).stdout.decode().strip()


def describe_machine():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = re.search(r'model name\s*: (.*)', file.read())
    commit = ask_git('rev-parse', '--short', 'HEAD')
    if ask_git('status', '--porcelain', '-uno', 'src', 'sqlite_ext'):
        commit += ' with changes'
    return ['* Date: %s' % datetime.date.today(),
            '* Machine: %s, %d cores' % (
                model.group(1) if model else 'unknown', os.cpu_count()),
            '* Load when it began (1 min): %.1f' % os.getloadavg()[0],
            '* Commit: %s' % commit,
            '* Command: `make bench`']


# --- measuring --------------------------------------------------------------

def choose_rows(contender, form, length):
    seconds = contender.run(form, length, 2) / 2
    return max(2, min(rows_of(length), int(MAX_SECONDS / seconds)))


def measure(contenders, lengths, rounds):
    """(contender, form, length) -> [rows per second]."""
    rates = {}
    rows = {}
    for number in range(rounds):
        for length in lengths:
            for contender in contenders:
                for form in contender.forms:
                    cell = (contender.name, form, length)
                    if cell not in rows:
                        rows[cell] = choose_rows(contender, form, length)
                    seconds = contender.run(form, length, rows[cell])
                    rates.setdefault(cell, []).append(rows[cell] / seconds)
        print('# round %d of %d' % (number + 1, rounds), flush=True)
    return rates


def format_rate(rates):
    low, middle, high = min(rates), statistics.median(rates), max(rates)
    digits = 1 if middle < 100 else 0
    return '%.*f (%.*f–%.*f)' % (digits, middle, digits, low, digits, high)


def make_table(contenders, lengths, rates):
    lines = ['| rows/s of `embed` | ' + ' | '.join(
        '%d tokens' % length for length in lengths) + ' |',
        '|---' * (len(lengths) + 1) + '|']
    for contender in contenders:
        for form in contender.forms:
            cells = [format_rate(rates[contender.name, form, length])
                     for length in lengths]
            lines.append('| %s, %s | %s |' % (
                contender.name, 'one row at a time' if form == 'alone'
                else 'embed_batch', ' | '.join(cells)))
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--lengths', default='16,32,64,128')
    parser.add_argument('--model')
    parser.add_argument('--out')
    parser.add_argument('--no-lembed', action='store_true')
    options = parser.parse_args()
    lengths = [int(length) for length in options.lengths.split(',')]
    folder = tempfile.mkdtemp(prefix='insitu-bench-')
    os.environ['XDG_CACHE_HOME'] = os.path.join(folder, 'cache')
    try:
        facts = describe_machine()
        directory = options.model or make_model(folder)
        texts = make_texts(read_words(directory), lengths)
        with Cluster() as cluster:
            sqlite = SQLite(directory, texts)
            contenders = [sqlite, PostgreSQL(cluster, directory, texts)]
            for length, text in texts:
                if sqlite.count_tokens(text) != length:
                    sys.exit('bench_sql.py: a text has %d tokens, not %d' % (
                        sqlite.count_tokens(text), length))
            lembed = [] if options.no_lembed else open_lembed(
                folder, directory, texts)
            contenders += lembed
            if lembed:
                facts.append(
                    '* sqlite-lembed %s, same weights; cosine of its '
                    'embedding of one text with ours: %.6f' % (
                        lembed[0].version,
                        cosine(lembed[0].embed(texts[0][1]),
                               sqlite.embed(texts[0][1]))))
            rates = measure(contenders, lengths, options.rounds)
            for contender in lembed:
                contender.close()
        facts.append('* Medians of %d interleaved rounds (lowest–highest), '
                     'at most %s rows per round' % (options.rounds, '/'.join(
                         str(rows_of(length)) for length in lengths)))
        report = '\n'.join(facts + [''] + make_table(contenders, lengths,
                                                     rates)) + '\n'
        print(report)
        if options.out:
            with open(options.out, 'w', encoding='utf-8') as file:
                file.write(report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
