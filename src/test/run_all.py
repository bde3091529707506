#!/usr/bin/python3
"""run_all.py - builds everything, runs every suite, adds up the results.

    run_all.py                 all suites (make test)
    run_all.py --quick         unit tests and the fast part of lint
    run_all.py --only a,b      these suites
    run_all.py --list          names of the suites

Each suite's output is kept in build/log/<suite>.log.  A suite that prints no
result counts as one failure, so does one that ends with an error which none
of its results explains.  The last line is "N passed, N failed".

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
LOGS = os.path.join(ROOT, 'build', 'log')
TESTS = 'src/test'
TAIL_LINES = 40


class Counts:
    """What a piece of output says about tests, in any of four dialects."""

    # cmocka, our scripts, prove -v
    TAP = re.compile(r'^(not )?ok\b\s*\d*(?P<rest>.*)$')
    PLAN = re.compile(r'^1\.\.(\d+)')
    # pg_regress and pg_isolation_regress of PostgreSQL 13 to 15
    REGRESS = re.compile(
        r'^(?:test|    ) {0,1}\s*\S+\s+\.\.\. (ok|FAILED)\b')
    UNITTEST = re.compile(r'^Ran (\d+) tests? in ')
    UNITTEST_END = re.compile(r'^(?:OK|FAILED)\b(?: \((.*)\))?\s*$')
    # prove without -v
    PROVE = re.compile(r'^Files=\d+, Tests=(\d+),')
    PROVE_FAILED = re.compile(r'^\s+Failed tests?:?\s|Failed (\d+)/\d+ sub')

    def __init__(self, text=''):
        self.passed = self.failed = self.skipped = 0
        self.planned = self.seen = 0
        self.prove_tests = self.prove_failed = 0
        self.unittests = 0
        for line in text.splitlines():
            self.read_line(line)
        # With prove -v the single results were counted already.
        if self.prove_tests and not self.seen:
            self.passed += self.prove_tests - self.prove_failed
            self.failed += self.prove_failed

    def read_line(self, line):
        match = self.TAP.match(line)
        if match:
            self.read_tap(match)
            return
        match = self.PLAN.match(line)
        if match:
            self.planned += int(match.group(1))
            return
        match = self.REGRESS.match(line)
        if match:
            self.passed += match.group(1) == 'ok'
            self.failed += match.group(1) != 'ok'
            return
        match = self.UNITTEST.match(line)
        if match:
            self.unittests = int(match.group(1))
            return
        match = self.UNITTEST_END.match(line)
        if match and self.unittests:
            self.read_unittest(match.group(1) or '')
            return
        match = self.PROVE.match(line)
        if match:
            self.prove_tests += int(match.group(1))
        match = self.PROVE_FAILED.search(line)
        if match and match.group(1):
            self.prove_failed += int(match.group(1))

    def read_tap(self, match):
        self.seen += 1
        rest = match.group('rest').lower()
        if '# skip' in rest or '# todo' in rest:
            self.skipped += 1
        elif match.group(1):
            self.failed += 1
        else:
            self.passed += 1

    def read_unittest(self, details):
        numbers = {key: int(value) for key, value in
                   re.findall(r'([a-z ]+)=(\d+)', details)}
        numbers = {key.strip(): value for key, value in numbers.items()}
        failed = numbers.get('failures', 0) + numbers.get('errors', 0)
        skipped = numbers.get('skipped', 0)
        self.failed += failed
        self.skipped += skipped
        self.passed += max(0, self.unittests - failed - skipped)
        self.unittests = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


class Suite:
    """One line of the summary.  make: targets to build before it runs."""

    def __init__(self, name, make=(), commands=None, programs=None,
                 timeout=900, quick=False, about=''):
        self.name = name
        self.make = make
        self.commands = commands or []
        self.programs = programs
        self.timeout = timeout
        self.quick = quick
        self.about = about

    def run(self, log):
        counts = Counts()
        if self.make:
            # -k: what does compile is tested all the same.
            build = ['make', '-k', '-j2', '--no-print-directory'] + self.make
            if run_command(build, log, 1200)[0]:
                counts.failed += 1
                write(log, '# the build failed\n')
        commands = list(self.commands)
        if self.programs:
            commands += self.programs()
        for command in commands:
            status, output = run_command(command, log, self.timeout)
            found = Counts(output)
            if found.planned > found.seen and found.seen:
                found.failed += 1
                write(log, '# stopped before its last test\n')
            if status and not found.failed:
                found.failed += 1
                write(log, '# ended with status %s\n' % status)
            if not status and not (found.passed + found.failed +
                                   found.skipped):
                found.failed += 1
                write(log, '# printed no result: %s\n' % ' '.join(command))
            counts.add(found)
        if not counts.passed and not counts.failed:
            counts.failed += 1
            write(log, '# no test of this suite ran\n')
        return counts


def write(log, text):
    log.write(text.encode('utf-8', 'replace'))
    log.flush()


def run_command(command, log, timeout):
    """Returns (status, output); the output is also in the log."""
    environment = dict(os.environ)
    environment.update({
        'CMOCKA_MESSAGE_OUTPUT': 'TAP',
        'ASAN_OPTIONS': environment.get('ASAN_OPTIONS', 'detect_leaks=1'),
        'UBSAN_OPTIONS': 'print_stacktrace=1',
        'PYTHONDONTWRITEBYTECODE': '1',
    })
    # The variables of the make that called us are not for those we call.
    for name in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL'):
        environment.pop(name, None)
    write(log, '# %s\n' % ' '.join(command))
    begin = log.tell()
    try:
        status = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, timeout=timeout).returncode
    except subprocess.TimeoutExpired:
        write(log, '# stopped after %d s\n' % timeout)
        status = 'timeout'
    except OSError as error:
        write(log, '# %s\n' % error)
        status = 'cannot run'
    log.seek(0, os.SEEK_END)
    with open(log.name, 'rb') as written:
        written.seek(begin)
        return status, written.read().decode('utf-8', 'replace')


def test_programs(variant, *patterns):
    """One command per test source, so that one that did not build shows."""
    out = 'build/test' if variant == 'plain' else 'build/%s/test' % variant

    def find():
        sources = []
        for pattern in patterns:
            sources += sorted(glob.glob(os.path.join(ROOT, TESTS, pattern)))
        return [[os.path.join(out, os.path.relpath(
            source, os.path.join(ROOT, TESTS)))[:-2]] for source in sources]
    return find


def replay_programs():
    commands = []
    for source in sorted(glob.glob(os.path.join(ROOT, TESTS,
                                                'fuzz/fuzz_*.c'))):
        target = os.path.basename(source)[:-2]
        files = []
        for folder in (target, target[len('fuzz_'):]):
            files += glob.glob(os.path.join(
                ROOT, TESTS, 'fuzz/corpora', folder, '*'))
        commands.append(['build/asan/test/fuzz/replay_' + target] +
                        sorted(os.path.relpath(path, ROOT)
                               for path in files))
    return commands


PYTHON = '/usr/bin/python3'
SUITES = [
    Suite('unit', ['-C', TESTS, 'unit'],
          programs=test_programs('plain', 'unit/test_*.c'), quick=True),
    Suite('kernels', ['-C', TESTS, 'kernels'],
          programs=test_programs('plain', 'kernels/check_*.c'), quick=True),
    Suite('parity', ['-C', TESTS, 'parity'],
          programs=test_programs('plain', 'parity/test_*.c')),
    Suite('fault', ['-C', TESTS, 'fault'],
          programs=test_programs('asan', 'fault/test_*.c')),
    Suite('asan', ['-C', TESTS, 'asan'],
          programs=test_programs('asan', 'unit/test_*.c',
                                 'kernels/check_*.c', 'parity/test_*.c')),
    Suite('fuzz-replay', ['-C', TESTS, 'replay'], programs=replay_programs),
    Suite('sqlite', ['sqlite'],
          [['make', '-s', '-C', 'sqlite_ext', 'check']]),
    Suite('sqlite-asan', [],
          [['make', '-s', '-C', 'sqlite_ext', 'check-asan']]),
    Suite('postgresql', ['all'], [['bash', 'src/test/run_pg.sh']],
          timeout=1800),
    Suite('plans', ['all'],
          [[PYTHON, 'src/test/plans/fuzz_plans.py', '--queries', '300']],
          about='random queries with batch plans and without'),
    Suite('cross', ['all', 'sqlite'],
          [[PYTHON, 'src/test/cross/run_cross.py']]),
    Suite('accuracy', ['sqlite'],
          [[PYTHON, 'src/test/accuracy/check_accuracy.py']]),
    Suite('documents', ['all', 'sqlite'],
          [[PYTHON, 'src/test/doc/run_examples.py']]),
    Suite('html', ['all', 'sqlite'],
          [[PYTHON, 'src/test/html/test_pages.py']]),
    Suite('lint', [], [[PYTHON, 'src/tools/lint.py']]),
]
QUICK_LINT = Suite('lint-light', [],
                   [[PYTHON, 'src/tools/lint.py', '--light']])


def choose_suites(options):
    if options.quick:
        return [suite for suite in SUITES if suite.quick] + [QUICK_LINT]
    if not options.only:
        return SUITES
    wanted = options.only.split(',')
    unknown = set(wanted) - {suite.name for suite in SUITES}
    if unknown:
        sys.exit('run_all.py: no such suite: ' + ', '.join(sorted(unknown)))
    return [suite for suite in SUITES if suite.name in wanted]


def print_tail(path):
    with open(path, encoding='utf-8', errors='replace') as log:
        lines = log.read().splitlines()
    bad = [line for line in lines if line.startswith('not ok')][:20]
    print('    --- %s' % os.path.relpath(path, ROOT))
    for line in bad + ['...'] * bool(bad) + lines[-TAIL_LINES:]:
        print('    ' + line[:300])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--only')
    parser.add_argument('--list', action='store_true')
    options = parser.parse_args()
    if options.list:
        print('\n'.join(suite.name for suite in SUITES))
        return 0
    os.makedirs(LOGS, exist_ok=True)
    total = Counts()
    for suite in choose_suites(options):
        path = os.path.join(LOGS, suite.name + '.log')
        start = time.monotonic()
        with open(path, 'wb') as log:
            counts = suite.run(log)
        skipped = ', %d skipped' % counts.skipped if counts.skipped else ''
        print('%-12s %5d passed, %d failed%s  (%.1f s)' % (
            suite.name, counts.passed, counts.failed, skipped,
            time.monotonic() - start), flush=True)
        if counts.failed:
            print_tail(path)
        total.add(counts)
    summary = '%d passed, %d failed' % (total.passed, total.failed)
    with open(os.path.join(LOGS, 'summary'), 'w', encoding='utf-8') as file:
        file.write(summary + '\n')
    print(summary)
    return 1 if total.failed or not total.passed else 0


if __name__ == '__main__':
    sys.exit(main())
