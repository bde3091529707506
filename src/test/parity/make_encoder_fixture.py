#!/usr/bin/python3
"""make_encoder_fixture.py - tiny models and what they must compute.

    make_encoder_fixture.py [directory]      (default: fixtures beside this)

Writes encoder_*/: a Hugging Face directory with seeded random weights and
expected.txt, computed in float64 with plain torch operations that follow the
papers (Devlin et al. 2018, Sanh et al. 2019) and not our code.  The weights
are first rounded to the type that they are stored in.

expected.txt: "sizes <hidden> <labels>", then per text

    item <tokens> <raw>     raw 1: ids only, no text can give them
    <the text>
    <the ids, truncated to the model's limit>
    <hidden states of the first, middle and last token>
    <scores, one per label>                 (only when labels > 0)
    <embedding>                             (only when labels = 0)

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import random
import struct
import sys

import torch

HERE = os.path.dirname(os.path.realpath(__file__))
SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
CLS, SEP = 2, 3
LAYERS, INNER, POSITIONS = 2, 72, 48
WORD_COUNTS = [0, 1, 2, 3, 5, 7, 8, 13, 14, 21, 29, POSITIONS - 2, 60]
TYPES = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16}

CASES = [
    dict(name='bert_classify', hidden=32, heads=4, labels=3),
    dict(name='bert_multi_label', hidden=36, heads=3, labels=5, multi=True,
         act='gelu_new', type='F16'),
    dict(name='bert_relu', hidden=32, heads=2, labels=1, act='relu',
         multi=True),
    dict(name='bert_mean', hidden=32, heads=4, pooling='mean', type='BF16',
         normalize=True),
    dict(name='bert_cls', hidden=40, heads=5, pooling='cls', shards=2),
    dict(name='bert_max', hidden=32, heads=4, pooling='max', vocab_txt=True),
    dict(name='distilbert_classify', kind='distilbert', hidden=36, heads=3,
         labels=4),
    dict(name='distilbert_embed', kind='distilbert', hidden=32, heads=8,
         pooling='mean', normalize=True, type='F16'),
]


def make_words():
    return [a + b for a in ('ba', 'do', 'fi', 'ku', 'le', 'mo', 'nu', 're')
            for b in ('ga', 'hi', 'jo', 'pa', 'so', 'te', 'va', 'zu')]


# --- weights ----------------------------------------------------------------

def names_of(case):
    """Our short names to those of the file, per kind."""
    if case['kind'] == 'bert':
        layer = 'encoder.layer.%d.'
        parts = {'q': 'attention.self.query', 'k': 'attention.self.key',
                 'v': 'attention.self.value', 'o': 'attention.output.dense',
                 'n1': 'attention.output.LayerNorm',
                 'up': 'intermediate.dense', 'down': 'output.dense',
                 'n2': 'output.LayerNorm'}
    else:
        layer = 'transformer.layer.%d.'
        parts = {'q': 'attention.q_lin', 'k': 'attention.k_lin',
                 'v': 'attention.v_lin', 'o': 'attention.out_lin',
                 'n1': 'sa_layer_norm', 'up': 'ffn.lin1', 'down': 'ffn.lin2',
                 'n2': 'output_layer_norm'}
    return layer, parts


def make_weights(case, pieces):
    generator = torch.Generator().manual_seed(sum(case['name'].encode()))
    hidden, weights = case['hidden'], {}

    def add(name, *shape, base=0.0, scale=0.3):
        values = torch.randn(*shape, generator=generator) * scale + base
        weights[name] = values.to(TYPES[case['type']])

    def add_dense(name, outputs, inputs):
        add(name + '.weight', outputs, inputs)
        add(name + '.bias', outputs)

    def add_norm(name):
        add(name + '.weight', hidden, base=1.0)
        add(name + '.bias', hidden)

    add('embeddings.word_embeddings.weight', pieces, hidden, scale=1.0)
    add('embeddings.position_embeddings.weight', POSITIONS, hidden)
    if case['kind'] == 'bert':
        add('embeddings.token_type_embeddings.weight', 2, hidden)
    add_norm('embeddings.LayerNorm')
    layer, parts = names_of(case)
    for i in range(LAYERS):
        for part, name in parts.items():
            name = layer % i + name
            if part in ('n1', 'n2'):
                add_norm(name)
            elif part == 'up':
                add_dense(name, INNER, hidden)
            elif part == 'down':
                add_dense(name, hidden, INNER)
            else:
                add_dense(name, hidden, hidden)
    if case['labels'] > 0:
        add_dense('pooler.dense' if case['kind'] == 'bert'
                  else 'pre_classifier', hidden, hidden)
        add_dense('classifier', case['labels'], hidden)
    return weights


# --- the independent computation --------------------------------------------

def activate(name, x):
    if name == 'relu':
        return torch.clamp(x, min=0)
    if name == 'gelu_new':
        inner = (2 / torch.pi) ** 0.5 * (x + 0.044715 * x ** 3)
        return 0.5 * x * (1 + torch.tanh(inner))
    return 0.5 * x * (1 + torch.erf(x / 2 ** 0.5))


class Model:
    def __init__(self, case, weights):
        self.case = case
        self.weights = {k: v.to(torch.float64) for k, v in weights.items()}

    def dense(self, name, x):
        return x @ self.weights[name + '.weight'].T \
            + self.weights[name + '.bias']

    def norm(self, name, x):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-12)
        return x * self.weights[name + '.weight'] \
            + self.weights[name + '.bias']

    def attend(self, names, x):
        size = self.case['hidden'] // self.case['heads']
        q, k, v = (self.dense(names[part], x) for part in 'qkv')
        heads = []
        for start in range(0, self.case['hidden'], size):
            head = slice(start, start + size)
            scores = q[:, head] @ k[:, head].T / size ** 0.5
            weights = torch.exp(scores - scores.max(-1, keepdim=True).values)
            heads.append(weights / weights.sum(-1, keepdim=True) @ v[:, head])
        return self.dense(names['o'], torch.cat(heads, -1))

    def encode(self, ids):
        w = self.weights
        x = w['embeddings.word_embeddings.weight'][ids] \
            + w['embeddings.position_embeddings.weight'][:len(ids)]
        if self.case['kind'] == 'bert':
            x = x + w['embeddings.token_type_embeddings.weight'][0]
        x = self.norm('embeddings.LayerNorm', x)
        layer, parts = names_of(self.case)
        for i in range(LAYERS):
            names = {k: layer % i + v for k, v in parts.items()}
            x = self.norm(names['n1'], x + self.attend(names, x))
            inner = activate(self.case['act'], self.dense(names['up'], x))
            x = self.norm(names['n2'], x + self.dense(names['down'], inner))
        return x

    def scores(self, x):
        if self.case['kind'] == 'bert':
            features = torch.tanh(self.dense('pooler.dense', x[0]))
        else:
            features = torch.clamp(self.dense('pre_classifier', x[0]), min=0)
        logits = self.dense('classifier', features)
        if self.case['multi']:
            return 1 / (1 + torch.exp(-logits))
        return torch.exp(logits) / torch.exp(logits).sum()

    def embedding(self, x):
        pooled = {'mean': x.mean(0), 'cls': x[0],
                  'max': x.max(0).values}[self.case['pooling']]
        if self.case['normalize']:
            pooled = pooled / (pooled ** 2).sum() ** 0.5
        return pooled


# --- files ------------------------------------------------------------------

def write_json(directory, name, value):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(value, file, indent=1)
        file.write('\n')


def write_safetensors(path, weights, kind):
    header, body = {}, b''
    for name, values in weights.items():
        data = values.contiguous()
        if kind == 'BF16':
            data = data.view(torch.int16)
        data = data.numpy().tobytes()
        header[name] = {'dtype': kind, 'shape': list(values.shape),
                        'data_offsets': [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + body)


def write_weights(directory, case, weights):
    prefix = case['kind'] + '.' if case['labels'] > 0 else ''
    weights = {name if name.startswith(('classifier', 'pre_')) else
               prefix + name: value for name, value in weights.items()}
    if case['shards'] == 1:
        write_safetensors(os.path.join(directory, 'model.safetensors'),
                          weights, case['type'])
        return
    where = {}
    for shard in range(case['shards']):
        name = 'model-%05d-of-%05d.safetensors' % (shard + 1, case['shards'])
        part = dict(list(weights.items())[shard::case['shards']])
        where.update(dict.fromkeys(part, name))
        write_safetensors(os.path.join(directory, name), part, case['type'])
    write_json(directory, 'model.safetensors.index.json', {
        'metadata': {'total_size': sum(
            v.numel() * v.element_size() for v in weights.values())},
        'weight_map': where})


def write_config(directory, case, pieces):
    bert = case['kind'] == 'bert'
    keys = ('hidden_size', 'num_hidden_layers', 'num_attention_heads',
            'intermediate_size', 'hidden_act') if bert else \
        ('dim', 'n_layers', 'n_heads', 'hidden_dim', 'activation')
    config = dict(zip(keys, (case['hidden'], LAYERS, case['heads'], INNER,
                             case['act'])))
    config.update(model_type=case['kind'], vocab_size=pieces,
                  max_position_embeddings=POSITIONS, pad_token_id=0)
    if bert:
        config.update(type_vocab_size=2, layer_norm_eps=1e-12)
    name = 'Bert' if bert else 'DistilBert'
    config['architectures'] = [name + 'Model']
    if case['labels'] > 0:
        config['architectures'] = [name + 'ForSequenceClassification']
        config['id2label'] = {str(i): 'label-%d' % i
                              for i in range(case['labels'])}
        config['problem_type'] = 'multi_label_classification' \
            if case['multi'] else 'single_label_classification'
    write_json(directory, 'config.json', config)


def write_tokenizer(directory, case, vocabulary):
    write_json(directory, 'tokenizer_config.json', {
        'do_lower_case': True, 'tokenizer_class': 'BertTokenizer'})
    if case['vocab_txt']:
        with open(os.path.join(directory, 'vocab.txt'), 'w',
                  encoding='utf-8') as file:
            file.write('\n'.join(vocabulary) + '\n')
        return
    special = [{'SpecialToken': {'id': name, 'type_id': 0}}
               for name in ('[CLS]', '[SEP]')]
    first = [special[0], {'Sequence': {'id': 'A', 'type_id': 0}}, special[1]]
    write_json(directory, 'tokenizer.json', {
        'version': '1.0', 'truncation': None, 'padding': None,
        'added_tokens': [
            {'id': i, 'content': name, 'single_word': False, 'lstrip': False,
             'rstrip': False, 'normalized': False, 'special': True}
            for i, name in enumerate(SPECIAL)],
        'normalizer': {'type': 'BertNormalizer', 'clean_text': True,
                       'handle_chinese_chars': True, 'strip_accents': None,
                       'lowercase': True},
        'pre_tokenizer': {'type': 'BertPreTokenizer'},
        'post_processor': {
            'type': 'TemplateProcessing', 'single': first,
            'pair': first + [{'Sequence': {'id': 'B', 'type_id': 1}},
                             {'SpecialToken': {'id': '[SEP]', 'type_id': 1}}],
            'special_tokens': {
                '[CLS]': {'id': '[CLS]', 'ids': [CLS], 'tokens': ['[CLS]']},
                '[SEP]': {'id': '[SEP]', 'ids': [SEP], 'tokens': ['[SEP]']}}},
        'decoder': {'type': 'WordPiece', 'prefix': '##', 'cleanup': True},
        'model': {'type': 'WordPiece', 'unk_token': '[UNK]',
                  'continuing_subword_prefix': '##',
                  'max_input_chars_per_word': 100,
                  'vocab': {piece: i for i, piece in enumerate(vocabulary)}}})


def write_pooling(directory, case):
    modules = ['Transformer', 'Pooling'] + ['Normalize'] * case['normalize']
    write_json(directory, 'modules.json', [
        {'idx': i, 'name': str(i), 'path': '%d_%s' % (i, name) if i else '',
         'type': 'sentence_transformers.models.' + name}
        for i, name in enumerate(modules)])
    config = {'word_embedding_dimension': case['hidden']}
    for mode in ('cls_token', 'mean_tokens', 'max_tokens',
                 'mean_sqrt_len_tokens'):
        config['pooling_mode_' + mode] = mode.startswith(case['pooling']) \
            and 'sqrt' not in mode
    write_json(directory, '1_Pooling/config.json', config)


def make_items(vocabulary):
    source = random.Random(7)
    yield 1, '', [CLS]
    for count in WORD_COUNTS:
        words = source.choices(vocabulary[len(SPECIAL):], k=count)
        ids = [vocabulary.index(word) for word in words][:POSITIONS - 2]
        yield 0, ' '.join(words), [CLS] + ids + [SEP]


def write_expected(directory, model, vocabulary):
    case = model.case
    with open(os.path.join(directory, 'expected.txt'), 'w',
              encoding='utf-8') as file:
        def write(values):
            print(' '.join('%.9g' % value for value in values), file=file)

        print('sizes', case['hidden'], case['labels'], file=file)
        for raw, text, ids in make_items(vocabulary):
            hidden = model.encode(ids)
            print('item', len(ids), raw, file=file)
            print(text, file=file)
            print(*ids, file=file)
            for row in (0, len(ids) // 2, len(ids) - 1):
                write(hidden[row].tolist())
            write((model.scores(hidden) if case['labels'] > 0
                   else model.embedding(hidden)).tolist())


def make_case(root, case):
    case = dict(dict(kind='bert', labels=0, multi=False, act='gelu',
                     type='F32', normalize=False, pooling='', shards=1,
                     vocab_txt=False), **case)
    directory = os.path.join(root, 'encoder_' + case['name'])
    os.makedirs(directory, exist_ok=True)
    vocabulary = SPECIAL + make_words()
    weights = make_weights(case, len(vocabulary))
    write_config(directory, case, len(vocabulary))
    write_tokenizer(directory, case, vocabulary)
    write_weights(directory, case, weights)
    if case['pooling']:
        write_pooling(directory, case)
    write_expected(directory, Model(case, weights), vocabulary)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 \
        else os.path.join(HERE, 'fixtures')
    for case in CASES:
        make_case(root, case)
    return 0


if __name__ == '__main__':
    sys.exit(main())
