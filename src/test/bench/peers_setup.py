"""peers_setup.py - what bench_peers.py measures: geometries, texts, files.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field

from bench_sql import read_words

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT  # noqa: E402

BUILD = os.path.join(ROOT, 'build', 'bench')
# Packages of npm, for the benchmark only.  The optional ones of node-llama-cpp
# are libraries for GPUs, the others need theirs: hence two folders.
MODULES = os.path.join(BUILD, 'node_modules')
LLAMA_MODULES = os.path.join(BUILD, 'llama', 'node_modules')
PACKAGES = ((MODULES, ['onnxruntime-node']), (MODULES, ['sqlite-lembed']),
            (MODULES, ['@sqliteai/sqlite-ai']),
            (LLAMA_MODULES, [
                '--omit=optional', 'node-llama-cpp',
                '@node-llama-cpp/linux-%s' % (
                    'arm64' if os.uname().machine == 'aarch64' else 'x64')]))
MIXED = [4 + i * 124 // 31 for i in range(32)]
# label -> tokens of the texts, texts per call
CASES = {'1 × %d' % n: ([n] * 32, 1) for n in (16, 32, 64, 128, 256)}
CASES.update({'32 × 32': ([32] * 32, 32), '32 × 4..128': (MIXED, 32),
              '1 × 4..128': (MIXED, 1), '32 × 34': ([34] * 32, 32)})
BESIDE_SQL = '32 × 34'  # of insitu alone, beside PostgreSQL's figure


@dataclass
class Geometry:
    name: str
    title: str
    layers: int
    hidden: int
    inner: int
    shown: list  # cases of the table of one core
    shared: list  # and of two cores
    rows: dict  # tokens of the texts in SQL -> rows
    peer_rows: int  # as many of 34 tokens for the peers in SQLite
    words: list = field(default_factory=list)

    @property
    def cases(self):
        return self.shown + [BESIDE_SQL]

    @property
    def folder(self):
        return os.path.join(BUILD, self.name)

    @property
    def model(self):
        return os.path.join(self.folder, 'model')

    def path(self, name):
        return os.path.join(self.folder, name)

    def count_products(self):
        """Multiply-adds with weights, per token."""
        return self.layers * (4 * self.hidden ** 2 +
                              2 * self.hidden * self.inner)


GEOMETRIES = [
    Geometry('minilm', 'Geometry of all-MiniLM-L6-v2 (6 layers, 384 wide, 12 '
             'heads, 1536 inner, vocabulary 30,522)', 6, 384, 1536,
             [label for label in CASES if label != BESIDE_SQL],
             ['1 × 32', '1 × 128', '32 × 32'], {34: 512, 8: 1024}, 6),
    Geometry('bert-base', 'Geometry of bert-base (12 layers, 768 wide, 12 '
             'heads, 3072 inner, vocabulary 30,522)', 12, 768, 3072,
             ['1 × 16', '1 × 32', '1 × 128', '32 × 32', '32 × 4..128'],
             ['1 × 32', '32 × 32'], {34: 128, 8: 256}, 2)]


def run_quietly(command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)


def install_packages():
    for modules, words in PACKAGES:
        if os.path.isdir(os.path.join(modules, words[-1])):
            continue
        os.makedirs(modules, exist_ok=True)
        try:
            # The scripts of these packages fetch libraries for GPUs.
            run_quietly(['npm', 'install', '--silent', '--no-audit',
                         '--no-fund', '--ignore-scripts', '--prefix',
                         os.path.dirname(modules)] + words,
                        stderr=subprocess.DEVNULL, timeout=180)
        except (OSError, subprocess.SubprocessError) as error:
            print('# %s: %s' % (words[-1], error))


def compile_program(name):
    multiarch = subprocess.run(['gcc', '-print-multiarch'], check=True,
                               stdout=subprocess.PIPE).stdout.decode().strip()
    core = os.path.join(ROOT, 'src/core')
    out = os.path.join(BUILD, name)
    run_quietly(['gcc', '-std=c11', '-D_GNU_SOURCE', '-O3', '-I' + core,
                 '-I' + os.path.dirname(core), '-o', out,
                 os.path.join(HERE, name + '.c'),
                 os.path.join(ROOT, 'build/libinsitu_store.a'),
                 os.path.join(ROOT, 'build/libinsitu_core.a'),
                 '/usr/lib/%s/openblas-serial/libopenblas.a' % multiarch,
                 '-lutf8proc', '-ljansson', '-lmd', '-lm', '-lpthread'])
    return out


def compile_preload():
    out = os.path.join(BUILD, 'lembed_threads.so')
    run_quietly(['gcc', '-O2', '-shared', '-fPIC', '-o', out,
                 os.path.join(HERE, 'lembed_threads.c'), '-ldl'])
    return out


def make_texts(words, lengths, seed):
    """[(ids, text)], all different; [CLS] and [SEP] are two of the tokens."""
    dice = random.Random(seed)
    chosen = [[dice.choice(words) for _ in range(length - 2)]
              for length in lengths]
    return [([2] + [number for number, _ in text] + [3],
             ' '.join(word for _, word in text)) for text in chosen]


def write_cases(geometry):
    """cases.json, cases.txt (of the core) and texts.json (of SQL)."""
    cases = []
    for seed, label in enumerate(geometry.cases):
        lengths, per_call = CASES[label]
        mixed = len(set(lengths)) > 1
        unit = len(lengths) if mixed else per_call
        texts = make_texts(geometry.words, lengths, seed)
        cases.append({'per_call': per_call, 'unit': unit, 'mixed': mixed,
                      'ids': [ids for ids, _ in texts],
                      'texts': [text for _, text in texts]})
    with open(geometry.path('cases.json'), 'w', encoding='utf-8') as file:
        json.dump(cases, file)
    with open(geometry.path('cases.txt'), 'w', encoding='utf-8') as file:
        for case in cases:
            file.write('%d %d %d\n' % (len(case['texts']), case['per_call'],
                                       case['unit']))
            file.writelines(text + '\n' for text in case['texts'])
    rows = [(length, body) for length, count in geometry.rows.items()
            for _, body in make_texts(geometry.words, [length] * count,
                                      length)]
    with open(geometry.path('texts.json'), 'w', encoding='utf-8') as file:
        json.dump(rows, file)
    return cases[1]['texts'][0], rows  # the first is compared between engines


def make_graphs(geometry):
    """For onnxruntime and for llama.cpp."""
    if not os.path.exists(geometry.path('model-int8.onnx')):
        run_quietly([sys.executable, os.path.join(HERE, 'make_onnx.py'),
                     geometry.model, geometry.folder])
    for weights in ('f32', 'q8_0'):
        path = geometry.path(weights + '.gguf')
        if not os.path.exists(path):
            run_quietly([sys.executable, os.path.join(HERE, 'make_gguf.py'),
                         geometry.model, path, weights])


def make_files(geometry):
    if not os.path.exists(os.path.join(geometry.model, 'model.safetensors')):
        run_quietly([sys.executable, os.path.join(
            ROOT, 'src/tools/make_random_model.py'), geometry.model,
            '--layers', str(geometry.layers), '--hidden',
            str(geometry.hidden), '--intermediate', str(geometry.inner)])
    for weights in ('int8', 'bf16', 'f32'):
        run_quietly([os.path.join(ROOT, 'build/make_pack'), geometry.model,
                     geometry.path(weights + '.pack'),
                     '{"weights": "%s"}' % weights])
    try:
        make_graphs(geometry)
    except subprocess.CalledProcessError as error:
        print('# %s' % error)
    known = set(read_words(geometry.model))
    with open(os.path.join(geometry.model, 'vocab.txt'),
              encoding='utf-8') as file:
        geometry.words = [(number, word) for number, word in
                          enumerate(file.read().split('\n')) if word in known]
