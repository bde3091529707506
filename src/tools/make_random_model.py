#!/usr/bin/python3
"""make_random_model.py - a Hugging Face directory with random weights.

    make_random_model.py directory [--layers 6] [--hidden 384] [--heads 12]
        [--intermediate 1536] [--vocabulary 30522] [--positions 512]
        [--seed 1] [--labels 0]

Random weights cost the same time and memory as trained ones.  The defaults
are the geometry of all-MiniLM-L6-v2: an embedder of about 90 MB with mean
pooling.  With --labels N it is a classifier of N labels.  The vocabulary is
made up: the five special tokens, the letters, then words that are one piece
each, so that a text of n words has n + 2 tokens.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import itertools
import json
import math
import os
import random
import struct
import sys

SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
LETTERS = 'abcdefghijklmnopqrstuvwxyz'
SYLLABLES = [c + v for c in 'bdfgklmnprstvz' for v in 'aeiou']


def make_vocabulary(size):
    words = (''.join(parts) for count in itertools.count(2)
             for parts in itertools.product(SYLLABLES, repeat=count))
    pieces = itertools.chain(SPECIAL, LETTERS,
                             ('##' + letter for letter in LETTERS), words)
    return list(itertools.islice(pieces, size))


def list_tensors(options):
    """(name, shape) in the order of the file."""
    hidden, inner = options.hidden, options.intermediate
    embeddings = 'embeddings.'
    yield embeddings + 'word_embeddings.weight', (options.vocabulary, hidden)
    yield embeddings + 'position_embeddings.weight', (options.positions, hidden)
    yield embeddings + 'token_type_embeddings.weight', (2, hidden)
    yield from list_norm(embeddings + 'LayerNorm', hidden)
    for layer in range(options.layers):
        prefix = 'encoder.layer.%d.' % layer
        for part in ('query', 'key', 'value'):
            yield from list_dense(prefix + 'attention.self.' + part, hidden,
                                  hidden)
        yield from list_dense(prefix + 'attention.output.dense', hidden, hidden)
        yield from list_norm(prefix + 'attention.output.LayerNorm', hidden)
        yield from list_dense(prefix + 'intermediate.dense', inner, hidden)
        yield from list_dense(prefix + 'output.dense', hidden, inner)
        yield from list_norm(prefix + 'output.LayerNorm', hidden)
    if options.labels > 0:
        yield from list_dense('pooler.dense', hidden, hidden)
        yield from list_dense('classifier', options.labels, hidden)


def list_dense(name, outputs, inputs):
    yield name + '.weight', (outputs, inputs)
    yield name + '.bias', (outputs,)


def list_norm(name, size):
    yield name + '.weight', (size,)
    yield name + '.bias', (size,)


def full_name(name, options):
    inside = options.labels > 0 and not name.startswith('classifier')
    return 'bert.' + name if inside else name


def random_floats(dice, count):
    """Little-endian floats of either sign, 2^-5 to 2^-4 in size.

    Random bits with the exponent set: ninety megabytes in a second, where a
    loop over numbers takes minutes.
    """
    bits = int.from_bytes(dice.randbytes(4 * count), 'little')
    mask = int.from_bytes(b'\xff\xff\x7f\x80' * count, 'little')
    exponent = ((127 - 5) << 23).to_bytes(4, 'little')
    fixed = int.from_bytes(exponent * count, 'little')
    return ((bits & mask) | fixed).to_bytes(4 * count, 'little')


def write_weights(path, options):
    dice = random.Random(options.seed)
    header, offset = {}, 0
    for name, shape in list_tensors(options):
        size = 4 * math.prod(shape)
        header[full_name(name, options)] = {
            'dtype': 'F32', 'shape': list(shape),
            'data_offsets': [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        for name, shape in list_tensors(options):
            count = math.prod(shape)
            if name.endswith('LayerNorm.weight'):
                file.write(struct.pack('<f', 1.0) * count)
            else:
                file.write(random_floats(dice, count))


def write_json(directory, name, value):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(value, file, indent=2)
        file.write('\n')


def write_config(directory, options):
    config = {
        'architectures': ['BertModel'], 'model_type': 'bert',
        'hidden_act': 'gelu', 'hidden_size': options.hidden,
        'num_hidden_layers': options.layers,
        'num_attention_heads': options.heads,
        'intermediate_size': options.intermediate,
        'vocab_size': options.vocabulary,
        'max_position_embeddings': options.positions,
        'type_vocab_size': 2, 'layer_norm_eps': 1e-12, 'pad_token_id': 0,
        'position_embedding_type': 'absolute',
    }
    if options.labels > 0:
        config['architectures'] = ['BertForSequenceClassification']
        config['id2label'] = {
            str(i): 'label-%d' % i for i in range(options.labels)}
    write_json(directory, 'config.json', config)
    write_json(directory, 'tokenizer_config.json', {
        'do_lower_case': True, 'tokenize_chinese_chars': True,
        'strip_accents': None, 'tokenizer_class': 'BertTokenizer',
        'model_max_length': options.positions})
    write_json(directory, 'modules.json', [
        {'idx': 0, 'name': '0', 'path': '',
         'type': 'sentence_transformers.models.Transformer'},
        {'idx': 1, 'name': '1', 'path': '1_Pooling',
         'type': 'sentence_transformers.models.Pooling'},
        {'idx': 2, 'name': '2', 'path': '2_Normalize',
         'type': 'sentence_transformers.models.Normalize'}])
    write_json(directory, '1_Pooling/config.json', {
        'word_embedding_dimension': options.hidden,
        'pooling_mode_cls_token': False, 'pooling_mode_mean_tokens': True,
        'pooling_mode_max_tokens': False,
        'pooling_mode_mean_sqrt_len_tokens': False})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('directory')
    for name, value in (('layers', 6), ('hidden', 384), ('heads', 12),
                        ('intermediate', 1536), ('vocabulary', 30522),
                        ('positions', 512), ('seed', 1), ('labels', 0)):
        parser.add_argument('--' + name, type=int, default=value)
    options = parser.parse_args()
    if options.hidden % options.heads != 0:
        parser.error('--heads must divide --hidden')
    if options.vocabulary < len(SPECIAL) + 2 * len(LETTERS):
        parser.error('--vocabulary is too small')
    return options


def main():
    options = parse_arguments()
    os.makedirs(options.directory, exist_ok=True)
    write_config(options.directory, options)
    with open(os.path.join(options.directory, 'vocab.txt'), 'w',
              encoding='utf-8') as file:
        file.write('\n'.join(make_vocabulary(options.vocabulary)) + '\n')
    write_weights(os.path.join(options.directory, 'model.safetensors'),
                  options)
    return 0


if __name__ == '__main__':
    sys.exit(main())
