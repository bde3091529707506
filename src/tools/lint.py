#!/usr/bin/python3
"""lint.py - every rule that a program can check, one TAP line per rule.

    lint.py            all of them (make lint); needs what make test builds
    lint.py --light    those that compile nothing (make quick)

SPDX-License-Identifier: PostgreSQL
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

from tracked_files import tracked_files

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
WARNINGS = ('-std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wconversion '
            '-Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef '
            '-Werror').split()


class Skip(Exception):
    """Raised by a check that cannot run here; its text says why."""


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as source:
        return source.read()


def run(command):
    """Returns the complaints of a program: none when it succeeds."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode('utf-8', 'replace').strip()
    if done.returncode:
        return text.splitlines() or ['exit status %d' % done.returncode]
    return []


def check_format():
    # Each release lays out a few lines otherwise.
    if not shutil.which('clang-format') or b' version 14.' not in \
            subprocess.check_output(['clang-format', '--version']):
        raise Skip('no clang-format 14')
    return run(['clang-format', '--dry-run', '-Werror'] +
               tracked_files('*.c', '*.h', '*.inc'))


def check_layers():
    return run([sys.executable, 'src/tools/check_layers.py'])


def check_sizes():
    return run([sys.executable, 'src/tools/check_sizes.py'])


def check_pairs():
    inputs = {os.path.basename(path)[:-4]
              for path in tracked_files('sql/*.sql')}
    outputs = {os.path.basename(path)[:-4]
               for path in tracked_files('expected/*.out')}
    return ['sql/ and expected/ differ: ' + name
            for name in sorted(inputs ^ outputs)]


def check_versions():
    version = re.search(r'INSITU_VERSION "([^"]+)"',
                        read('src/core/insitu.h')).group(1)
    control = re.search(r"default_version\s*=\s*'([^']+)'",
                        read('insitu.control'))
    meta = json.loads(read('META.json'))
    changes = re.search(r'^## (\S+)', read('CHANGELOG.md'), re.M)
    found = {
        'insitu.control': control and control.group(1),
        'META.json': meta['version'],
        'META.json provides': meta['provides']['insitu']['version'],
        'CHANGELOG.md': changes and changes.group(1),
    }
    return ['%s says %s, insitu.h says %s' % (name, value, version)
            for name, value in found.items() if value != version]


def find_words(pattern, files, exempt=()):
    word = re.compile(pattern)
    complaints = []
    for path in files:
        if path in exempt:
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if word.search(line):
                complaints.append('%s:%d: %s' % (path, number, line.strip()))
    return complaints


def check_words():
    """Things that one file only may mention, or none."""
    code = tracked_files('src/*.c', 'src/*.h', 'src/*.inc', 'sqlite_ext/*.c',
                         'sqlite_ext/*.h')
    core = [path for path in code if path.startswith('src/core/')]
    builds = tracked_files('Makefile', '*/Makefile', '*.mk')
    return (
        find_words(r'PG_VERSION_NUM', code, ('src/pg/pg_compat.h',)) +
        find_words(r'#\s*include\s*[<"]cblas\.h', code,
                   ('src/core/kernels/blas.c',)) +
        find_words(r'#\s*if.*__AVX', code) +
        find_words(r'-march=native|-ffast-math|-Ofast', builds + code) +
        find_words(r'\b(strcpy|strcat|sprintf|atoi|atof|strtol|strtod|sscanf|'
                   r'alloca|assert|abort|exit)\s*\(', core) +
        find_words(r'(^|[^:"\'\\*])//(?![\w.-]+\.\w+/)',
                   [path for path in core if not path.endswith('_table.h')]))


def check_headers():
    return run(['sh', 'src/tools/check_headers.sh'])


def compile_core(compiler):
    if not shutil.which(compiler):
        raise Skip('no ' + compiler)
    multiarch = subprocess.run(['gcc', '-print-multiarch'], check=True,
                               stdout=subprocess.PIPE).stdout.decode().strip()
    complaints = []
    for path in tracked_files('src/core/*.c', 'src/store/*.c'):
        complaints += run([compiler] + WARNINGS + [
            '-isystem', '/usr/include/%s/openblas-serial' % multiarch,
            '-Isrc/core', '-Isrc', '-c', '-o', os.devnull, path])
    return complaints


def check_gcc():
    return compile_core('gcc')


def check_clang():
    return compile_core('clang')


def check_symbols_core():
    if not glob.glob(os.path.join(ROOT, 'build/libinsitu_core.a')):
        return run(['make', '-s', '-C', 'src/test',
                    '../../build/libinsitu_core.a']) or check_symbols_core()
    return run(['sh', 'src/tools/check_symbols.sh', 'core'])


def check_symbols_pg():
    if not os.path.exists(os.path.join(ROOT, 'insitu.so')):
        raise Skip('insitu.so is not built')
    return run(['sh', 'src/tools/check_symbols.sh', 'pg'])


def check_symbols_sqlite():
    if not os.path.exists(os.path.join(ROOT, 'sqlite_ext/insitu.so')):
        raise Skip('sqlite_ext/insitu.so is not built')
    return run(['sh', 'src/tools/check_symbols.sh', 'sqlite'])


def check_shell():
    complaints = []
    for path in tracked_files('*.sh', '.ci/run'):
        shell = 'bash' if 'bash' in read(path).split('\n')[0] else 'sh'
        complaints += run([shell, '-n', path])
    return complaints


def check_python():
    complaints = []
    for path in tracked_files('*.py'):
        try:
            compile(read(path), path, 'exec')
        except SyntaxError as error:
            complaints.append('%s: %s' % (path, error))
    return complaints


def check_licences():
    return ['%s has no SPDX line' % path
            for path in tracked_files('src/*.c', 'src/*.h', 'src/*.inc',
                                      'sqlite_ext/*.c', 'sqlite_ext/*.h',
                                      'sqlite_ext/*.S')
            if 'SPDX-License-Identifier: PostgreSQL' not in read(path)]


def check_links():
    """Relative links of the documents lead to files."""
    complaints = []
    for path in tracked_files('*.md'):
        for target in re.findall(r'\]\(([^)#\s]+)[^)]*\)', read(path)):
            if '://' in target:
                continue
            full = os.path.join(ROOT, os.path.dirname(path), target)
            if not os.path.exists(full):
                complaints.append('%s: %s is not there' % (path, target))
    return complaints


LIGHT = [
    ('files are formatted', check_format),
    ('includes follow the layers', check_layers),
    ('files and functions stay short', check_sizes),
    ('each sql/ file has its expected/ file', check_pairs),
    ('one version everywhere', check_versions),
    ('words stay in their place', check_words),
    ('shell scripts parse', check_shell),
    ('Python scripts parse', check_python),
    ('each source names its licence', check_licences),
    ('links of the documents lead somewhere', check_links),
]
FULL = LIGHT + [
    ('headers compile alone', check_headers),
    ('no warning from gcc', check_gcc),
    ('no warning from clang', check_clang),
    ('the core calls and exports what it may', check_symbols_core),
    ('the PostgreSQL library exports its functions', check_symbols_pg),
    ('the SQLite library exports its entry points', check_symbols_sqlite),
]


def main():
    checks = LIGHT if '--light' in sys.argv[1:] else FULL
    failed = 0
    print('1..%d' % len(checks))
    for number, (title, check) in enumerate(checks, 1):
        try:
            complaints = check()
        except Skip as reason:
            print('ok %d - %s # SKIP %s' % (number, title, reason))
            continue
        except (OSError, ValueError, KeyError,
                subprocess.SubprocessError) as error:
            complaints = ['%s: %s' % (type(error).__name__, error)]
        for complaint in complaints[:60]:
            print('    ' + complaint)
        print('%s %d - %s' % ('not ok' if complaints else 'ok', number,
                              title), flush=True)
        failed += bool(complaints)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
