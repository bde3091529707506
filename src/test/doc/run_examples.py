#!/usr/bin/python3
"""run_examples.py - runs the SQL of the documents on both databases.

In README.md, docs/*.md and the cards of models/, a fenced block marked sql runs
in psql, one marked sqlite in the sqlite3 shell; the blocks of a document share
one session.  A block marked text that follows directly is the output, compared
line by line; "..." in it stands for any characters.  A block fails when it
prints an error that its output does not show.  setup.sql runs before each
document.

/srv/models/<name> is replaced by a small model of make_models.py, or by one of
models/.

SPDX-License-Identifier: PostgreSQL
"""
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT, Cluster, clean_environment  # noqa: E402

MODELS = '/srv/models'
MARK = 'insitu-example-%d'
FENCE = re.compile(r'^```(\w*)\n(.*?)^```\n(?:\n*^```text\n(.*?)^```\n)?',
                   re.M | re.S)
SHELLS = {'sql': 'psql', 'sqlite': 'sqlite3'}
ERROR = {'sql': re.compile(r'^(psql:.*)?(ERROR|FATAL):', re.M),
         'sqlite': re.compile(r'(Parse|Runtime) error|^Error:', re.M)}


class Example:
    def __init__(self, document, line, language, text, expected):
        self.document, self.line = document, line
        self.language, self.text = language, text
        self.expected = expected

    @property
    def title(self):
        return '%s:%d (%s)' % (self.document, self.line, self.language)

    def complaint(self, output):
        """None when the output is right."""
        expected = self.expected or ''
        failed = ERROR[self.language].search(output)
        if failed and not ERROR[self.language].search(expected):
            return 'an error:\n' + output
        if self.expected is None:
            return None
        wanted, found = tidy(expected), tidy(output)
        if len(wanted) != len(found) or not all(
                same_line(*pair) for pair in zip(wanted, found)):
            return 'the document shows\n%s\nand it printed\n%s' % (
                '\n'.join(wanted), '\n'.join(found))
        return None


def tidy(text):
    return [line.rstrip() for line in text.strip('\n').split('\n')
            if line.strip()]


def same_line(wanted, found):
    # psql on a pipe puts its file name before "ERROR:".
    found = re.sub(r'^psql:<stdin>:\d+: ', '', found)
    pattern = '.*'.join(re.escape(part) for part in wanted.split('...'))
    return re.fullmatch(pattern, found) is not None


def read_examples(path):
    document = os.path.relpath(path, ROOT)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    return [Example(document, text.count('\n', 0, match.start()) + 1,
                    match.group(1), match.group(2), match.group(3))
            for match in FENCE.finditer(text) if match.group(1) in SHELLS]


def split_output(output, count):
    """One piece per example; a shell that stopped leaves None."""
    pieces = []
    for number in range(count):
        head, mark, output = output.partition(MARK % number + '\n')
        pieces.append(head if mark else None)
    return pieces


def run_psql(cluster, examples, database, models):
    cluster.psql('CREATE DATABASE %s;' % database)
    with open(os.path.join(HERE, 'setup.sql'), encoding='utf-8') as file:
        cluster.psql(file.read(), database)
    script = ''.join('%s\n\\echo %s\n' % (example.text, MARK % number)
                     for number, example in enumerate(examples))
    output = cluster.run(
        ['stdbuf', '-oL', cluster.program('psql'), '-X', '-q', '-h',
         cluster.work, '-U', 'postgres', '-d', database],
        text=script.replace(MODELS, models), check=False)
    return split_output(output.replace(models, MODELS), len(examples))


def run_shell(examples, models):
    with open(os.path.join(HERE, 'setup.sql'), encoding='utf-8') as file:
        script = file.read()
    script += ''.join('%s\n.print %s\n' % (example.text, MARK % number)
                      for number, example in enumerate(examples))
    output = subprocess.run(
        ['stdbuf', '-oL', 'sqlite3', '-batch', ':memory:'], cwd=ROOT,
        input=script.replace(MODELS, models).encode(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env=clean_environment()).stdout.decode('utf-8', 'replace')
    return split_output(output.replace(models, MODELS), len(examples))


def make_models(cluster):
    """Returns a folder that the server can read."""
    # What SQLite keeps for other processes must not stay.
    os.environ['XDG_CACHE_HOME'] = os.path.join(cluster.directory, 'cache')
    folder = os.path.join(cluster.directory, 'models')
    subprocess.run([sys.executable, os.path.join(HERE, 'make_models.py'),
                    folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def main():
    paths = [os.path.join(ROOT, 'README.md')]
    for pattern in ('docs/*.md', 'models/*.md', 'models/insitu-*/*.md'):
        paths += sorted(glob.glob(os.path.join(ROOT, pattern)))
    number = failed = 0
    with Cluster() as cluster:
        models = make_models(cluster)
        for count, path in enumerate(paths):
            examples = read_examples(path)
            for language in SHELLS:
                chosen = [example for example in examples
                          if example.language == language]
                if not chosen:
                    continue
                if language == 'sql':
                    pieces = run_psql(cluster, chosen, 'doc%d' % count,
                                      models)
                else:
                    pieces = run_shell(chosen, models)
                for example, piece in zip(chosen, pieces):
                    number += 1
                    complaint = 'the shell stopped before its end' \
                        if piece is None else example.complaint(piece)
                    if complaint:
                        failed += 1
                        print('    ' + complaint.replace('\n', '\n    '))
                    print('%s %d - %s' % ('not ok' if complaint else 'ok',
                                          number, example.title),
                          flush=True)
    print('1..%d' % number)
    return 1 if failed or not number else 0


if __name__ == '__main__':
    sys.exit(main())
