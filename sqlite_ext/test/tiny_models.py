"""Small Hugging Face directories with seeded random weights, made on the spot.

SPDX-License-Identifier: PostgreSQL
"""

import array
import json
import os
import random
import shutil
import struct

HIDDEN = 32
LAYERS = 2
HEADS = 4
INNER = 64
POSITIONS = 64

WORDS = """the a i you my order card was charged twice for same where is it
please help cancel subscription refund money back account login password how
do to change delivery address late package never came thank great service bad
hello world invoice bill pay payment card number""".split()


def vocabulary(size):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for word in WORDS:
        if word not in pieces:
            pieces.append(word)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'"
    pieces += [c for c in letters if c not in pieces]
    pieces += ["##" + c for c in letters]
    for i in range(len(pieces), size):
        pieces.append("filler%d" % i)
    return pieces


class Weights:
    """Tensors of one safetensors file."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tensors = []

    def add(self, name, *shape, scale=0.2, offset=0.0):
        count = 1
        for size in shape:
            count *= size
        raw = array.array("h", self.random.randbytes(2 * count))
        values = array.array("f", (offset + x * (scale / 32768) for x in raw))
        self.tensors.append((name, shape, values.tobytes()))

    def norm(self, name):
        self.add(name + ".weight", HIDDEN, scale=0.1, offset=1.0)
        self.add(name + ".bias", HIDDEN, scale=0.1)

    def linear(self, name, rows, columns):
        self.add(name + ".weight", rows, columns)
        self.add(name + ".bias", rows)

    def write(self, path):
        header, position = {}, 0
        for name, shape, data in self.tensors:
            header[name] = {
                "dtype": "F32",
                "shape": list(shape),
                "data_offsets": [position, position + len(data)],
            }
            position += len(data)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, _, data in self.tensors:
                file.write(data)


def add_bert(weights, prefix, vocabulary_size):
    embeddings = prefix + "embeddings."
    weights.add(embeddings + "word_embeddings.weight", vocabulary_size, HIDDEN,
                scale=1.0)
    weights.add(embeddings + "position_embeddings.weight", POSITIONS, HIDDEN)
    weights.add(embeddings + "token_type_embeddings.weight", 2, HIDDEN)
    weights.norm(embeddings + "LayerNorm")
    for i in range(LAYERS):
        layer = "%sencoder.layer.%d." % (prefix, i)
        for part in ("query", "key", "value"):
            weights.linear(layer + "attention.self." + part, HIDDEN, HIDDEN)
        weights.linear(layer + "attention.output.dense", HIDDEN, HIDDEN)
        weights.norm(layer + "attention.output.LayerNorm")
        weights.linear(layer + "intermediate.dense", INNER, HIDDEN)
        weights.linear(layer + "output.dense", HIDDEN, INNER)
        weights.norm(layer + "output.LayerNorm")
    weights.linear(prefix + "pooler.dense", HIDDEN, HIDDEN)


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


def write_common(path, config, vocabulary_size):
    os.makedirs(path, exist_ok=True)
    config.update({
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "vocab_size": vocabulary_size,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
    })
    write_json(os.path.join(path, "config.json"), config)
    write_json(os.path.join(path, "tokenizer_config.json"), {
        "do_lower_case": True,
        "tokenizer_class": "BertTokenizer",
        "model_max_length": POSITIONS,
    })
    with open(os.path.join(path, "vocab.txt"), "w", encoding="utf-8") as file:
        for piece in vocabulary(vocabulary_size):
            file.write(piece + "\n")


def make_classifier(path, seed=1, labels=("billing", "order", "other"),
                    vocabulary_size=200):
    config = {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
        "problem_type": "single_label_classification",
    }
    write_common(path, config, vocabulary_size)
    weights = Weights(seed)
    add_bert(weights, "bert.", vocabulary_size)
    weights.add("classifier.weight", len(labels), HIDDEN, scale=2.0)
    weights.add("classifier.bias", len(labels))
    weights.write(os.path.join(path, "model.safetensors"))
    return path


def make_embedder(path, seed=2, vocabulary_size=200):
    write_common(path, {"architectures": ["BertModel"]}, vocabulary_size)
    write_json(os.path.join(path, "modules.json"), [
        {"idx": 0, "name": "0", "path": "",
         "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling",
         "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize",
         "type": "sentence_transformers.models.Normalize"},
    ])
    os.makedirs(os.path.join(path, "1_Pooling"), exist_ok=True)
    write_json(os.path.join(path, "1_Pooling", "config.json"), {
        "word_embedding_dimension": HIDDEN,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    })
    write_json(os.path.join(path, "sentence_bert_config.json"),
               {"max_seq_length": POSITIONS, "do_lower_case": False})
    weights = Weights(seed)
    add_bert(weights, "", vocabulary_size)
    weights.write(os.path.join(path, "model.safetensors"))
    return path


# --- adapters ----------------------------------------------------------------

RANK, ALPHA = 4, 6


def lora_modules(prefix):
    for i in range(LAYERS):
        for part in ("query", "value"):
            yield "%sencoder.layer.%d.attention.self.%s" % (prefix, i, part)


def make_adapter(path, base, seed=5, labels=("return", "repair", "praise", "x"),
                 head=None):
    """LoRA of an embedder's queries and values, as PEFT writes it, with a head
    over its embeddings; base: as adapter_config.json shall name it.  head:
    "alone" leaves the LoRA away."""
    os.makedirs(path, exist_ok=True)
    write_json(os.path.join(path, "adapter_config.json"), {
        "peft_type": "LORA",
        "base_model_name_or_path": base,
        "task_type": "FEATURE_EXTRACTION",
        "r": RANK,
        "lora_alpha": ALPHA,
        "lora_dropout": 0.1,
        "bias": "none",
        "target_modules": [] if head == "alone" else ["query", "value"],
        "modules_to_save": ["classifier"],
        "inference_mode": True,
    })
    write_json(os.path.join(path, "config.json"), {
        "insitu_head": {"reads": "embedding"},
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "problem_type": "single_label_classification",
    })
    weights = Weights(seed)
    for module in [] if head == "alone" else lora_modules("base_model.model."):
        weights.add(module + ".lora_A.weight", RANK, HIDDEN)
        weights.add(module + ".lora_B.weight", HIDDEN, RANK)
    weights.add("base_model.model.classifier.weight", len(labels), HIDDEN,
                scale=2.0)
    weights.add("base_model.model.classifier.bias", len(labels))
    weights.write(os.path.join(path, "adapter_model.safetensors"))
    return path


def read_tensors(path):
    """name -> (shape, array of floats), of a file of F32."""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = entry["shape"], array.array("f", data[begin:end])
    return tensors


def merge_adapter(path, base, adapter):
    """The directory that the adapter of an embedder stands for."""
    shutil.copytree(base, path)
    changes = read_tensors(os.path.join(adapter, "adapter_model.safetensors"))
    tensors = read_tensors(os.path.join(base, "model.safetensors"))
    prefix = "base_model.model."
    for name, (_, b) in changes.items():
        if not name.endswith(".lora_B.weight"):
            continue
        module = name[len(prefix):-len(".lora_B.weight")]
        _, a = changes[prefix + module + ".lora_A.weight"]
        weight = tensors[module + ".weight"][1]
        for row in range(HIDDEN):
            for column in range(HIDDEN):
                product = 0.0
                for k in range(RANK):
                    product += b[row * RANK + k] * a[k * HIDDEN + column]
                weight[row * HIDDEN + column] += ALPHA / RANK * product
    for part in ("classifier.weight", "classifier.bias"):
        tensors[part] = changes[prefix + part]
    weights = Weights(0)
    weights.tensors = [(name, shape, values.tobytes())
                       for name, (shape, values) in tensors.items()]
    weights.write(os.path.join(path, "model.safetensors"))
    with open(os.path.join(base, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(adapter, "config.json"), encoding="utf-8") as file:
        config.update(json.load(file))
    write_json(os.path.join(path, "config.json"), config)
    return path
