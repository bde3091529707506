"""bert.py - a BERT encoder in plain torch, and the names of its checkpoint."""

import cpu

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Shape:
    """What config.json says of an encoder."""
    vocabulary: int
    layers: int = 4
    hidden: int = 384
    heads: int = 6
    intermediate: int = 1536
    positions: int = 256
    types: int = 2
    epsilon: float = 1e-12


# Module names here and in a checkpoint of transformers; there the rows of qkv
# lie in three modules, attention.self.query, .key and .value.
FRONT_NAMES = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "types": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
LAYER_NAMES = {
    "out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense", "down": "output.dense",
    "ffn_norm": "output.LayerNorm",
}


class HalfProduct(torch.autograd.Function):
    """x W^T + b of float32 numbers by way of bfloat16, the sums in float32."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        x = x.bfloat16()
        weight = weight.bfloat16()
        ctx.save_for_backward(x, weight)
        return F.linear(x, weight).float().add_(bias)

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        half = gradient.bfloat16()
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = (half @ weight).float()
        rows = half.flatten(0, -2)
        if ctx.needs_input_grad[1]:
            of_weight = (rows.t() @ x.flatten(0, -2)).float()
        if ctx.needs_input_grad[2]:
            of_bias = gradient.flatten(0, -2).sum(0)
        return of_x, of_weight, of_bias


# The product of a layer, in the quicker way that the processor has.
product = HalfProduct.apply if cpu.HALF else F.linear


class Linear(nn.Linear):
    def forward(self, x):
        return product(x, self.weight, self.bias)


class Layer(nn.Module):
    def __init__(self, shape, dropout):
        super().__init__()
        hidden = shape.hidden
        self.heads = shape.heads
        self.qkv = Linear(hidden, 3 * hidden)
        self.out = Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, eps=shape.epsilon)
        self.up = Linear(hidden, shape.intermediate)
        self.down = Linear(shape.intermediate, hidden)
        self.ffn_norm = nn.LayerNorm(hidden, eps=shape.epsilon)
        self.dropout = nn.Dropout(dropout)

    def split(self, x):
        batch, length, hidden = x.shape
        return x.view(batch, length, self.heads, hidden // self.heads) \
            .transpose(1, 2)

    def forward(self, x, mask, places=None):
        """places [batch][count]: the positions whose states are wanted."""
        hidden = x.shape[-1]
        if places is None:
            q, k, v = self.qkv(x).chunk(3, dim=-1)
        else:
            wanted = places[:, :, None].expand(-1, -1, hidden)
            k, v = product(x, self.qkv.weight[hidden:],
                           self.qkv.bias[hidden:]).chunk(2, dim=-1)
            x = x.gather(1, wanted)
            q = product(x, self.qkv.weight[:hidden], self.qkv.bias[:hidden])
        q = self.split(q) * (1 / math.sqrt(hidden // self.heads))
        scores = q @ self.split(k).transpose(-1, -2)
        if mask is not None:
            scores = scores + mask
        weights = self.dropout(scores.softmax(-1))
        mixed = (weights @ self.split(v)).transpose(1, 2).reshape(x.shape)
        x = self.attention_norm(x + self.dropout(self.out(mixed)))
        return self.ffn_norm(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Encoder(nn.Module):
    """ids [batch][length], 0 = padding -> states [batch][length][hidden]"""

    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.hidden)
        self.positions = nn.Embedding(shape.positions, shape.hidden)
        self.types = nn.Embedding(shape.types, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.layers = nn.ModuleList(
            Layer(shape, dropout) for _ in range(shape.layers))
        self.dropout = nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        for layer in self.layers:
            for linear in (layer.qkv, layer.out, layer.up, layer.down):
                nn.init.zeros_(linear.bias)
        with torch.no_grad():
            self.words.weight[0].zero_()

    def forward(self, ids, places=None, padded=True):
        """places [batch][count]: the only positions to bring to the end."""
        order = torch.arange(ids.shape[1])
        x = self.words(ids) + (self.positions(order) + self.types.weight[0])
        x = self.dropout(self.norm(x))
        mask = None
        if padded:
            mask = (ids == 0)[:, None, None, :].float() * -1e9
        for layer in self.layers[:-1]:
            x = layer(x, mask)
        return self.layers[-1](x, mask, places)


def embeddings(states, ids):
    """Mean over all real tokens, [CLS] and [SEP] included, length 1."""
    real = (ids != 0)[:, :, None].float()
    return F.normalize((states * real).sum(1) / real.sum(1), dim=-1)


def pad(sequences):
    width = max(len(s) for s in sequences)
    return torch.tensor([list(s) + [0] * (width - len(s)) for s in sequences])
