#!/usr/bin/python3
"""coverage_table.py - lines reached per source file, from gcov's data.

    coverage_table.py build/coverage/core

SPDX-License-Identifier: PostgreSQL
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))


def main():
    data = glob.glob(os.path.join(os.path.abspath(sys.argv[1]), '**',
                                  '*.gcda'), recursive=True)
    rows, reached, total = [], 0.0, 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(data):
            text = subprocess.run(
                ['gcov', '-n', path], cwd=scratch, check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL).stdout.decode()
            for name, share, lines in re.findall(
                    r"File '([^']+\.c)'\nLines executed:([\d.]+)% of (\d+)",
                    text):
                name = os.path.normpath(os.path.join(ROOT, 'src/test', name))
                rows.append((float(share), int(lines),
                             os.path.relpath(name, ROOT)))
                reached += float(share) / 100 * int(lines)
                total += int(lines)
    for share, lines, name in sorted(rows):
        print('%6.1f%% of %4d  %s' % (share, lines, name))
    if total:
        print('%6.1f%% of %4d  all' % (100 * reached / total, total))
    return 0 if total else 1


if __name__ == '__main__':
    sys.exit(main())
