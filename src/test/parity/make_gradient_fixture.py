#!/usr/bin/python3
"""make_gradient_fixture.py - tiny models and the gradients of their weights.

    make_gradient_fixture.py [directory]     (default: fixtures beside this)

Writes gradient_*/: a Hugging Face directory with seeded random weights, the
same with each weight's gradient in its place (expected/), and batch.txt.  The
forward pass is that of make_encoder_fixture.py in float64, and the gradients
are those of torch's autograd.

batch.txt: "batch <texts> <pooled> <multi>", "loss <loss>", then per text

    text <tokens> <weight>
    <ids>
    <targets, 0 or 1 per label>
    <per token: the gradient by its row of the word embedding>

The loss is the sum of the texts' cross-entropies times weight, of the softmax
or of all sigmoids.

SPDX-License-Identifier: PostgreSQL
"""
import os
import random
import sys

import torch

import make_encoder_fixture as encoder

HIDDEN = 16
LENGTHS = [2, 3, 8, 17, 30]
WORDS = 'embeddings.word_embeddings.weight'

CASES = [
    dict(name='bert_first', heads=2, labels=3),
    dict(name='bert_max', heads=4, labels=5, multi=True, act='gelu_new',
         pooling='max', normalize=True),
    dict(name='distilbert_mean', kind='distilbert', heads=1, labels=4,
         pooling='mean', normalize=True),
]


def make_texts(case, pieces):
    source = random.Random(11)
    for number, length in enumerate(LENGTHS):
        ids = [encoder.CLS] + source.choices(
            range(len(encoder.SPECIAL), pieces), k=length - 2) + [encoder.SEP]
        targets = [0] * case['labels']
        targets[number % case['labels']] = 1
        if case['multi']:
            targets[(number * 2 + 1) % case['labels']] = 1
        yield ids, targets, 1 / (number + 2)


def text_loss(model, table, text):
    """The loss of a text, and the rows of its words as torch keeps them."""
    ids, targets, weight = text
    rows = table[ids]
    rows.retain_grad()
    model.weights[WORDS] = rows
    hidden = model.encode(list(range(len(ids))))
    if model.case['pooling']:
        hidden = model.embedding(hidden)[None]
    scores = model.scores(hidden)
    targets = torch.tensor(targets, dtype=torch.float64)
    loss = -(targets * torch.log(scores)).sum()
    if model.case['multi']:
        loss = loss - ((1 - targets) * torch.log(1 - scores)).sum()
    return loss * weight, rows


def write_batch(path, case, loss, texts, rows):
    with open(path, 'w', encoding='utf-8') as file:
        print('batch', len(texts), int(bool(case['pooling'])),
              int(case['multi']), file=file)
        print('loss %.17g' % loss, file=file)
        for (ids, targets, weight), row in zip(texts, rows):
            print('text %d %.17g' % (len(ids), weight), file=file)
            print(*ids, file=file)
            print(*targets, file=file)
            for values in row.grad.tolist():
                print(' '.join('%.9g' % value for value in values), file=file)


def write_model(directory, case, vocabulary, weights):
    os.makedirs(directory, exist_ok=True)
    encoder.write_config(directory, case, len(vocabulary))
    encoder.write_tokenizer(directory, case, vocabulary)
    encoder.write_weights(directory, case, weights)
    if case['pooling']:
        encoder.write_pooling(directory, case)


def make_case(root, case):
    case = dict(dict(kind='bert', hidden=HIDDEN, multi=False, act='gelu',
                     type='F32', normalize=False, pooling='', shards=1,
                     vocab_txt=True), **case)
    directory = os.path.join(root, 'gradient_' + case['name'])
    vocabulary = encoder.SPECIAL + encoder.make_words()
    weights = encoder.make_weights(case, len(vocabulary))
    model = encoder.Model(case, weights)
    for values in model.weights.values():
        values.requires_grad_(True)
    leaves = dict(model.weights)
    texts = list(make_texts(case, len(vocabulary)))
    parts = [text_loss(model, leaves[WORDS], text) for text in texts]
    loss = sum(part for part, _ in parts)
    loss.backward()
    write_model(directory, case, vocabulary, weights)
    write_model(os.path.join(directory, 'expected'), case, vocabulary,
                {name: values.grad.to(torch.float32)
                 for name, values in leaves.items()})
    write_batch(os.path.join(directory, 'batch.txt'), case, loss.item(), texts,
                [rows for _, rows in parts])


def main():
    root = sys.argv[1] if len(sys.argv) > 1 \
        else os.path.join(encoder.HERE, 'fixtures')
    for case in CASES:
        make_case(root, case)
    return 0


if __name__ == '__main__':
    sys.exit(main())
