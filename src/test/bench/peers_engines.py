"""peers_engines.py - the engines of bench_peers.py, each in its own process.

SPDX-License-Identifier: PostgreSQL
"""
import glob
import json
import os
import subprocess
import time

from bench_sql import cosine
from peers_setup import BUILD, HERE, LLAMA_MODULES, MODULES, compile_preload

CORES = (1, 0) if os.cpu_count() > 1 else (0,)
INT8, FLOAT = 0.98, 0.999  # least cosine with insitu's f32


def read_times(process):
    """(seconds its threads ran, seconds they were ready without a core)"""
    total = [0.0, 0.0]
    for path in glob.glob('/proc/%d/task/*/schedstat' % process):
        try:
            with open(path, encoding='utf-8') as file:
                ran, waited, _ = map(int, file.read().split())
            total[0] += ran / 1e9
            total[1] += waited / 1e9
        except (OSError, ValueError):
            continue  # a thread that ended
    return total


class Timer:
    """Of a process: wall clock, time on a core, time without one."""

    def __init__(self, process):
        self.process = process
        self.start = time.monotonic(), *read_times(process)

    def read(self):
        """(share of the wall clock that it ran, share that it waited)"""
        wall, ran, waited = (
            end - begin for begin, end in zip(
                self.start, (time.monotonic(), *read_times(self.process))))
        return ran / wall, waited / wall


class Worker:
    """A process that answers each line of standard input with one."""

    def __init__(self, name, command, cores, least=0.0, environment=()):
        self.name = name
        self.least = least
        self.is_alone = len(cores) == 1
        self.version = ''
        self.cosine = None
        self.process = subprocess.Popen(
            ['taskset', '-c', ','.join(map(str, cores))] + command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
            env=dict(os.environ, OMP_NUM_THREADS=str(len(cores)),
                     OPENBLAS_NUM_THREADS='1', **dict(environment)))

    def send(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise OSError('%s ended' % self.name)
        answer = json.loads(line)
        if isinstance(answer, dict):
            raise OSError('%s: %s' % (self.name, answer['error'][:120]))
        return answer

    def ask(self, command):
        self.send(command)
        return self.receive()

    def measure(self, command):
        """(answer, share of the time it counts, share that it waited)"""
        timer = Timer(self.process.pid)
        answer = self.ask(command)
        ran, waited = timer.read()
        # Threads that wait for each other count by the clock.
        return answer, ran if self.is_alone else 1.0, waited

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Pair:
    """Two workers that answer at the same time, each on its own core."""

    def __init__(self, name, make):
        self.name = name
        self.workers = [make(name, (core,)) for core in CORES]
        self.version = self.cosine = None
        self.least = 0.0

    def measure(self, command):
        timers = [Timer(worker.process.pid) for worker in self.workers]
        for worker in self.workers:
            worker.send(command)
        answers = []
        for worker, timer in zip(self.workers, timers):
            answer = worker.receive()
            answers.append((answer, *timer.read()))
        return answers

    def close(self):
        for worker in self.workers:
            worker.close()


def measure_rates(engine, command):
    """[(answer, share that counts, share waited)] of its processes"""
    answers = engine.measure(command)
    return answers if isinstance(answers, list) else [answers]


# --- which engine is started how: (name, cores) -> Worker ---------------------

def core_starter(geometry, program, weights):
    return lambda name, cores: Worker(
        name, [program, geometry.path('cases.txt'),
               geometry.path(weights + '.pack')], cores,
        INT8 if weights == 'int8' else FLOAT)


def onnx_starter(geometry, weights):
    return lambda name, cores: Worker(
        name, ['node', os.path.join(HERE, 'onnx_worker.js'), MODULES,
               geometry.path('cases.json'),
               geometry.path('model-%s.onnx' % weights), str(len(cores))],
        cores, INT8 if weights == 'int8' else FLOAT)


def torch_starter(geometry):
    return lambda name, cores: Worker(
        name, ['/usr/bin/python3', os.path.join(HERE, 'torch_worker.py'),
               geometry.path('cases.json'), geometry.model, str(len(cores))],
        cores, FLOAT)


def llama_starter(geometry, weights):
    return lambda name, cores: Worker(
        name, ['node', os.path.join(HERE, 'llama_worker.mjs'),
               LLAMA_MODULES, geometry.path('cases.json'),
               geometry.path(weights + '.gguf'), str(len(cores))], cores,
        INT8 if weights == 'q8_0' else FLOAT)


def list_starters(geometry, program):
    """[(name, starter, has threads)]"""
    return ([('insitu ' + weights, core_starter(geometry, program, weights),
              False) for weights in ('int8', 'bf16', 'f32')] +
            [('onnxruntime ' + weights, onnx_starter(geometry, weights), True)
             for weights in ('int8', 'f32')] +
            [('llama.cpp ' + weights, llama_starter(geometry, weights), True)
             for weights in ('q8_0', 'f32')] +
            [('torch f32', torch_starter(geometry), True)])


def add_worker(workers, missing, worker):
    """Leaves out, with the reason, what does not answer."""
    try:
        if isinstance(worker, Worker):
            worker.version = worker.ask('version')
        workers.append(worker)
    except (OSError, ValueError) as error:
        missing.append((worker.name, str(error)))


def open_engines(geometry, program, missing):
    """(engines on one core, engines on two, insitu's f32 embedding)"""
    alone, shared = [], []
    for name, start, threads in list_starters(geometry, program):
        worker = start(name, CORES[:1])
        if not threads:
            alone.append(worker)
        else:
            add_worker(alone, missing, worker)
        if len(CORES) < 2 or worker not in alone:
            continue
        if threads:
            add_worker(shared, missing, start(name + ', 2 threads', CORES))
        if name in ('insitu int8', 'insitu f32', 'onnxruntime int8'):
            add_worker(shared, missing, Pair(name + ', 2 processes', start))
    reference = alone[2].ask('embed 1')
    for engine in alone:
        engine.cosine = cosine(engine.ask('embed 1'), reference)
    return alone, shared, reference


# --- SQLite -------------------------------------------------------------------

def sqlite_starter(geometry):
    return lambda name, cores: Worker(
        name, ['/usr/bin/python3', os.path.join(HERE, 'sqlite_worker.py'),
               geometry.model, geometry.path('texts.json')], cores, INT8,
        {'XDG_CACHE_HOME': os.path.join(BUILD, 'cache')}.items())


def find_library(package, name):
    for path, _, files in os.walk(MODULES):
        if name in files and package in path:
            return os.path.join(path, name)
    raise OSError('the package has no library for this machine')


def lembed_starter(geometry):
    found = find_library('sqlite-lembed', 'lembed0.so')
    preload = compile_preload()
    return lambda name, cores: Worker(
        name, ['/usr/bin/python3', os.path.join(HERE, 'lembed_worker.py'),
               found[:-3], geometry.path('q8_0.gguf'),
               geometry.path('texts.json')], cores, INT8,
        {'LEMBED_LIBRARY': found, 'LD_PRELOAD': preload,
         'LEMBED_THREADS': str(len(cores))}.items())


def ai_starter(geometry):
    found = find_library('sqlite-ai', 'ai.so')
    return lambda name, cores: Worker(
        name, ['/usr/bin/python3', os.path.join(HERE, 'ai_worker.py'), found,
               geometry.path('q8_0.gguf'), geometry.path('texts.json'),
               str(len(cores))], cores, INT8)


def open_sqlite(geometry, text, reference, missing):
    """Workers that answer "run LENGTH ROWS" with seconds."""
    workers = []
    start = sqlite_starter(geometry)
    add_worker(workers, missing, start('insitu int8', CORES[:1]))
    if len(CORES) > 1:
        add_worker(workers, missing, Pair('insitu int8, 2 processes', start))
    for name, make in (('sqlite-lembed q8_0', lembed_starter),
                       ('sqlite-ai q8_0', ai_starter)):
        try:
            start = make(geometry)
            add_worker(workers, missing, start(name, CORES[:1]))
            if len(CORES) > 1:
                add_worker(workers, missing,
                           start(name + ', 2 threads', CORES))
        except (OSError, subprocess.CalledProcessError) as error:
            missing.append((name, str(error)))
    for worker in workers:
        if isinstance(worker, Worker):
            worker.cosine = cosine(worker.ask('embed ' + text), reference)
    return workers
