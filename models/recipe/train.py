"""train.py - both heads together on one encoder.

Cross-entropy for the router; for the embeddings the symmetric in-batch
contrastive loss (van den Oord et al., 2018) and the regression of the cosine on
the similarity judgements of the STS benchmark (Reimers and Gurevych, 2019).
"""

import argparse
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--minutes", type=float, default=11)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--out", default="router.pt")
    parser.add_argument("--resume", help="go on from these weights")
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    torch.manual_seed(2)
    # Before the first threads start, as they inherit it: moments that fade
    # to denormal numbers make a step several times as slow.
    torch.set_flush_denormal(True)
    torch.set_num_threads(2)
    dice = random.Random(2)

    pieces = json.loads((work / "vocabulary.json").read_text())
    tokenizer = wordpiece.WordPiece(pieces)
    model = bert.Router(len(pieces), len(read_data.LABELS), dropout=0.0)
    if arguments.resume:
        model.load_state_dict(torch.load(work / arguments.resume))
    else:
        load_pretrained(model, work / "encoder.pt")
    model.dropout.p = 0.1

    index = {label: i for i, label in enumerate(read_data.LABELS)}
    sources = (examples.pair_groups(arguments.data),
               read_data.sts(arguments.data, "train"))
    optimizers, dense = build_optimizers(model, arguments.rate)
    start, step, epoch, total, batches = time.time(), 0, 0, 0.0, []
    while True:
        done = (time.time() - start) / (60 * arguments.minutes)
        if done >= 1:
            break
        if not batches:
            # Each epoch has new own words.
            rows = [(tokenizer.encode(text, LIMIT), index[label]) for
                    text, label in examples.labelled(arguments.data, epoch)]
            batches, epoch = bucketed(rows, dice), epoch + 1
            print("epoch %d, %d texts" % (epoch, len(rows)), flush=True)
        rate = arguments.rate * min(1, (step + 1) / 60) * max(0.02, 1 - done)
        loss = step_loss(model, step, batches.pop(), sources, tokenizer, dice)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(dense, 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, total = step + 1, total + loss.item()
        if step % 60 == 0:
            print("step %d loss %.3f, %.1f min" % (
                step, total / 60, (time.time() - start) / 60), flush=True)
            total = 0.0
            # A weak model early is of use to whoever waits for the files.
            torch.save(model.state_dict(), work / arguments.out)
    torch.save(model.state_dict(), work / arguments.out)
    print("steps", step)


if __name__ == "__main__":
    main()
