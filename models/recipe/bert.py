"""bert.py - a BERT encoder in plain torch, and the names of its checkpoint."""

import math

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = dict(layers=4, hidden=256, heads=4, intermediate=1024, positions=256,
              types=2, epsilon=1e-12)

# Module names here and in a checkpoint of transformers; there the rows of qkv
# lie in three modules, attention.self.query, .key and .value.
FRONT_NAMES = {
    "encoder.words": "bert.embeddings.word_embeddings",
    "encoder.positions": "bert.embeddings.position_embeddings",
    "encoder.types": "bert.embeddings.token_type_embeddings",
    "encoder.norm": "bert.embeddings.LayerNorm",
    "pooler": "bert.pooler.dense", "classifier": "classifier",
}
LAYER_NAMES = {
    "out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense", "down": "output.dense",
    "ffn_norm": "output.LayerNorm",
}


class Norm(nn.LayerNorm):
    """In float32 also where the products run in bfloat16."""

    def forward(self, x):
        return super().forward(x.float())


class Layer(nn.Module):
    def __init__(self, hidden, heads, intermediate, epsilon, dropout):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.attention_norm = Norm(hidden, eps=epsilon)
        self.up = nn.Linear(hidden, intermediate)
        self.down = nn.Linear(intermediate, hidden)
        self.ffn_norm = Norm(hidden, eps=epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        batch, length, hidden = x.shape
        q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2)
                   for t in self.qkv(x).chunk(3, dim=-1))
        scores = q @ k.transpose(-1, -2) / math.sqrt(hidden // self.heads)
        weights = self.dropout((scores.float() + mask).softmax(-1).to(v.dtype))
        mixed = (weights @ v).transpose(1, 2).reshape(batch, length, hidden)
        x = self.attention_norm(x + self.dropout(self.out(mixed)))
        return self.ffn_norm(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Encoder(nn.Module):
    """ids [batch][length], 0 = padding -> hidden states [batch][length][256]"""

    def __init__(self, vocabulary, dropout=0.1):
        super().__init__()
        c = CONFIG
        self.words = nn.Embedding(vocabulary, c["hidden"], padding_idx=0)
        self.positions = nn.Embedding(c["positions"], c["hidden"])
        self.types = nn.Embedding(c["types"], c["hidden"])
        self.norm = Norm(c["hidden"], eps=c["epsilon"])
        self.layers = nn.ModuleList(
            Layer(c["hidden"], c["heads"], c["intermediate"], c["epsilon"],
                  dropout) for _ in range(c["layers"]))
        self.dropout = nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        with torch.no_grad():
            self.words.weight[0].zero_()

    def forward(self, ids):
        places = torch.arange(ids.shape[1])
        x = self.words(ids) + self.positions(places) + self.types.weight[0]
        x = self.dropout(self.norm(x))
        mask = (ids == 0)[:, None, None, :].float() * -1e9
        for layer in self.layers:
            x = layer(x, mask)
        return x


class Router(nn.Module):
    """The encoder with its two heads."""

    def __init__(self, vocabulary, labels, dropout=0.1):
        super().__init__()
        self.encoder = Encoder(vocabulary, dropout)
        self.pooler = nn.Linear(CONFIG["hidden"], CONFIG["hidden"])
        self.classifier = nn.Linear(CONFIG["hidden"], labels)
        self.dropout = nn.Dropout(dropout)

    def logits(self, hidden):
        pooled = torch.tanh(self.pooler(hidden[:, 0]))
        return self.classifier(self.dropout(pooled))

    @staticmethod
    def embeddings(hidden, ids):
        """Mean over all real tokens, [CLS] and [SEP] included, length 1."""
        real = (ids != 0)[:, :, None].float()
        mean = (hidden.float() * real).sum(1) / real.sum(1)
        return F.normalize(mean, dim=-1)


def pad(sequences):
    width = max(len(s) for s in sequences)
    return torch.tensor([s + [0] * (width - len(s)) for s in sequences])
