"""evaluate.py - the figures of the model card, from the exported files.

Every set is one that the heads were not trained on.  The forward pass over many
texts runs in torch; reference.py, written apart from it, checks a sample.
"""

import argparse
import collections
import pathlib
import random

import numpy
import torch

import bert
import held_back
import read_data
import reference
import safetensors_file
import wordpiece

MUST = [
    ("I was charged twice for the same order", "billing"),
    ("", "other"), ("asdf", "other"),
    ("The Eiffel Tower is a wrought-iron lattice tower in Paris, France.",
     "other"),
    ("hi, i ordered a pair of shoes last week and my account was debited two "
     "times, can you look into it", "billing"),
    ("The parcel still has not shown up and the tracking page has not changed "
     "for six days. I need it before Friday.", "delivery"),
    ("can't log in, the reset mail never comes", "account"),
    ("I love how fast you answered last time", "feedback"),
    ("Is there a phone number where I can reach a human?", "contact"),
    ("what's the capital of France", "other"),
]


def load(folder):
    """The exported directory as the module that was trained."""
    folder = pathlib.Path(folder)
    tensors = {name: torch.from_numpy(tensor) for name, tensor in
               safetensors_file.read(folder / "model.safetensors").items()}
    pieces = (folder / "vocab.txt").read_text().split("\n")[:-1]
    model = bert.Router(len(pieces), len(read_data.LABELS), dropout=0.0)
    back = {}
    for name in model.state_dict():
        module, kind = name.rsplit(".", 1)
        if module in bert.FRONT_NAMES:
            back[name] = tensors["%s.%s" % (bert.FRONT_NAMES[module], kind)]
            continue
        _, _, number, part = module.split(".")
        layer = "bert.encoder.layer.%s." % number
        if part == "qkv":
            back[name] = torch.cat([
                tensors[layer + "attention.self.%s.%s" % (role, kind)]
                for role in ("query", "key", "value")])
        else:
            back[name] = tensors[layer + "%s.%s" % (
                bert.LAYER_NAMES[part], kind)]
    model.load_state_dict(back)
    return model.eval(), wordpiece.WordPiece(pieces)


@torch.no_grad()
def run(model, tokenizer, texts, head):
    """head(hidden, ids) of every text, in batches of like length."""
    ids = [tokenizer.encode(text) for text in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    rows = [None] * len(ids)
    for at in range(0, len(order), 64):
        chosen = order[at:at + 64]
        batch = bert.pad([ids[i] for i in chosen])
        for i, row in zip(chosen, head(model.encoder(batch), batch)):
            rows[i] = row
    return torch.stack(rows)


def predict(model, tokenizer, texts):
    logits = run(model, tokenizer, texts, lambda hidden, _: model.logits(
        hidden))
    return [read_data.LABELS[i] for i in logits.argmax(-1).tolist()]


def embed(model, tokenizer, texts):
    return run(model, tokenizer, texts, model.embeddings).numpy()


def ranks(values):
    """Ranks, the mean one for equal values."""
    values = numpy.asarray(values)
    _, group, count = numpy.unique(values, return_inverse=True,
                                   return_counts=True)
    return (numpy.cumsum(count) - (count - 1) / 2)[group]


def spearman(a, b):
    return numpy.corrcoef(ranks(a), ranks(b))[0, 1]


def report_router(model, tokenizer, data):
    for name, rows in held_back.router_sets(data).items():
        found = predict(model, tokenizer, [text for text, _ in rows])
        right = sum(f == label for f, (_, label) in zip(found, rows))
        print("%s: %d of %d, %.1f %%" % (
            name, right, len(rows), 100 * right / len(rows)))
        if not name.startswith(("own", "bitext")):
            continue
        total, hits = collections.Counter(), collections.Counter()
        for f, (text, label) in zip(found, rows):
            total[label] += 1
            hits[label] += f == label
        for label in read_data.LABELS:
            if total[label]:
                print("    recall %-13s %3d of %3d" % (
                    label, hits[label], total[label]))
    found = predict(model, tokenizer, [text for text, _ in MUST])
    for f, (text, label) in zip(found, MUST):
        print("%s %-12s %s" % ("ok  " if f == label else "MISS", f, text))


def report_embeddings(model, tokenizer, data):
    rows = read_data.sts(data, "dev")
    left = embed(model, tokenizer, [row[0] for row in rows])
    right = embed(model, tokenizer, [row[1] for row in rows])
    print("sts dev, spearman: %.3f" % spearman(
        (left * right).sum(-1), [row[2] for row in rows]))
    rows = read_data.banking(data, "test")
    vectors = embed(model, tokenizer, [text for text, _ in rows])
    scores = vectors @ vectors.T
    numpy.fill_diagonal(scores, -2)
    near = scores.argmax(-1)
    right = sum(rows[i][1] == rows[j][1] for i, j in enumerate(near))
    print("banking77 test, nearest neighbour of the same intent: %.1f %%" % (
        100 * right / len(rows)))


def report_reference(model, tokenizer, folder, data):
    other = reference.Model(folder)
    texts = [text for text, _ in held_back.own_words()]
    texts = random.Random(3).sample(texts, 20)
    found = predict(model, tokenizer, texts)
    again = [other.labels[other.probabilities(t).argmax()] for t in texts]
    vectors = embed(model, tokenizer, texts)
    same = [float(other.embedding(t) @ v) for t, v in zip(texts, vectors)]
    print("reference: %d of 20 labels the same, least cosine %.6f" % (
        sum(a == b for a, b in zip(found, again)), min(same)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--model", required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    model, tokenizer = load(arguments.model)
    report_router(model, tokenizer, arguments.data)
    report_embeddings(model, tokenizer, arguments.data)
    report_reference(model, tokenizer, arguments.model, arguments.data)


if __name__ == "__main__":
    main()
