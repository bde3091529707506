#!/usr/bin/python3
"""check_layers.py - who may include whom (docs/ARCHITECTURE.md).

Reads every #include "..." under src/core, src/store, src/pg and sqlite_ext
and compares it with the table below.  Prints one line per wrong include.

SPDX-License-Identifier: PostgreSQL
"""
import glob
import os
import re
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))

# layer -> layers it may include beside itself; "public" is the headers
# PUBLIC, which declare the API but depend on status.def only.
ALLOWED = {
    'base': {'public'},
    # Weights are read as the pack has them, activations are a field of it, as
    # are the normaliser's flags.
    'kernels': {'base', 'pack/pack_format.h'},
    'unicode': {'base', 'pack/pack_format.h'},
    'formats': {'base'},
    'pack': {'base'},
    'tokenizer': {'unicode', 'pack', 'base'},
    'encoder': {'kernels', 'pack', 'base'},
    'batching': {'encoder', 'base'},
    'memo': {'base', 'public'},
    'tasks': {'encoder', 'kernels', 'pack', 'base'},
    'gradient': {'encoder', 'kernels', 'pack', 'base'},
    'train': {'gradient', 'encoder', 'tokenizer', 'kernels', 'formats', 'pack',
              'base', 'public'},
    'explain': {'gradient', 'encoder', 'kernels', 'pack', 'base', 'public'},
    'evaluate': {'base', 'public'},
    'import': {'formats', 'pack', 'tokenizer', 'unicode', 'base', 'public'},
    'public': {'base/status.def'},
    'api': {'public', 'base', 'kernels', 'unicode', 'formats', 'pack',
            'tokenizer', 'encoder', 'batching', 'memo', 'tasks', 'import',
            'gradient', 'train', 'explain', 'evaluate'},
    'store': {'public', 'contract'},
    'pg': {'public', 'contract', 'store'},
    'sqlite': {'public', 'contract', 'store'},
}
# The part of base that is also the hosts' way to report and to compute sizes.
CONTRACT = {'base/status.h', 'base/status.def', 'base/memory.h',
            'base/checked.h'}
PUBLIC = {'insitu.h', 'insitu_evaluate.h', 'insitu_explain.h',
          'insitu_import.h', 'insitu_memo.h', 'insitu_train.h'}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def layer_of_file(path):
    parts = path.split('/')
    if parts[0] == 'sqlite_ext':
        return 'sqlite'
    if parts[1] in ('pg', 'store'):
        return parts[1]
    if len(parts) == 4:
        return parts[2]
    return 'public' if parts[-1] in PUBLIC else 'api'


def layer_of_include(name, path):
    """The layer of a header, None for one outside the project."""
    if name in PUBLIC:
        return 'public'
    beside = os.path.join(os.path.dirname(path), name)
    for folder in ('src/core', 'src'):
        candidate = os.path.join(folder, name)
        if os.path.exists(os.path.join(ROOT, candidate)):
            return layer_of_file(candidate)
    if os.path.exists(os.path.join(ROOT, beside)):
        return layer_of_file(os.path.normpath(beside))
    return None


def is_allowed(layer, name, target):
    if target is None or target == layer:
        return True
    allowed = ALLOWED.get(layer, set())
    if target in allowed or name in allowed:
        return True
    return 'contract' in allowed and name in CONTRACT


def main():
    wrong = 0
    patterns = ('src/core/*', 'src/core/*/*', 'src/store/*', 'src/pg/*',
                'sqlite_ext/*')
    for pattern in patterns:
        for full in sorted(glob.glob(os.path.join(ROOT, pattern))):
            if not full.endswith(('.c', '.h', '.def', '.inc')):
                continue
            path = os.path.relpath(full, ROOT)
            layer = layer_of_file(path)
            if layer not in ALLOWED:
                print('%s: the folder has no row in check_layers.py' % path)
                wrong += 1
                continue
            with open(full, encoding='utf-8') as source:
                for number, line in enumerate(source, 1):
                    match = INCLUDE.match(line)
                    if not match:
                        continue
                    name = match.group(1)
                    target = layer_of_include(name, path)
                    if not is_allowed(layer, name, target):
                        print('%s:%d: %s may not include %s ("%s")' % (
                            path, number, layer, target, name))
                        wrong += 1
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
