"""prepare.py - step 1: vocabulary and token streams of the running text.

Reads the encyclopedia, the novels and the dialogues of --data, learns a
WordPiece vocabulary from their words and writes one file of 16-bit token ids
with the places where sentences, paragraphs and articles begin.  The reviews of
--more are a further file: what people say of a thing they like or do not like
is in none of the others.
"""

import argparse
import collections
import json
import lzma
import multiprocessing
import pathlib
import random
import re
import tarfile
import time

import numpy

import read_data
import wordpiece

SENTENCE_END = re.compile(r"(?<=[.!?]) +(?=[\"'(A-Z0-9])")

# Requests and dialogues are a hundredth of the text but most of what users
# bring: their words count this many times when pieces are chosen.
REQUEST_WEIGHT = 10

# (articles, pieces) of each job: what forks inherits it, nothing is sent.
JOBS = []


def encyclopedia(data):
    """Articles as lists of paragraphs; the first is the title."""
    path = pathlib.Path(data, "wikipedia-en-2015.txt.xz")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        article = []
        for line in file:
            if line.startswith("<doc "):
                article = []
            elif line.startswith("</doc"):
                if len(article) > 1:
                    yield article
            elif line.strip():
                article.append(line.strip())


def novels(data):
    """Novels as lists of paragraphs of one or more lines."""
    path = pathlib.Path(data, "novels100.tar.xz")
    with tarfile.open(path, "r:xz") as archive:
        for member in archive:
            if not member.isfile() or not member.name.endswith(".txt"):
                continue
            text = archive.extractfile(member).read().decode(
                "utf-8", "replace")
            blocks = re.split(r"\n\s*\n", text.replace("\r", ""))
            yield [""] + [" ".join(b.split()) for b in blocks if b.strip()]


def requests(data):
    """Short texts, ten to an article without a title."""
    texts = [re.sub(r"\d{5,}", "12345", text)
             for text, _, _ in read_data.bitext(data)]
    texts += [text for text, _ in read_data.banking(data, "train")]
    texts += [text for text, _ in read_data.clinc(data, "train")]
    texts += [text for group in read_data.captions(data) for text in group]
    texts += read_data.questions(data)
    texts += [text for text, _ in read_data.sentiment(data, "train")] * 2
    talk = read_data.dialogue(data)
    for lines in by_tens(talk):
        yield [""] + [" ".join(lines)]
    for few in by_tens(texts):
        yield [""] + few


def by_tens(texts):
    return (texts[at:at + 10] for at in range(0, len(texts), 10))


def opinions(more):
    """Reviews and remarks, ten to an article without a title."""
    names = read_data.LABELLED_OPINIONS + read_data.SCORED_OPINIONS
    texts = sorted({row["text"] for name in names
                    for row in read_data.more(more, name)})
    random.Random(1).shuffle(texts)
    for few in by_tens(texts):
        yield [""] + few


def count_words(articles, weight, counts):
    for article in articles:
        for paragraph in article:
            for chunk in paragraph.split():
                counts[chunk] += weight


def words_of(chunks):
    words = collections.Counter()
    for chunk, count in chunks.items():
        for word in wordpiece.split_words(chunk):
            words[word] += count
    return words


def encode(articles, pieces):
    """Token ids, and where sentences, paragraphs and articles begin."""
    tokenizer = wordpiece.WordPiece(pieces)
    memory = {}
    ids, sentences, paragraphs, starts = [], [], [], []
    parts = []
    total = 0
    for article in articles:
        starts.append(len(paragraphs))
        for paragraph in article:
            paragraphs.append(len(sentences))
            for sentence in SENTENCE_END.split(paragraph):
                sentences.append(total + len(ids))
                for chunk in sentence.split():
                    found = memory.get(chunk)
                    if found is None:
                        found = tokenizer.encode(chunk, 10000)[1:-1]
                        memory[chunk] = found
                    ids.extend(found)
        if len(ids) > 1 << 20:
            parts.append(numpy.array(ids, numpy.uint16))
            total += len(ids)
            ids = []
    parts.append(numpy.array(ids, numpy.uint16))
    return (numpy.concatenate(parts),) + tuple(
        numpy.array(places, numpy.int64)
        for places in (sentences, paragraphs, starts))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--more", help="folder with the further sets")
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--pieces", type=int, default=16000)
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    work.mkdir(parents=True, exist_ok=True)
    start = time.time()
    chunks = collections.Counter()
    corpora = []
    for source, weight in ((encyclopedia, 1), (novels, 1),
                           (requests, REQUEST_WEIGHT)):
        articles = list(source(arguments.data))
        count_words(articles, weight, chunks)
        corpora.append(articles)
        print("%s: %d articles, %.0f s" % (
            source.__name__, len(articles), time.time() - start), flush=True)
    words = words_of(chunks)
    print("%d words, %.0f s" % (len(words), time.time() - start), flush=True)
    pieces = wordpiece.build_vocabulary(words, arguments.pieces)
    (work / "vocabulary.json").write_text(json.dumps(pieces))
    print("%d pieces, %.0f s" % (len(pieces), time.time() - start), flush=True)
    half = len(corpora[0]) // 2
    jobs = [(corpora[0][:half], pieces), (corpora[0][half:], pieces),
            (corpora[1], pieces), (corpora[2], pieces),
            (list(opinions(arguments.more)), pieces)]
    JOBS.extend(jobs)
    with multiprocessing.Pool(2) as pool:
        streams = pool.map(encode_job, range(len(jobs)), chunksize=1)
    for name, parts in (("encyclopedia", streams[:2]),
                        ("novels", streams[2:3]), ("requests", streams[3:4]),
                        ("opinions", streams[4:])):
        merged = merge(parts)
        numpy.savez(work / ("%s.npz" % name), **merged)
        print(name, {k: len(v) for k, v in merged.items()},
              "%.0f s" % (time.time() - start), flush=True)


def encode_job(number):
    return encode(*JOBS[number])


def merge(parts):
    ids, sentences, paragraphs, articles = [], [], [], []
    for part in parts:
        tokens, lines, blocks, starts = part
        articles.append(starts + sum(len(p) for p in paragraphs))
        paragraphs.append(blocks + sum(len(s) for s in sentences))
        sentences.append(lines + sum(len(i) for i in ids))
        ids.append(tokens)
    return dict(ids=numpy.concatenate(ids),
                sentences=numpy.concatenate(sentences),
                paragraphs=numpy.concatenate(paragraphs),
                articles=numpy.concatenate(articles))


if __name__ == "__main__":
    main()
