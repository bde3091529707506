"""bert.py - a BERT encoder in plain torch, and the names of its checkpoint."""

import cpu

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import nn


ROUND = 128


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


def half_rows(x):
    """x as rows of bfloat16, up to a multiple of ROUND with zeros: each further
    number of rows would have a kernel made for it."""
    rows = x.flatten(0, -2)
    over = -len(rows) % ROUND
    if not over:
        return rows.bfloat16()
    padded = rows.new_zeros(len(rows) + over, rows.shape[1],
                            dtype=torch.bfloat16)
    padded[:len(rows)] = rows
    return padded


class HalfProduct(torch.autograd.Function):
    """x W^T + b of float32 numbers by way of bfloat16, the sums in float32."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        rows = half_rows(x)
        half = weight.bfloat16()
        ctx.save_for_backward(rows, half)
        ctx.shape = x.shape
        out = F.linear(rows, half)[:x.shape[:-1].numel()].float().add_(bias)
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, gradient):
        rows, weight = ctx.saved_tensors
        half = half_rows(gradient)
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = (half @ weight)[:ctx.shape[:-1].numel()].float() \
                .view(ctx.shape)
        if ctx.needs_input_grad[1]:
            of_weight = (half.t() @ rows).float()
        if ctx.needs_input_grad[2]:
            of_bias = gradient.flatten(0, -2).sum(0)
        return of_x, of_weight, of_bias


# The product of a layer, in the quicker way that the processor has.
product = HalfProduct.apply if cpu.HALF else F.linear


class Noise:
    """As large as rounding to so many bits makes.  Its numbers, from -0.5 to
    0.5, are drawn once: each use begins elsewhere among them, which takes a
    fraction of the time that drawing takes."""

    def __init__(self, bits, count=1 << 25):
        self.steps = 1 << (bits - 1)
        self.numbers = torch.rand(count) - 0.5

    def like(self, x):
        if x.numel() > len(self.numbers):
            return torch.rand_like(x) - 0.5
        at = int(torch.randint(len(self.numbers) - x.numel() + 1, ()))
        return self.numbers[at:at + x.numel()].view_as(x)

    def shake(self, x):
        """x as if its rows had been rounded, each with a step of its own"""
        step = x.detach().abs().amax(-1, keepdim=True) / self.steps
        return torch.addcmul(x, self.like(x), step)


class Linear(nn.Linear):
    """A product; with noise, one that learns to bear coarse numbers."""

    noise = None

    def forward(self, x):
        weight = self.weight
        if self.noise:
            x, weight = self.noise.shake(x), self.noise.shake(weight)
        return product(x, weight, self.bias)


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

    def attention(self, q, k, v, mask=None):
        """q [batch][count][hidden], k and v [batch][length][hidden]"""
        shape = q.shape
        q, k, v = map(self.split, (q, k, v))
        scores = (q * (1 / math.sqrt(q.shape[-1]))) @ k.transpose(-1, -2)
        if mask is not None:
            scores = scores + mask
        weights = self.dropout(scores.softmax(-1))
        return (weights @ v).transpose(1, 2).reshape(shape)

    def finish(self, x, mixed):
        """What comes after the attention."""
        x = self.attention_norm(x + self.dropout(self.out(mixed)))
        return self.ffn_norm(x + self.dropout(self.down(F.gelu(self.up(x)))))

    def forward(self, x, places=None):
        """x [batch][length][hidden] without padding;
        places [batch][count]: the positions whose states are wanted."""
        hidden = x.shape[-1]
        if places is None:
            q, k, v = self.qkv(x).chunk(3, dim=-1)
        else:
            wanted = places[:, :, None].expand(-1, -1, hidden)
            k, v = product(x, self.qkv.weight[hidden:],
                           self.qkv.bias[hidden:]).chunk(2, dim=-1)
            x = x.gather(1, wanted)
            q = product(x, self.qkv.weight[:hidden], self.qkv.bias[:hidden])
        return self.finish(x, self.attention(q, k, v))

    def packed(self, x, rows):
        """x [tokens][hidden] of texts one after the other; only the attention
        sees them as Rows."""
        mixed = [group.collect(self.attention(
                     *group.spread(part).chunk(3, dim=-1), group.mask))
                 for group, part in zip(rows.groups,
                                        self.qkv(x).split(rows.tokens))]
        return self.finish(x, torch.cat(mixed))


class Group:
    """Texts of similar lengths."""

    def __init__(self, lengths):
        self.count, self.width = len(lengths), max(lengths)
        self.mask = self.real = None
        if min(lengths) == self.width:
            return
        real = torch.arange(self.width)[None] < torch.tensor(lengths)[:, None]
        self.mask = (~real)[:, None, None, :].float() * -1e9
        self.real = real.flatten().nonzero()[:, 0]
        # Where each place finds its token; what is padded finds any.
        self.token = (real.flatten().cumsum(0) - 1).clamp(min=0)

    def spread(self, x):
        """[tokens][n] -> [count][width][n]"""
        if self.real is not None:
            x = x.index_select(0, self.token)
        return x.view(self.count, self.width, -1)

    def collect(self, x):
        """[count][width][n] -> [tokens][n]"""
        x = x.flatten(0, 1)
        return x if self.real is None else x.index_select(0, self.real)


class Rows:
    """Texts by length, in groups that need little padding.  Only the attention
    wants rows; all else is spared the padding, half of the places otherwise."""

    SPARE = 1.2

    def __init__(self, texts):
        self.order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        self.lengths = [len(texts[i]) for i in self.order]
        self.ids = torch.tensor([i for at in self.order for i in texts[at]])
        self.places = torch.cat([torch.arange(n) for n in self.lengths])
        self.text = torch.arange(len(texts)).repeat_interleave(
            torch.tensor(self.lengths))
        self.groups, self.tokens, at = [], [], 0
        while at < len(texts):
            end, real = at, 0
            while end < len(texts) and self.lengths[end] * (end + 1 - at) <= \
                    self.SPARE * (real + self.lengths[end]) + 16:
                real += self.lengths[end]
                end += 1
            self.groups.append(Group(self.lengths[at:end]))
            self.tokens.append(real)
            at = end

    def means(self, states):
        """[tokens][n] -> [texts][n], in the order that the texts came in."""
        sums = torch.zeros(len(self.order), states.shape[1]).index_add(
            0, self.text, states)
        means = sums / torch.tensor(self.lengths, dtype=torch.float)[:, None]
        back = torch.empty(len(self.order), dtype=torch.long)
        back[torch.tensor(self.order)] = torch.arange(len(self.order))
        return means[back]


class Encoder(nn.Module):
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

    def forward(self, ids, places=None):
        """ids [batch][length] without padding -> states [batch][length][hidden]
        places [batch][count]: the only positions to bring to the end."""
        order = torch.arange(ids.shape[1])
        x = self.words(ids) + (self.positions(order) + self.types.weight[0])
        x = self.dropout(self.norm(x))
        for layer in self.layers[:-1]:
            x = layer(x)
        return self.layers[-1](x, places)

    def bear(self, bits):
        """From now on all products are those of coarse numbers, so that the
        8 bits of the finished model change next to nothing."""
        noise = Noise(bits) if bits else None
        for module in self.modules():
            if isinstance(module, Linear):
                module.noise = noise

    def embed(self, texts):
        """Lists of token ids -> [texts][hidden]: the mean over all tokens,
        [CLS] and [SEP] included, with length 1."""
        rows = Rows(texts)
        x = self.words(rows.ids) + (self.positions(rows.places) +
                                    self.types.weight[0])
        x = self.dropout(self.norm(x))
        for layer in self.layers:
            x = layer.packed(x, rows)
        return F.normalize(rows.means(x), dim=-1)
