#!/usr/bin/python3
"""tracked_files.py - the files of the project, for the checks.

    tracked_files.py 'src/*.h' ...    prints those that match

What git tracks and the work tree has.  Without a repository (an unpacked
archive) every file outside build/ that no build made.

SPDX-License-Identifier: PostgreSQL
"""
import fnmatch
import os
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
MADE = ('.o', '.d', '.a', '.so', '.bc', '.pyc', '.new')


def ask_git():
    """None without git or a repository."""
    try:
        # The checkout may belong to another user than the one who tests.
        listed = subprocess.run(
            ['git', '-c', 'safe.directory=*', 'ls-files', '-z'], cwd=ROOT,
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [path for path in listed.stdout.decode().split('\0') if path]


def walk_tree():
    paths = []
    for folder, folders, files in os.walk(ROOT):
        inside = os.path.relpath(folder, ROOT)
        folders[:] = [name for name in folders
                      if name not in ('.git', '__pycache__')
                      and not (inside == '.' and name == 'build')]
        paths += [os.path.normpath(os.path.join(inside, name))
                  for name in files if not name.endswith(MADE)]
    return sorted(paths)


def tracked_files(*patterns):
    """patterns as fnmatch's, where * also matches a slash."""
    paths = ask_git()
    if paths is None:
        paths = walk_tree()
    return [path for path in paths
            if os.path.exists(os.path.join(ROOT, path)) and
            (not patterns or any(fnmatch.fnmatchcase(path, pattern)
                                 for pattern in patterns))]


if __name__ == '__main__':
    print('\n'.join(tracked_files(*sys.argv[1:])))
