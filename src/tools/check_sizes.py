#!/usr/bin/python3
"""check_sizes.py - files, functions and lines stay readable.

    file <= 800 lines, header <= 240, function <= 100 lines, line <= 80 columns

Relies on the repository's format: a function's body opens with "{" in the
first column and ends with "}" in the first column.

SPDX-License-Identifier: PostgreSQL
"""
import os
import re
import sys

from tracked_files import tracked_files

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
MAX_FILE = 800
MAX_HEADER = 240
MAX_FUNCTION = 100
MAX_LINE = 80

# path -> reason.  Each exemption is for the file's length only.
LONGER_FILES = {}
# (path, function) -> reason.
LONGER_FUNCTIONS = {}
# path -> reason.  Each exemption is for the lines' length only.
LONGER_LINES = {
    'models/recipes/own_words_patterns.py': 'data: one phrase per line',
    'models/recipes/own_words_stories.py': 'data: one phrase per line',
}

CODE = ('.c', '.h', '.inc', '.py', '.sh', '.S')
DEFINITION = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)\s*\(')


def find_functions(lines):
    """Yields (name, first line number, length in lines)."""
    name, start = None, 0
    for number, line in enumerate(lines, 1):
        match = DEFINITION.match(line)
        if match:
            name = match.group(1)
        if line == '{':
            start = number
        elif line == '}' and start:
            yield name or '?', start, number - start - 1
            name, start = None, 0


def check_file(path):
    complaints = []
    with open(os.path.join(ROOT, path), encoding='utf-8') as source:
        lines = source.read().split('\n')
    length = len(lines) - 1
    limit = MAX_HEADER if path.endswith('.h') else MAX_FILE
    if length > limit and path not in LONGER_FILES:
        complaints.append('%s: %d lines, the limit is %d' % (
            path, length, limit))
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE and path not in LONGER_LINES:
            complaints.append('%s:%d: %d columns' % (path, number, len(line)))
    if path.endswith(('.c', '.h', '.inc')):
        for name, number, size in find_functions(lines):
            if size > MAX_FUNCTION and (path, name) not in LONGER_FUNCTIONS:
                complaints.append('%s:%d: %s has %d lines' % (
                    path, number, name, size))
    return complaints


def main():
    complaints = []
    for path in tracked_files():
        # Generated tables are data.
        if path.endswith(CODE) and not path.endswith('_table.h') \
                and os.path.exists(os.path.join(ROOT, path)):
            complaints += check_file(path)
    print('\n'.join(complaints))
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
