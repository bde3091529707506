"""train.py - both heads together on one encoder.

Cross-entropy for the router; for the embeddings the symmetric in-batch
contrastive loss (van den Oord et al., 2018) and the regression of the cosine on
the similarity judgements of the STS benchmark (Reimers and Gurevych, 2019).
"""

import argparse
import itertools
import json
import pathlib
import random
import time

import torch
import torch.nn.functional as F

import bert
import examples
import read_data
import wordpiece

BATCH = 64
PAIRS = 48
TEMPERATURE = 0.05
PRETRAINED_POSITIONS = 64
LIMIT = 192

# "other" has three times the texts of any label, for its variety; without the
# weight whatever is put in new words would be taken for it.
LABEL_WEIGHTS = torch.tensor([0.5 if label == "other" else 1.0
                              for label in read_data.LABELS])


def load_pretrained(model, path):
    model.encoder.load_state_dict(torch.load(path))
    # Pre-training saw rows of 64 tokens: the later positions, still random,
    # start as copies of the second half of the known ones.
    known = PRETRAINED_POSITIONS
    places = model.encoder.positions.weight
    with torch.no_grad():
        for i in range(known, places.shape[0]):
            places[i] = places[known // 2 + (i - known) % (known // 2)]


def bucketed(rows, dice):
    """Batches of texts of like length, in random order."""
    order = sorted(range(len(rows)), key=lambda i: (
        len(rows[i][0]) + dice.randint(0, 6)))
    batches = [order[i:i + BATCH] for i in range(0, len(order), BATCH)]
    dice.shuffle(batches)
    return [[rows[i] for i in batch] for batch in batches]


def hide_tokens(ids):
    """Some tokens unreadable: the label must not hang on a single word."""
    hidden = (torch.rand(ids.shape) < 0.05) & (ids > wordpiece.MASK)
    return ids.masked_fill(hidden, wordpiece.MASK)


def router_loss(model, batch):
    ids = hide_tokens(bert.pad([ids for ids, _ in batch]))
    labels = torch.tensor([label for _, label in batch])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model.logits(model.encoder(ids))
    return F.cross_entropy(logits.float(), labels, LABEL_WEIGHTS,
                           label_smoothing=0.03)


def embed(model, texts, tokenizer):
    ids = bert.pad([tokenizer.encode(text, 64) for text in texts])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.encoder(ids)
    return model.embeddings(hidden, ids)


def contrastive_loss(model, pairs, tokenizer):
    vectors = embed(model, [a for a, _ in pairs] + [b for _, b in pairs],
                    tokenizer)
    left, right = vectors[:len(pairs)], vectors[len(pairs):]
    scores = left @ right.t() / TEMPERATURE
    target = torch.arange(len(pairs))
    return (F.cross_entropy(scores, target) +
            F.cross_entropy(scores.t(), target)) / 2


def similarity_loss(model, rows, tokenizer):
    vectors = embed(model, [row[0] for row in rows] + [row[1] for row in rows],
                    tokenizer)
    cosine = (vectors[:len(rows)] * vectors[len(rows):]).sum(-1)
    return F.mse_loss(cosine, torch.tensor([row[2] / 5 for row in rows]))


def step_loss(model, step, batch, sources, tokenizer, dice):
    """The router at each step, the embeddings at three of eight."""
    groups, similar = sources
    loss = router_loss(model, batch)
    kind = step % 8
    if kind in (1, 4):
        loss = loss + 0.8 * contrastive_loss(
            model, examples.pairs(groups, PAIRS, dice), tokenizer)
    elif kind == 6:
        loss = loss + 3.0 * similarity_loss(
            model, dice.sample(similar, PAIRS // 2), tokenizer)
    return loss


def build_optimizers(model, rate):
    """The word vectors are half of the weights and most of them rest in any one
    step, so they have sparse gradients and an optimizer for these."""
    model.encoder.words.sparse = True
    words = model.encoder.words.weight
    dense = [p for p in model.parameters() if p is not words]
    return [torch.optim.SparseAdam([words], lr=rate),
            torch.optim.AdamW(dense, lr=rate, weight_decay=0.01)], dense


def endless_batches(data, tokenizer, seed, dice):
    """Batches of (ids, label index); each epoch has new own words."""
    index = {label: i for i, label in enumerate(read_data.LABELS)}
    for epoch in itertools.count():
        rows = [(tokenizer.encode(text, LIMIT), index[label])
                for text, label in examples.labelled(data, 1000 * seed + epoch)]
        print("epoch %d, %d texts" % (epoch + 1, len(rows)), flush=True)
        yield from bucketed(rows, dice)


def apply_gradients(optimizers, dense, rate):
    torch.nn.utils.clip_grad_norm_(dense, 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def fit(model, tokenizer, arguments, save):
    """Trains until the time is over."""
    dice = random.Random(arguments.seed)
    sources = (examples.pair_groups(arguments.data),
               read_data.sts(arguments.data, "train"))
    optimizers, dense = build_optimizers(model, arguments.rate)
    batches = endless_batches(arguments.data, tokenizer, arguments.seed, dice)
    start, total = time.time(), 0.0
    for step, batch in enumerate(batches):
        minutes = (time.time() - start) / 60
        left = 1 - minutes / arguments.minutes
        if left <= 0:
            break
        if step and step % 60 == 0:
            print("step %d loss %.3f, %.1f min" % (step, total / 60, minutes),
                  flush=True)
            total = 0.0
            # A weak model early is of use to whoever waits for the files.
            save()
        loss = step_loss(model, step, batch, sources, tokenizer, dice)
        loss.backward()
        total += loss.item()
        warm = min(1, (step + 1) / 60)
        apply_gradients(optimizers, dense,
                        arguments.rate * warm * max(0.02, left))
    save()
    print("steps", step)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--minutes", type=float, default=18)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--resume", help="go on from these weights")
    parser.add_argument("--out", default="router.pt")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    torch.manual_seed(arguments.seed)
    # Before the first threads start, as they inherit it: moments that fade
    # to denormal numbers make a step several times as slow.
    torch.set_flush_denormal(True)
    torch.set_num_threads(2)

    pieces = json.loads((work / "vocabulary.json").read_text())
    tokenizer = wordpiece.WordPiece(pieces)
    model = bert.Router(len(pieces), len(read_data.LABELS), dropout=0.0)
    if arguments.resume:
        model.load_state_dict(torch.load(work / arguments.resume))
    else:
        load_pretrained(model, work / "encoder.pt")
    # The encoder goes without: few enough steps that it cannot overfit.
    model.dropout.p = 0.1
    fit(model, tokenizer, arguments, lambda: torch.save(
        model.state_dict(), work / arguments.out))


if __name__ == "__main__":
    main()
