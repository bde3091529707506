#!/usr/bin/python3
"""make_gguf.py - a BERT encoder of a Hugging Face directory as a GGUF file.

    make_gguf.py directory out.gguf [f32|q8_0]

For the benchmark only: another engine gets the same weights.  Written from
the public description of the format (GGUF version 3) and of its names for
BERT.  Weights are f32, as in model.safetensors, or q8_0: blocks of 32 signed
bytes with a scale in f16 (matrices of weights and the word embeddings).

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import struct
import sys

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TYPE_F32, TYPE_Q8_0 = 0, 8
BLOCK = 32
ALIGNMENT = 32
MEAN_POOLING = 1
TOKEN_NORMAL, TOKEN_CONTROL = 1, 3

# Name in GGUF -> name in the source, {} is the layer.
TENSORS = [
    ('token_embd.weight', 'embeddings.word_embeddings.weight'),
    ('position_embd.weight', 'embeddings.position_embeddings.weight'),
    ('token_types.weight', 'embeddings.token_type_embeddings.weight'),
    ('token_embd_norm.weight', 'embeddings.LayerNorm.weight'),
    ('token_embd_norm.bias', 'embeddings.LayerNorm.bias'),
]
LAYER_TENSORS = [
    ('attn_q', 'attention.self.query'),
    ('attn_k', 'attention.self.key'),
    ('attn_v', 'attention.self.value'),
    ('attn_output', 'attention.output.dense'),
    ('attn_output_norm', 'attention.output.LayerNorm'),
    ('ffn_up', 'intermediate.dense'),
    ('ffn_down', 'output.dense'),
    ('layer_output_norm', 'output.LayerNorm'),
]


def pack_string(text):
    data = text.encode('utf-8')
    return struct.pack('<Q', len(data)) + data


def pack_value(kind, value):
    if kind == STRING:
        return pack_string(value)
    return struct.pack({UINT32: '<I', INT32: '<i', FLOAT32: '<f',
                        BOOL: '<?'}[kind], value)


def pack_field(key, kind, value):
    return pack_string(key) + struct.pack('<I', kind) + pack_value(kind,
                                                                   value)


def pack_array(key, kind, values):
    return (pack_string(key) + struct.pack('<IIQ', ARRAY, kind, len(values)) +
            b''.join(pack_value(kind, value) for value in values))


def read_vocabulary(directory):
    path = os.path.join(directory, 'vocab.txt')
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            return file.read().rstrip('\n').split('\n')
    with open(os.path.join(directory, 'tokenizer.json'),
              encoding='utf-8') as file:
        tokens = json.load(file)['model']['vocab']
    return sorted(tokens, key=tokens.get)


def convert_token(token):
    """A word begins with U+2581; a piece inside a word has no mark."""
    if token.startswith('[') and token.endswith(']'):
        return token
    return token[2:] if token.startswith('##') else '\u2581' + token


def read_safetensors(path):
    """Returns name -> (shape, bytes)."""
    with open(path, 'rb') as file:
        (size,) = struct.unpack('<Q', file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        if entry['dtype'] not in ('F32', 'I64'):
            raise SystemExit('make_gguf.py: %s is %s' % (name,
                                                         entry['dtype']))
        begin, end = entry['data_offsets']
        tensors[name.removeprefix('bert.')] = (entry['shape'],
                                               data[begin:end])
    return tensors


def make_fields(config, tokens, quantised):
    special = {name: tokens.index(name) for name in
               ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')
               if name in tokens}
    fields = [
        pack_field('general.architecture', STRING, 'bert'),
        pack_field('general.name', STRING, 'benchmark'),
        pack_field('general.file_type', UINT32, 7 if quantised else 0),
        pack_field('bert.block_count', UINT32, config['num_hidden_layers']),
        pack_field('bert.context_length', UINT32,
                   config['max_position_embeddings']),
        pack_field('bert.embedding_length', UINT32, config['hidden_size']),
        pack_field('bert.feed_forward_length', UINT32,
                   config['intermediate_size']),
        pack_field('bert.attention.head_count', UINT32,
                   config['num_attention_heads']),
        pack_field('bert.attention.layer_norm_epsilon', FLOAT32,
                   config.get('layer_norm_eps', 1e-12)),
        pack_field('bert.attention.causal', BOOL, False),
        pack_field('bert.pooling_type', UINT32, MEAN_POOLING),
        pack_field('tokenizer.ggml.model', STRING, 'bert'),
        pack_field('tokenizer.ggml.token_type_count', UINT32,
                   config['type_vocab_size']),
        pack_array('tokenizer.ggml.tokens', STRING,
                   [convert_token(token) for token in tokens]),
        pack_array('tokenizer.ggml.scores', FLOAT32, [0.0] * len(tokens)),
        pack_array('tokenizer.ggml.token_type', INT32,
                   [TOKEN_CONTROL if token in special else TOKEN_NORMAL
                    for token in tokens]),
    ]
    for key, token in (('bos', '[CLS]'), ('eos', '[SEP]'), ('cls', '[CLS]'),
                       ('seperator', '[SEP]'), ('unknown', '[UNK]'),
                       ('padding', '[PAD]'), ('mask', '[MASK]')):
        if token in special:
            fields.append(pack_field('tokenizer.ggml.%s_token_id' % key,
                                     UINT32, special[token]))
    return fields


def choose_tensors(tensors, layers):
    names = list(TENSORS)
    for layer in range(layers):
        for target, source in LAYER_TENSORS:
            for part in ('weight', 'bias'):
                names.append(('blk.%d.%s.%s' % (layer, target, part),
                              'encoder.layer.%d.%s.%s' % (layer, source,
                                                          part)))
    return [(target,) + tensors[source] for target, source in names]


def quantise(data):
    """Rows are a multiple of 32 long."""
    import numpy  # the f32 form needs nothing beside Python
    blocks = numpy.frombuffer(data, '<f4').reshape(-1, BLOCK)
    scales = numpy.abs(blocks).max(axis=1, keepdims=True) / 127
    values = numpy.rint(blocks / numpy.where(scales > 0, scales, 1))
    packed = numpy.empty(len(blocks), [('scale', '<f2'),
                                       ('values', 'i1', BLOCK)])
    packed['scale'] = scales[:, 0]
    packed['values'] = values
    return packed.tobytes()


def is_matrix(name, shape):
    return (len(shape) == 2 and name.endswith('.weight') and
            not name.startswith(('position', 'token_types')))


def align(size):
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def main():
    directory, out = sys.argv[1:3]
    quantised = sys.argv[3:] == ['q8_0']
    with open(os.path.join(directory, 'config.json'),
              encoding='utf-8') as file:
        config = json.load(file)
    fields = make_fields(config, read_vocabulary(directory), quantised)
    tensors = choose_tensors(
        read_safetensors(os.path.join(directory, 'model.safetensors')),
        config['num_hidden_layers'])
    head = b'GGUF' + struct.pack('<IQQ', 3, len(tensors), len(fields))
    head += b''.join(fields)
    offset = 0
    if quantised:
        tensors = [(name, shape, quantise(data), TYPE_Q8_0)
                   if is_matrix(name, shape) else
                   (name, shape, data, TYPE_F32)
                   for name, shape, data in tensors]
    else:
        tensors = [entry + (TYPE_F32,) for entry in tensors]
    for name, shape, data, kind in tensors:
        # Fastest dimension first.
        head += pack_string(name) + struct.pack('<I', len(shape))
        head += struct.pack('<%dQ' % len(shape), *reversed(shape))
        head += struct.pack('<IQ', kind, offset)
        offset += align(len(data))
    with open(out, 'wb') as file:
        file.write(head + bytes(align(len(head)) - len(head)))
        for _, _, data, _ in tensors:
            file.write(data + bytes(align(len(data)) - len(data)))


if __name__ == '__main__':
    main()
