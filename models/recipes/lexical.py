"""lexical.py - step 9: which pieces are rare, for the words in embeddings.

    lexical.py models/insitu-base-en --size 640
    lexical.py my-model --size 512 --text my-texts.txt

Counts the pieces of running text and writes insitu_lexical.json beside the
weights of a model.  embed() then gives, behind the encoder's values, a sketch
of the words that a text has, in which rare ones count most.  Any directory with
the tokenizer of BERT uncased will do, in a vocab.txt or a tokenizer.json.
"""

import argparse
import json
import lzma
import math
import pathlib

import numpy

import pairs
import wordpiece

# Square of the lengths: what a cosine of the lexical parts counts beside one of
# the encoder's, between two documents and between a query and a document.
ALIKE, FOUND = 0.3, 1.2
SATURATION = 2
CHARACTERS = 50_000_000
SHORTEST = 60  # of a line, in characters: no headings
ON_A_LINE = 16


def read_pieces(model):
    lines = model / "vocab.txt"
    if lines.exists():
        return lines.read_text(encoding="utf-8").rstrip("\n").split("\n")
    with open(model / "tokenizer.json", encoding="utf-8") as file:
        ids = json.load(file)["model"]["vocab"]
    return sorted(ids, key=ids.get)


def count_pieces(tokenizer, path, size):
    counts, left = numpy.zeros(size, numpy.int64), CHARACTERS
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            if len(line) < SHORTEST:
                continue
            counts += numpy.bincount(tokenizer.encode(line, len(line) + 2),
                                     minlength=size)
            left -= len(line)
            if left < 0:
                break
    return counts


def write(path, size, weights):
    document = math.sqrt(ALIKE)
    head = {"size": size, "saturation": SATURATION,
            "document": round(document, 3),
            "query": round(FOUND / document, 3)}
    numbers = ["%.2f" % weight for weight in weights]
    rows = [", ".join(numbers[at:at + ON_A_LINE])
            for at in range(0, len(numbers), ON_A_LINE)]
    path.write_text("%s,\n\"weights\": [\n%s]}\n" % (
        json.dumps(head)[:-1], ",\n".join(rows)))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--text", type=pathlib.Path,
                        help="in place of the encyclopedia in --data")
    arguments = parser.parse_args()
    text = arguments.text or pathlib.Path(arguments.data,
                                          "wikipedia-en-2015.txt.xz")
    pieces = read_pieces(arguments.model)
    counts = count_pieces(wordpiece.WordPiece(pieces), text, len(pieces))
    write(arguments.model / "insitu_lexical.json", arguments.size,
          pairs.Words(counts).weights)


if __name__ == "__main__":
    main()
