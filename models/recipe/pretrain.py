"""pretrain.py - vocabulary and masked language modelling.

Devlin et al. (2018), section 3.1, on sentences packed to one length; the
products run in bfloat16, which is four times as fast here.
"""

import argparse
import json
import pathlib
import random
import time

import torch
import torch.nn.functional as F

import bert
import read_data
import wordpiece

LENGTH = 64
BATCH = 64


def read_texts(data):
    """Support first: what the model is for is what it should see most."""
    support = [text for text, _, _ in read_data.bitext(data)]
    support += [text for text, _ in read_data.banking(data, "train")]
    support += [text for text, _ in read_data.clinc(data, "train")]
    support += [text for text, _ in read_data.clinc(data, "oos_train")]
    talk = read_data.dialogue(data)
    other = [text for image in read_data.captions(data) for text in image[:2]]
    other += read_data.questions(data)
    other += read_data.encyclopedia(data, 60000)
    return support * 2 + talk + other


def pack(tokenizer, texts, seed):
    """One row of LENGTH ids per [CLS] text [SEP] text [SEP] ..."""
    order = list(range(len(texts)))
    random.Random(seed).shuffle(order)
    rows, row = [], [wordpiece.CLS]
    for i in order:
        ids = tokenizer.encode(texts[i], LENGTH)[1:]
        if len(row) + len(ids) > LENGTH:
            rows.append(row + [0] * (LENGTH - len(row)))
            row = [wordpiece.CLS]
        row = row + ids[:LENGTH - 1]
    return torch.tensor(rows)


def mask_tokens(ids, vocabulary):
    """15 % of the tokens: 80 % [MASK], 10 % random, 10 % kept."""
    chosen = (torch.rand(ids.shape) < 0.15) & (ids > wordpiece.MASK)
    dice = torch.rand(ids.shape)
    masked = ids.clone()
    masked[chosen & (dice < 0.8)] = wordpiece.MASK
    replace = chosen & (dice > 0.9)
    masked[replace] = torch.randint(5, vocabulary, (int(replace.sum()),))
    return masked, chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--minutes", type=float, default=20)
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    work.mkdir(parents=True, exist_ok=True)
    random.seed(1)
    torch.manual_seed(1)
    torch.set_num_threads(2)

    texts = read_texts(arguments.data)
    pieces = wordpiece.build_vocabulary(texts)
    (work / "vocabulary.json").write_text(json.dumps(pieces))
    tokenizer = wordpiece.WordPiece(pieces)
    rows = pack(tokenizer, texts, 1)
    print("pieces", len(pieces), "rows", len(rows), flush=True)

    model = bert.Encoder(len(pieces), dropout=0.0)
    transform = torch.nn.Sequential(
        torch.nn.Linear(256, 256), torch.nn.GELU(), bert.Norm(256))
    parameters = list(model.parameters()) + list(transform.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01,
                                  betas=(0.9, 0.98))
    start, step, total = time.time(), 0, 0.0
    order = torch.randperm(len(rows))
    while True:
        done = (time.time() - start) / (60 * arguments.minutes)
        if done >= 1:
            break
        rate = 1e-3 * min(1, (step + 1) / 200) * max(0.02, 1 - done)
        for group in optimizer.param_groups:
            group["lr"] = rate
        at = step * BATCH % (len(rows) - BATCH)
        ids, chosen = mask_tokens(rows[order[at:at + BATCH]], len(pieces))
        target = rows[order[at:at + BATCH]][chosen]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = transform(model(ids)[chosen])
            logits = hidden @ model.words.weight.t()
        loss = F.cross_entropy(logits.float(), target)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step, total = step + 1, total + loss.item()
        if step % 100 == 0:
            print("step %d loss %.3f, %.1f min" % (
                step, total / 100, (time.time() - start) / 60), flush=True)
            total = 0.0
        if step % 500 == 0:
            torch.save(model.state_dict(), work / "encoder.pt")
    torch.save(model.state_dict(), work / "encoder.pt")


if __name__ == "__main__":
    main()
