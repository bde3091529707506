#!/usr/bin/python3
"""bench_train_step.py - a step of fine-tuning against python3-torch's.

    bench_train_step.py [--rounds 9] [--build build]

The same model, batch and dropout, one thread each, f32: forward, backward,
clipping, AdamW.  Times are the processor's, so that other programs of the
machine do not count.  The two take turns, step by step, so that both meet the
same state of the machine; printed are the medians with the lowest and highest
and the ratio of the medians.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__),
                                     '..', '..', '..'))
# name, layers, hidden, heads, intermediate, vocabulary, texts, tokens
SHAPES = [
    ('6 x 384, 1536', 6, 384, 12, 1536, 30522, 32, 32),
    ('4 x 256, 1024', 4, 256, 4, 1024, 11501, 32, 32),
    ('4 x 256, 1024, short', 4, 256, 4, 1024, 11501, 32, 16),
]
LABELS, DROPOUT = 8, 0.1


def make_torch_step(shape):
    """A function that runs one step, in torch's own fused functions."""
    import torch
    from torch import nn
    from torch.nn import functional
    torch.set_num_threads(1)
    torch.manual_seed(1)
    _, layers, hidden, heads, inner, vocabulary, texts, tokens = shape

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(hidden, 3 * hidden)
            self.out = nn.Linear(hidden, hidden)
            self.up = nn.Linear(hidden, inner)
            self.down = nn.Linear(inner, hidden)
            self.norms = nn.ModuleList(nn.LayerNorm(hidden, eps=1e-12)
                                       for _ in range(2))
            self.drop = nn.Dropout(DROPOUT)

        def forward(self, x):
            query, key, value = (self.qkv(x).view(
                texts, tokens, 3, heads, hidden // heads)
                .permute(2, 0, 3, 1, 4))
            scores = query @ key.transpose(-1, -2)
            shares = self.drop(
                (scores * (hidden // heads) ** -0.5).softmax(-1))
            mixed = (shares @ value).transpose(1, 2).reshape(x.shape)
            x = self.norms[0](x + self.drop(self.out(mixed)))
            wide = functional.gelu(self.up(x))
            return self.norms[1](x + self.drop(self.down(wide)))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(vocabulary, hidden)
            self.positions = nn.Embedding(512, hidden)
            self.types = nn.Embedding(2, hidden)
            self.norm = nn.LayerNorm(hidden, eps=1e-12)
            self.layers = nn.ModuleList(Layer() for _ in range(layers))
            self.head = nn.Linear(hidden, LABELS)
            self.drop = nn.Dropout(DROPOUT)

        def forward(self, ids):
            x = (self.words(ids) + self.positions.weight[:tokens] +
                 self.types.weight[0])
            x = self.drop(self.norm(x))
            for layer in self.layers:
                x = layer(x)
            return self.head(x.mean(1))

    model = Model()
    ids = torch.tensor([100 + i * 37 % (vocabulary - 100)
                        for i in range(texts * tokens)]).view(texts, tokens)
    targets = torch.arange(texts) % LABELS
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def step():
        start = time.process_time()
        optimiser.zero_grad()
        functional.cross_entropy(model(ids), targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        return time.process_time() - start
    return step


def open_core(build, shape, directory):
    """A function that runs one step in the core."""
    _, layers, hidden, heads, inner, vocabulary, texts, tokens = shape
    source = os.path.join(directory, 'source-%d-%d' % (hidden, tokens))
    pack = source + '.pack'
    subprocess.run([sys.executable,
                    os.path.join(ROOT, 'src/tools/make_random_model.py'),
                    source, '--layers', str(layers), '--hidden', str(hidden),
                    '--heads', str(heads), '--intermediate', str(inner),
                    '--vocabulary', str(vocabulary)], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([os.path.join(build, 'make_pack'), source, pack,
                    '{"weights": "f32"}'], check=True,
                   stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [os.path.join(build, 'bench_train_step'), pack, str(texts),
         str(tokens)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step():
        process.stdin.write(b'step\n')
        process.stdin.flush()
        return float(process.stdout.readline())
    return process, step


def show(seconds):
    return '%7.1f ms (%.1f to %.1f)' % tuple(
        1000 * value for value in (statistics.median(seconds), min(seconds),
                                   max(seconds)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--build', default=os.path.join(ROOT, 'build'))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for shape in SHAPES:
            process, core = open_core(options.build, shape, directory)
            torch_step = make_torch_step(shape)
            times = {'core': [], 'torch': []}
            for number in range(options.rounds + 1):
                for name, step in (('core', core), ('torch', torch_step)):
                    seconds = step()
                    # The first step allocates.
                    if number:
                        times[name].append(seconds)
            process.stdin.close()
            process.wait()
            print('%s, %d texts of %d tokens' % (shape[0], shape[6],
                                                 shape[7]))
            for name in ('core', 'torch'):
                print('  %-6s%s' % (name, show(times[name])))
            print('  core is %.2f times as fast as torch' % (
                statistics.median(times['torch']) /
                statistics.median(times['core'])), flush=True)


if __name__ == '__main__':
    main()
