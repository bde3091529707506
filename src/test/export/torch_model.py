"""torch_model.py - an exported directory computed with torch, in float64.

A reader of its own, after the published definitions of BERT and DistilBERT and
docs/importing-models.md: it shares nothing with insitu but the token ids.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import struct

import torch
from torch.nn import functional

KEYS = {
    'bert': ('num_hidden_layers', 'num_attention_heads', 'hidden_act'),
    'distilbert': ('n_layers', 'n_heads', 'activation'),
}
# Names of a layer: query, key, value, output, norm, up, down, norm.
LAYERS = {
    'bert': ('bert.encoder.layer.%d.', (
        'attention.self.query', 'attention.self.key', 'attention.self.value',
        'attention.output.dense', 'attention.output.LayerNorm',
        'intermediate.dense', 'output.dense', 'output.LayerNorm')),
    'distilbert': ('distilbert.transformer.layer.%d.', (
        'attention.q_lin', 'attention.k_lin', 'attention.v_lin',
        'attention.out_lin', 'sa_layer_norm', 'ffn.lin1', 'ffn.lin2',
        'output_layer_norm')),
}
DENSE = {'bert': 'bert.pooler.dense', 'distilbert': 'pre_classifier'}
USUAL = {'bert': 'tanh', 'distilbert': 'relu'}
ACTIVATIONS = {
    'gelu': functional.gelu,
    'gelu_new': lambda x: functional.gelu(x, approximate='tanh'),
    'relu': torch.relu, 'tanh': torch.tanh, 'none': lambda x: x,
}
TYPES = {'F32': torch.float32, 'F16': torch.float16}


STEP = 0x9E3779B97F4A7C15


def splitmix64(state):
    """(next state, number)"""
    mask = (1 << 64) - 1
    state = bits = (state + STEP) & mask
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & mask
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & mask
    return state, bits ^ bits >> 31


def word_rows(ids, rows):
    """Of each piece and each pair of them, by what SplitMix64 makes of it."""
    pieces, found = ids[1:-1], []
    for piece, after in zip(pieces, pieces[1:] + [None]):
        _, bits = splitmix64(piece)
        found.append(bits % rows)
        if after is not None:
            _, bits = splitmix64(bits + after + 1 - STEP)
            found.append(bits % rows)
    return found


def signs(piece, size):
    """1 or -1 by the bits, the lowest first, of a number for each 64."""
    found, state = [], piece
    while len(found) < size:
        state, bits = splitmix64(state)
        found += [2.0 * (bits >> i & 1) - 1 for i in range(64)]
    return found[:size]


def read_safetensors(path):
    """{name: float64 tensor}"""
    with open(path, 'rb') as file:
        length, = struct.unpack('<Q', file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        begin, end = entry['data_offsets']
        tensor = torch.frombuffer(bytearray(data[begin:end]),
                                  dtype=TYPES[entry['dtype']])
        tensors[name] = tensor.reshape(entry['shape']).double()
    return tensors


class Model:
    def __init__(self, directory):
        self.directory = directory
        self.config = self.read('config.json')
        self.kind = self.config['model_type']
        self.tensors = read_safetensors(
            os.path.join(directory, 'model.safetensors'))
        self.modules = self.read('modules.json')
        self.pooling = self.read('1_Pooling/config.json')
        self.lexical = self.read('insitu_lexical.json')

    def read(self, name):
        path = os.path.join(self.directory, name)
        if not os.path.exists(path):
            return None
        with open(path, encoding='utf-8') as file:
            return json.load(file)

    def linear(self, name, x):
        return functional.linear(x, self.tensors[name + '.weight'],
                                 self.tensors[name + '.bias'])

    def norm(self, name, x):
        return functional.layer_norm(
            x, x.shape[-1:], self.tensors[name + '.weight'],
            self.tensors[name + '.bias'],
            self.config.get('layer_norm_eps', 1e-12))

    def layer(self, number, x):
        prefix, names = LAYERS[self.kind]
        names = [prefix % number + name for name in names]
        _, heads, activation = KEYS[self.kind]
        heads = self.config[heads]
        query, key, value = (
            self.linear(name, x).reshape(len(x), heads, -1).transpose(0, 1)
            for name in names[:3])
        shares = torch.softmax(
            query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, -1)
        mixed = (shares @ value).transpose(0, 1).reshape(x.shape)
        x = self.norm(names[4], x + self.linear(names[3], mixed))
        wide = ACTIVATIONS[self.config[activation]](self.linear(names[5], x))
        return self.norm(names[7], x + self.linear(names[6], wide))

    def hidden(self, ids):
        """[tokens][hidden]"""
        front = self.kind + '.embeddings.'
        x = self.tensors[front + 'word_embeddings.weight'][ids]
        x = x + self.tensors[front + 'position_embeddings.weight'][:len(ids)]
        if self.kind == 'bert':
            x = x + self.tensors[front + 'token_type_embeddings.weight'][0]
        x = self.norm(front + 'LayerNorm', x)
        for number in range(self.config[KEYS[self.kind][0]]):
            x = self.layer(number, x)
        return x

    def features(self, ids):
        """What heads over embeddings read."""
        x = self.hidden(ids)
        if self.pooling['pooling_mode_cls_token']:
            x = x[0]
        elif self.pooling['pooling_mode_max_tokens']:
            x = x.max(0).values
        else:
            x = x.mean(0)
        if len(self.modules) == 3:
            x = functional.normalize(x, dim=0)
        return x

    def lexical_part(self, ids, file):
        """Random signs for each piece, from SplitMix64 of its id."""
        part = torch.zeros(file['size'], dtype=torch.float64)
        for piece in set(ids):
            count = ids.count(piece)
            weight = file['weights'][piece] * count / (
                count + file['saturation'])
            part += weight * torch.tensor(signs(piece, file['size']))
        return functional.normalize(part, dim=0) * file['document']

    def embedding(self, ids):
        x = self.features(ids)
        if self.lexical:
            x = torch.cat([x, self.lexical_part(ids, self.lexical)])
            x = functional.normalize(x, dim=0)
        return x

    def scores(self, ids):
        """What the head gives, through softmax or sigmoid."""
        head = self.config.get('insitu_head') or {
            'reads': 'first_token', 'dense': USUAL[self.kind]}
        if head['reads'] == 'embedding':
            x = self.features(ids)
        else:
            x = self.hidden(ids)[0]
        if 'dense' in head:
            x = ACTIVATIONS[head['dense']](self.linear(DENSE[self.kind], x))
        logits = self.linear('classifier', x)
        if 'words' in head:
            rows = word_rows(ids, head['words'])
            for row in self.tensors['word_classifier.weight'][rows]:
                logits = logits + row / len(rows) ** 0.5
        if self.config['problem_type'] == 'multi_label_classification':
            return torch.sigmoid(logits)
        return torch.softmax(logits, -1)
