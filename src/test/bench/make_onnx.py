#!/usr/bin/python3
"""make_onnx.py - a model directory as ONNX graphs, for onnxruntime.

    make_onnx.py directory out

Reads the directory (config.json, model.safetensors with f32 tensors: what
make_random_model.py writes) and writes out/model-f32.onnx and
out/model-int8.onnx.  Inputs: input_ids and attention_mask, int64 [batch,
tokens]; output: embedding, f32 [batch, hidden], mean of the tokens, length 1.

The graphs are in the fastest of the forms tried with onnxruntime 1.30: what
its own tools (transformer optimizer, then quantize_dynamic with per-channel
weights) arrive at, with the fused operators of com.microsoft, except that
layer normalisation is the plain operator, which took the int8 graph from 289
to 366 texts/s of 32 tokens.  The session's level must be "basic", a higher one
fuses it again.  Attention over DynamicQuantizeMatMul and MultiHeadAttention,
or over MatMulIntegerToFloat, was 4 % slower than QAttention.  In the int8
graph activations are quantised at run time to unsigned bytes with a zero
point and weights are signed bytes with one scale per output; attention
(QAttention) and all products with weights are integer, the rest is f32.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import struct
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FUSED = 'com.microsoft'


def read_safetensors(path):
    with open(path, 'rb') as file:
        (size,) = struct.unpack('<Q', file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__' or entry['dtype'] != 'F32':
            continue
        begin, end = entry['data_offsets']
        tensors[name[5:] if name.startswith('bert.') else name] = (
            numpy.frombuffer(data[begin:end], '<f4').reshape(entry['shape']))
    return tensors


class Graph:
    def __init__(self, config, tensors, quantised):
        self.config = config
        self.tensors = tensors
        self.quantised = quantised
        self.nodes = []
        self.constants = []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(
            numpy.ascontiguousarray(value), name))
        return name

    def tensor(self, name):
        return self.constant(name, self.tensors[name])

    def node(self, kind, inputs, output, domain='', **attributes):
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(kind, inputs, outputs,
                                           domain=domain, **attributes))
        return outputs[0]

    def quantise(self, name, weight):
        """weight: [inputs, outputs]; one scale per output."""
        scale = (numpy.abs(weight).max(axis=0) / 127).astype('f4')
        values = numpy.clip(numpy.rint(weight / scale), -127, 127)
        return (self.constant(name + '.q', values.astype('i1')),
                self.constant(name + '.scale', scale))

    def product(self, name, source):
        """Without the bias, which the next operator adds."""
        weight = self.tensors[name + '.weight'].T
        if not self.quantised:
            return self.node('MatMul', [source, self.constant(name, weight)],
                             name + '.out')
        values, scale = self.quantise(name, weight)
        return self.node('DynamicQuantizeMatMul', [source, values, scale],
                         name + '.out', FUSED)

    def attention(self, prefix, source):
        heads = self.config['num_attention_heads']
        parts = [prefix + 'self.' + part for part in ('query', 'key', 'value')]
        weight = numpy.concatenate(
            [self.tensors[part + '.weight'].T for part in parts], axis=1)
        bias = self.constant(prefix + 'bias', numpy.concatenate(
            [self.tensors[part + '.bias'] for part in parts]))
        if not self.quantised:
            return self.node(
                'Attention', [source, self.constant(prefix + 'w', weight),
                              bias, 'mask'],
                prefix + 'context', FUSED, num_heads=heads)
        values, scale = self.quantise(prefix + 'w', weight)
        names = [prefix + end for end in ('u8', 'in.scale', 'in.zero')]
        self.node('DynamicQuantizeLinear', [source], names)
        return self.node(
            'QAttention', [names[0], values, bias, names[1], scale, 'mask',
                           names[2]], prefix + 'context', FUSED,
            num_heads=heads)

    def normalise(self, prefix, source, skip, bias):
        # Not SkipLayerNormalization: it takes three times as long.
        self.node('Add', [source, self.tensor(bias)], prefix + '.biased')
        self.node('Add', [prefix + '.biased', skip], prefix + '.sum')
        return self.node(
            'LayerNormalization',
            [prefix + '.sum', self.tensor(prefix + '.weight'),
             self.tensor(prefix + '.bias')], prefix + '.out', axis=-1,
            epsilon=self.config['layer_norm_eps'])

    def embed(self):
        # The graph has no segments: their first row is part of the positions.
        self.node('Cast', ['input_ids'], 'ids', to=TensorProto.INT32)
        self.node('Cast', ['attention_mask'], 'mask', to=TensorProto.INT32)
        positions = (self.tensors['embeddings.position_embeddings.weight'] +
                     self.tensors['embeddings.token_type_embeddings.weight']
                     [0])
        return self.node(
            'EmbedLayerNormalization',
            ['ids', '', self.tensor('embeddings.word_embeddings.weight'),
             self.constant('positions', positions), '',
             self.tensor('embeddings.LayerNorm.weight'),
             self.tensor('embeddings.LayerNorm.bias')],
            ['layer.in', 'unused'], FUSED,
            epsilon=self.config['layer_norm_eps'])

    def layer(self, number, source):
        prefix = 'encoder.layer.%d.' % number
        context = self.attention(prefix + 'attention.', source)
        dense = prefix + 'attention.output.dense'
        middle = self.normalise(prefix + 'attention.output.LayerNorm',
                                self.product(dense, context), source,
                                dense + '.bias')
        inner = prefix + 'intermediate.dense'
        wide = self.node('BiasGelu', [self.product(inner, middle),
                                      self.tensor(inner + '.bias')],
                         prefix + 'gelu', FUSED)
        outer = prefix + 'output.dense'
        return self.normalise(prefix + 'output.LayerNorm',
                              self.product(outer, wide), middle,
                              outer + '.bias')

    def pool(self, source):
        axis = self.constant('axis', numpy.array([1], 'i8'))
        self.node('Cast', ['attention_mask'], 'mask.f', to=TensorProto.FLOAT)
        self.node('Unsqueeze', ['mask.f', self.constant(
            'last', numpy.array([2], 'i8'))], 'mask.3')
        self.node('Mul', [source, 'mask.3'], 'masked')
        # The length of the sum and of the mean are the same once it is 1.
        self.node('ReduceSum', ['masked', axis], 'sum', keepdims=0)
        self.node('ReduceL2', ['sum'], 'length', axes=[1], keepdims=1)
        self.node('Div', ['sum', 'length'], 'embedding')

    def build(self):
        state = self.embed()
        for number in range(self.config['num_hidden_layers']):
            state = self.layer(number, state)
        self.pool(state)
        shape = ['batch', 'tokens']
        graph = helper.make_graph(
            self.nodes, 'encoder',
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape)
             for name in ('input_ids', 'attention_mask')],
            [helper.make_tensor_value_info(
                'embedding', TensorProto.FLOAT,
                ['batch', self.config['hidden_size']])], self.constants)
        return helper.make_model(
            graph, ir_version=8, producer_name='make_onnx',
            opset_imports=[helper.make_opsetid('', 17),
                           helper.make_opsetid(FUSED, 1)])


def main():
    directory, out = sys.argv[1:]
    with open(os.path.join(directory, 'config.json'),
              encoding='utf-8') as file:
        config = json.load(file)
    tensors = read_safetensors(os.path.join(directory, 'model.safetensors'))
    os.makedirs(out, exist_ok=True)
    for name, quantised in (('f32', False), ('int8', True)):
        onnx.save(Graph(config, tensors, quantised).build(),
                  os.path.join(out, 'model-%s.onnx' % name))


if __name__ == '__main__':
    main()
