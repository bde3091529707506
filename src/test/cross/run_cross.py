#!/usr/bin/python3
"""run_cross.py - one query file on both databases, answers compared.

Prints a TAP line per statement of queries.sql, run over the texts of
texts.json and one text of several thousand words, per model of
src/test/parity/fixtures, per model of models/, adapters among them, and per
model that both have trained: the same rows give the same bytes, and a model
that was exported answers on the other.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import re
import shutil
import sqlite3
import struct
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT, Cluster  # noqa: E402

LIBRARY = os.path.join(ROOT, 'sqlite_ext', 'insitu')
FIXTURES = os.path.join(ROOT, 'src', 'test', 'parity', 'fixtures')
MODELS = os.path.join(ROOT, 'models')
FIELD, ROW, NULL = '\x1f', '\x1e', '\x1d'
TEXTS_OF = {
    'postgresql': '(SELECT array_agg(body ORDER BY id) FROM texts)',
    'sqlite': '(SELECT json_group_array(body) FROM '
              '(SELECT body FROM texts ORDER BY id))',
}
MODEL_QUERIES = [
    ('classify', 'exact', "SELECT id, classify(body, '%s') FROM texts "
                          "ORDER BY id"),
    ('classify', 'close', "SELECT t.id, s.label, s.score FROM texts t, "
                          "classify_scores(t.body, '%s') s "
                          "ORDER BY t.id, s.label"),
    ('embed', 'close', "SELECT id, embed(body, '%s') FROM texts ORDER BY id"),
    ('', 'exact', "SELECT id, token_ids(body, '%s') FROM texts ORDER BY id"),
    ('', 'exact', "SELECT model_info('%s')"),
]

LABEL = "CASE id % 3 WHEN 0 THEN 'billing' WHEN 1 THEN 'other' ELSE 'x y' END"
IN_ORDER = 'FROM (SELECT id, body FROM texts ORDER BY id) AS t'
TRAININGS = {
    'frozen': "train_classifier(body, %s)" % LABEL,
    'network': "train_classifier(body, %s, '{\"head\": \"network\", "
               "\"class_weights\": \"balanced\", \"seed\": 3}')" % LABEL,
    'tuned': "fine_tune_classifier(body, %s, 'insitu-mini-en', "
             "'{\"epochs\": 1, \"max_tokens\": 16}')" % LABEL,
    'numbers': "train_tabular(%s, length(body), id, id %% 3)" % LABEL,
}
NUMBER_QUERIES = [
    "SELECT id, predict_label('%s', length(body), id, id %% 3) FROM texts "
    "ORDER BY id",
    "SELECT id, predict('%s', length(body), NULL, id %% 3) FROM texts "
    "ORDER BY id",
]


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def read_queries():
    """Yields (how, title, statement)."""
    with open(os.path.join(HERE, 'queries.sql'), encoding='utf-8') as file:
        text = file.read()
    for match in re.finditer(r'^-- (exact|close): (.*)\n((?:(?!--).*\n)+)',
                             text, re.M):
        yield match.group(1), match.group(2), match.group(3).strip(' \n;')


class PostgreSQL:
    name = 'postgresql'

    def __init__(self, cluster, texts):
        self.cluster = cluster
        # Not the epochs of a training.
        cluster.psql("ALTER DATABASE postgres SET client_min_messages = "
                     "'warning';")
        cluster.psql('CREATE EXTENSION insitu;')
        rows = ',\n'.join('(%d, %s)' % (i, quote(text))
                          for i, text in enumerate(texts, 1))
        cluster.psql('CREATE TABLE texts (id int, body text);'
                     'INSERT INTO texts VALUES %s;' % rows)

    def query(self, statement):
        output = self.cluster.psql(statement + ';', options=[
            '-A', '-t', '-F', FIELD, '-R', ROW, '-P', 'null=' + NULL])
        # psql ends the last row with a line feed.
        output = output[:-1] if output.endswith('\n') else output
        if not output:
            return []
        return [tuple(None if field == NULL else field
                      for field in row.split(FIELD))
                for row in output.split(ROW)]


class SQLite:
    name = 'sqlite'

    def __init__(self, texts):
        self.connection = sqlite3.connect(':memory:')
        self.connection.enable_load_extension(True)
        self.connection.load_extension(LIBRARY)
        self.connection.execute('CREATE TABLE texts (id int, body text)')
        self.connection.executemany('INSERT INTO texts VALUES (?, ?)',
                                    enumerate(texts, 1))

    def query(self, statement):
        return self.connection.execute(statement).fetchall()


def to_value(field):
    """Numbers, lists and JSON of both databases in one form."""
    if isinstance(field, bytes):
        return list(struct.unpack('<%df' % (len(field) // 4), field))
    if not isinstance(field, str):
        return field
    if re.fullmatch(r'\{[-0-9.e+,]*\}', field):
        return json.loads('[' + field[1:-1] + ']')
    if re.fullmatch(r'-?\d+(\.\d+)?(e-?\d+)?', field) or \
            field[:1] in ('{', '['):
        try:
            return json.loads(field)
        except ValueError:
            return field
    return field


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def float32(value):
    """PostgreSQL shows a real in the fewest digits that give it again."""
    return struct.pack('<f', value)


def differ(left, right, how):
    if isinstance(left, list) and isinstance(right, list):
        return len(left) != len(right) or any(
            differ(a, b, how) for a, b in zip(left, right))
    if how == 'close' and is_number(left) and is_number(right):
        return float32(left) != float32(right)
    # An integer from one side, a float of the same value from the other.
    return left != right


def largest_difference(left, right):
    if isinstance(left, list) and isinstance(right, list):
        return max([largest_difference(a, b) for a, b in zip(left, right)],
                   default=0.0)
    if is_number(left) and is_number(right):
        return abs(left - right)
    return 0.0


def compare(left, right, how):
    """Returns (complaint or None, the largest difference of numbers)."""
    if len(left) != len(right):
        return '%d rows and %d rows' % (len(left), len(right)), 0.0
    if not left:
        return 'no rows', 0.0
    largest = 0.0
    for number, (one, other) in enumerate(zip(left, right), 1):
        one = [to_value(field) for field in one]
        other = [to_value(field) for field in other]
        if differ(one, other, how):
            return 'row %d: %.300r and %.300r' % (number, one, other), 0.0
        largest = max(largest, largest_difference(one, other))
    return None, largest


class Report:
    def __init__(self):
        self.number = self.failed = 0

    def test(self, title, how, databases, statement):
        self.number += 1
        try:
            answers = [database.query(statement.replace(
                '@texts@', TEXTS_OF[database.name]))
                for database in databases]
            complaint, largest = compare(answers[0], answers[1], how)
        except (RuntimeError, sqlite3.Error) as error:
            complaint, largest = str(error), 0.0
        if complaint:
            self.failed += 1
            print('    ' + complaint.replace('\n', '\n    '))
        print('%s %d - %s%s' % (
            'not ok' if complaint else 'ok', self.number, title,
            ' (largest difference %.1e)' % largest
            if how == 'close' and not complaint else ''), flush=True)


def model_directories(parent):
    """The directories of models and of adapters, whose base is beside them."""
    if not os.path.isdir(parent):
        return []
    return [name for name in sorted(os.listdir(parent))
            if os.path.exists(os.path.join(parent, name, 'config.json'))
            and any(os.path.exists(os.path.join(parent, name, weights))
                    for weights in ('model.safetensors',
                                    'model.safetensors.index.json',
                                    'adapter_model.safetensors'))]


def copied_models(cluster):
    """All of them, where the server can read them: [directory]"""
    found = []
    for parent in (FIXTURES, MODELS):
        for name in model_directories(parent):
            found.append(os.path.join(cluster.directory,
                                      os.path.basename(parent), name))
            shutil.copytree(os.path.join(parent, name), found[-1])
    return found


def compare_model(report, databases, source):
    fixture = os.path.basename(source)
    name = 'cross-' + fixture.replace('_', '-').lower()
    report.test('digest of %s' % fixture, 'exact', databases,
                'SELECT model_register(%s, %s)' % (quote(name),
                                                   quote(source)))
    info = json.loads(databases[1].query(
        'SELECT model_info(%s)' % quote(name))[0][0])
    for task, how, statement in MODEL_QUERIES:
        if not task or task in str(info.get('tasks', '')):
            report.test('%s: %s' % (fixture, statement % name), how,
                        databases, statement % name)


def move_pack(origin, name, target, path):
    """Exports a model of one database and registers it in the other."""
    if origin.name == 'sqlite':
        pack, = origin.query('SELECT model_export(%s)' % quote(name))[0]
    else:
        field, = origin.query("SELECT encode(model_export(%s), 'hex')"
                              % quote(name))[0]
        pack = bytes.fromhex(field)
    with open(path, 'wb') as file:
        file.write(pack)
    os.chmod(path, 0o644)
    source = ('pg_read_binary_file(%s)' % quote(path)
              if target.name == 'postgresql' else "x'%s'" % pack.hex())
    target.query('SELECT model_register(%s, %s)' % (
        quote('moved-%s' % name), source))


def compare_training(report, databases, directory, kind):
    """Trains on both, moves each one's model to the other, asks both."""
    report.test('same rows, same model: %s' % kind, 'exact', databases,
                "SELECT model_register('%s', %s) %s" % (
                    kind, TRAININGS[kind], IN_ORDER))
    for origin, target in (databases, databases[::-1]):
        name = '%s-of-%s' % (kind, origin.name)
        # The name differs, and what a name stands for may not be written twice.
        origin.query("SELECT model_register('%s', %s) %s" % (
            name, TRAININGS[kind], IN_ORDER))
        move_pack(origin, name, target, os.path.join(directory, name))
        origin.query("SELECT model_register('moved-%s', %s) %s" % (
            name, TRAININGS[kind], IN_ORDER))
        queries = [('close', query) for query in NUMBER_QUERIES] \
            if kind == 'numbers' else [query[1:] for query in MODEL_QUERIES]
        for how, statement in queries:
            statement = statement % ('moved-' + name)
            report.test('trained in %s: %s' % (origin.name, statement), how,
                        databases, statement)


def main():
    with open(os.path.join(HERE, 'texts.json'), encoding='utf-8') as file:
        texts = json.load(file)
    texts.append('my order number %d is late. ' % 7 * 600)
    report = Report()
    with Cluster() as cluster:
        # What SQLite keeps for other processes must not stay.
        os.environ['XDG_CACHE_HOME'] = os.path.join(cluster.directory,
                                                    'cache')
        databases = [PostgreSQL(cluster, texts), SQLite(texts)]
        for how, title, statement in read_queries():
            report.test(title, how, databases, statement)
        for source in copied_models(cluster):
            try:
                compare_model(report, databases, source)
            except (sqlite3.Error, ValueError, RuntimeError) as error:
                report.number += 1
                report.failed += 1
                print('not ok %d - %s: %s' % (report.number, source, error))
        for kind in TRAININGS:
            try:
                compare_training(report, databases, cluster.directory, kind)
            except (sqlite3.Error, ValueError, RuntimeError) as error:
                report.number += 1
                report.failed += 1
                print('not ok %d - %s: %s' % (report.number, kind, error))
    print('1..%d' % report.number)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
