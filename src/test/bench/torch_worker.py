#!/usr/bin/python3
"""torch_worker.py - python3-torch in a process of its own, for bench_peers.py.

    torch_worker.py cases.json model threads

An encoder in torch's own fused functions (linear, gelu, layer_norm, batched
products), f32.  Commands and answers as onnx_worker.js.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import sys
import time

import torch
from torch.nn import functional

from make_onnx import read_safetensors


class Encoder:
    def __init__(self, directory):
        with open(os.path.join(directory, 'config.json'),
                  encoding='utf-8') as file:
            self.config = json.load(file)
        self.tensors = {
            name: torch.from_numpy(value.copy())
            for name, value in read_safetensors(
                os.path.join(directory, 'model.safetensors')).items()}
        for layer in range(self.config['num_hidden_layers']):
            prefix = 'encoder.layer.%d.attention.self.' % layer
            for end in ('.weight', '.bias'):
                self.tensors[prefix + 'all' + end] = torch.cat(
                    [self.tensors[prefix + part + end]
                     for part in ('query', 'key', 'value')])

    def linear(self, name, source):
        return functional.linear(source, self.tensors[name + '.weight'],
                                 self.tensors[name + '.bias'])

    def normalise(self, name, source):
        return functional.layer_norm(
            source, (self.config['hidden_size'],),
            self.tensors[name + '.weight'], self.tensors[name + '.bias'],
            self.config['layer_norm_eps'])

    def attend(self, prefix, source, mask):
        batch, tokens, hidden = source.shape
        heads = self.config['num_attention_heads']
        query, key, value = (
            self.linear(prefix + 'self.all', source)
            .view(batch, tokens, 3, heads, hidden // heads)
            .permute(2, 0, 3, 1, 4))
        scores = torch.matmul(query, key.transpose(-1, -2))
        scores = scores * (hidden // heads) ** -0.5 + mask
        context = torch.matmul(torch.softmax(scores, -1), value)
        return context.transpose(1, 2).reshape(batch, tokens, hidden)

    def run(self, ids, mask):
        tensors = self.tensors
        state = (functional.embedding(
            ids, tensors['embeddings.word_embeddings.weight']) +
            tensors['embeddings.position_embeddings.weight'][:ids.shape[1]] +
            tensors['embeddings.token_type_embeddings.weight'][0])
        state = self.normalise('embeddings.LayerNorm', state)
        hidden_keys = ((1.0 - mask) * -1e9)[:, None, None, :]
        for layer in range(self.config['num_hidden_layers']):
            prefix = 'encoder.layer.%d.' % layer
            part = prefix + 'attention.'
            context = self.attend(part, state, hidden_keys)
            state = self.normalise(
                part + 'output.LayerNorm',
                self.linear(part + 'output.dense', context) + state)
            wide = functional.gelu(
                self.linear(prefix + 'intermediate.dense', state))
            state = self.normalise(
                prefix + 'output.LayerNorm',
                self.linear(prefix + 'output.dense', wide) + state)
        return functional.normalize((state * mask[:, :, None]).sum(1))


def make_inputs(texts):
    tokens = max(len(ids) for ids in texts)
    return (torch.tensor([ids + [0] * (tokens - len(ids)) for ids in texts]),
            torch.tensor([[1.0] * len(ids) + [0.0] * (tokens - len(ids))
                          for ids in texts]))


def run_case(encoder, entry, calls, seconds):
    start = time.perf_counter()
    done, passed = 0, 0.0
    while passed < seconds or done * entry['per_call'] % entry['unit']:
        encoder.run(*calls[done % len(calls)])
        done += 1
        passed = time.perf_counter() - start
    return done * entry['per_call'] / passed


def main():
    cases_path, directory, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.set_grad_enabled(False)
    with open(cases_path, encoding='utf-8') as file:
        cases = json.load(file)
    encoder = Encoder(directory)
    calls = [[make_inputs(entry['ids'][i:i + entry['per_call']])
              for i in range(0, len(entry['ids']), entry['per_call'])]
             for entry in cases]
    for line in sys.stdin:
        command, *rest = line.split()
        if command == 'version':
            answer = torch.__version__
        elif command == 'run':
            number = int(rest[0])
            answer = run_case(encoder, cases[number], calls[number],
                              float(rest[1]))
        else:
            answer = encoder.run(*make_inputs(
                cases[int(rest[0])]['ids'][:1]))[0].tolist()
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
