"""imdb_parts.py - parts of reviews of films, each with the label of the whole.

    imdb_parts.py aclImdb --data ../shared/data --more ../shared/more

aclImdb is the folder of the Large Movie Review Dataset (Maas et al., 2011), of
which only the training part is read: train/pos and train/neg, a file for each
review, its name ending in the number of stars.  Writes imdb/train.tsv: of every
review how it begins and how it ends, and all of it where the stars are few or
many.  Nothing is kept that shares thirty letters with a sentence of SST-2's dev
or test part, which other critics wrote of the same films.
"""

import argparse
import pathlib
import re

import read_data
from sst_phrases import letters

PART = 200
SHARED = 30
EXTREME = {1, 2, 9, 10}


def parts(text):
    """Sentences, together as long as fit into PART characters."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if found and len(found[-1]) + len(sentence) <= PART:
            found[-1] += " " + sentence
        else:
            found.append(sentence)
    return found


def runs(text):
    text = letters(text)
    return {text[at:at + SHARED] for at in range(len(text) - SHARED + 1)}


def rows(folder, label, judging):
    """[(label, part)]; how many were left out"""
    found, left_out = [], 0
    for path in sorted(folder.glob("*.txt")):
        stars = int(path.stem.split("_")[1])
        text = re.sub(r"<br\s*/?>", " ", path.read_text(encoding="utf-8"))
        several = parts(" ".join(text.split()))
        if stars not in EXTREME:
            several = several[:1] + several[1:][-1:]
        clean = [part for part in several if not runs(part) & judging]
        found += [(label, part) for part in clean]
        left_out += len(several) - len(clean)
    return found, left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reviews", type=pathlib.Path)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--more", type=pathlib.Path, default="../shared/more")
    arguments = parser.parse_args()
    judging = {run for part in ("dev", "test")
               for text, _ in read_data.sentiment(arguments.data, part)
               for run in runs(text)}
    folder = arguments.more / "imdb"
    folder.mkdir(parents=True, exist_ok=True)
    total = without = 0
    with open(folder / "train.tsv", "w", encoding="utf-8") as file:
        file.write("label\ttext\n")
        for name, label in (("neg", 0), ("pos", 1)):
            found, left_out = rows(arguments.reviews / "train" / name, label,
                                   judging)
            file.writelines("%d\t%s\n" % row for row in found)
            total, without = total + len(found), without + left_out
    print("%d parts; %d left out" % (total, without))


if __name__ == "__main__":
    main()
