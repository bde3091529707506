#!/usr/bin/python3
"""bench_sharing.py - what many PostgreSQL backends pay for one large model.

    bench_sharing.py [--backends 8] [--clients 50] [--rounds 15]

On a model of MiniLM's geometry (90 MB): how often the weights are loaded when
many backends call it first at once, how much memory each backend has of its
own, and what a fresh backend's first call costs more than its second.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT, Cluster, clean_environment  # noqa: E402

CALL = "SELECT array_length(embed('one short text', 'large-v1'), 1);\n"


def start_psql(cluster):
    identity = {}
    if cluster.owner:
        identity = {'user': cluster.owner.pw_uid,
                    'group': cluster.owner.pw_gid, 'extra_groups': []}
    return subprocess.Popen(
        [cluster.program('psql'), '-X', '-q', '-A', '-t', '-h', cluster.work,
         '-U', 'postgres', '-d', 'postgres'], cwd=cluster.work,
        env=clean_environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, **identity)


def ask(shell, text):
    """Sends statements that print one line together, returns the line."""
    shell.stdin.write(text)
    shell.stdin.flush()
    return shell.stdout.readline().strip()


def close_all(shells):
    for shell in shells:
        shell.stdin.close()
        shell.wait()


def read_loads(cluster):
    output = cluster.psql("SELECT loads FROM model_stats() "
                          "WHERE name = 'large-v1';", options=['-A', '-t'])
    return output.strip()


def measure_loads(cluster, clients):
    shells = [start_psql(cluster) for _ in range(clients)]
    start = time.perf_counter()
    for shell in shells:
        shell.stdin.write(CALL)
        shell.stdin.flush()
    answers = {shell.stdout.readline().strip() for shell in shells}
    seconds = time.perf_counter() - start
    close_all(shells)
    print('%d backends called first at once: answers %s, loads = %s, '
          '%.2f s in all' % (clients, sorted(answers), read_loads(cluster),
                             seconds))


def measure_memory(cluster, backends):
    shells = [start_psql(cluster) for _ in range(backends)]
    pids = []
    for shell in shells:
        pids.append(ask(shell, 'SELECT pg_backend_pid();\n'))
        ask(shell, CALL)
    shares = []
    for pid in pids:
        with open('/proc/%s/smaps_rollup' % pid, encoding='ascii') as file:
            shares.append(int(re.search(r'^Pss:\s+(\d+) kB', file.read(),
                                        re.M).group(1)) / 1024)
    close_all(shells)
    print('Pss per backend of %d: %.1f MB (%.1f to %.1f)' % (
        backends, statistics.median(shares), min(shares), max(shares)))


def measure_first_call(cluster, rounds):
    firsts, seconds = [], []
    for _ in range(rounds):
        shell = start_psql(cluster)
        ask(shell, 'SELECT 1;\n')
        for times in (firsts, seconds):
            start = time.perf_counter()
            ask(shell, CALL)
            times.append(1000 * (time.perf_counter() - start))
        close_all([shell])
    differences = [a - b for a, b in zip(firsts, seconds)]
    print('first call of a fresh backend %.1f ms, second %.1f ms, '
          'difference %.1f ms (%.1f to %.1f), medians of %d backends' % (
              statistics.median(firsts), statistics.median(seconds),
              statistics.median(differences), min(differences),
              max(differences), rounds))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--backends', type=int, default=8)
    parser.add_argument('--clients', type=int, default=50)
    parser.add_argument('--rounds', type=int, default=15)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix='insitu-bench-')
    try:
        directory = os.path.join(folder, 'model')
        subprocess.run([sys.executable, os.path.join(
            ROOT, 'src/tools/make_random_model.py'), directory], check=True,
            stdout=subprocess.DEVNULL)
        with Cluster() as cluster:
            source = os.path.join(cluster.directory, 'model')
            shutil.copytree(directory, source)
            cluster.psql('CREATE EXTENSION insitu;')
            size = cluster.psql(
                "SELECT model_register('large-v1', '%s') <> '';"
                "SELECT bytes / 1048576 FROM model_list() "
                "WHERE name = 'large-v1';" % source, options=['-A', '-t'])
            print('pack: %s MB' % size.split()[-1])
            measure_loads(cluster, options.clients)
            measure_memory(cluster, options.backends)
            measure_first_call(cluster, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
