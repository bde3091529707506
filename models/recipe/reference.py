"""reference.py - an exported directory computed with numpy alone.

Shares only the tokenizer and the file reader with the training; what it
computes follows the exported files and the published definition of BERT.
"""

import json
import math
import pathlib

import numpy

import safetensors_file
import wordpiece

_ERF = numpy.vectorize(math.erf, otypes=[numpy.float64])


def _softmax(x):
    x = numpy.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


class Model:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = {
            name: tensor.astype(numpy.float64) for name, tensor in
            safetensors_file.read(folder / "model.safetensors").items()}
        vocabulary = json.loads((folder / "tokenizer.json").read_text())
        vocabulary = vocabulary["model"]["vocab"]
        pieces = sorted(vocabulary, key=vocabulary.get)
        if (folder / "vocab.txt").read_text().split("\n")[:-1] != pieces:
            raise ValueError("vocab.txt and tokenizer.json differ")
        self.tokenizer = wordpiece.WordPiece(pieces)
        self.labels = [label for _, label in sorted(
            self.config["id2label"].items(), key=lambda item: int(item[0]))]

    def _linear(self, name, x):
        return x @ self.tensors[name + ".weight"].T + self.tensors[
            name + ".bias"]

    def _norm(self, name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / numpy.sqrt((x * x).mean(-1, keepdims=True) +
                           self.config["layer_norm_eps"])
        return x * self.tensors[name + ".weight"] + self.tensors[
            name + ".bias"]

    def _attention(self, layer, x):
        heads = self.config["num_attention_heads"]
        q, k, v = (self._linear(layer + "attention.self." + role, x).reshape(
            len(x), heads, -1).transpose(1, 0, 2)
            for role in ("query", "key", "value"))
        weights = _softmax(q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1]))
        return (weights @ v).transpose(1, 0, 2).reshape(x.shape)

    def hidden(self, text):
        """[tokens][hidden size]"""
        ids = self.tokenizer.encode(
            text, self.config["max_position_embeddings"])
        front = "bert.embeddings."
        x = (self.tensors[front + "word_embeddings.weight"][ids] +
             self.tensors[front + "position_embeddings.weight"][:len(ids)] +
             self.tensors[front + "token_type_embeddings.weight"][0])
        x = self._norm(front + "LayerNorm", x)
        for i in range(self.config["num_hidden_layers"]):
            layer = "bert.encoder.layer.%d." % i
            mixed = self._linear(layer + "attention.output.dense",
                                 self._attention(layer, x))
            x = self._norm(layer + "attention.output.LayerNorm", x + mixed)
            up = self._linear(layer + "intermediate.dense", x)
            up = up * 0.5 * (1 + _ERF(up / math.sqrt(2)))
            x = self._norm(layer + "output.LayerNorm",
                           x + self._linear(layer + "output.dense", up))
        return x

    def probabilities(self, text):
        pooled = numpy.tanh(self._linear("bert.pooler.dense",
                                         self.hidden(text)[0]))
        return _softmax(self._linear("classifier", pooled))

    def embedding(self, text):
        mean = self.hidden(text).mean(0)
        return mean / numpy.linalg.norm(mean)
