"""sst_phrases.py - the phrases that training sentences of the Stanford
Sentiment Treebank are made of, each with its own label.

    sst_phrases.py TREES --more ../shared/more

TREES is the folder with train.txt, dev.txt and test.txt, labelled trees
(Socher et al., 2013), one a line: (3 (2 It) (4 (2 's) (4 great))).  Writes
sst-phrases/train.tsv.  Copies of train.txt go about that hold the dev part,
too: a sentence of the other two is left out with all of its phrases, for they
tell its label.
"""

import argparse
import pathlib
import re


def letters(text):
    """What two ways to write a sentence share."""
    return re.sub("[^a-z]", "", text.lower())


def phrases(line):
    """[(label 0..4, text)] of a tree, its parts before the whole."""
    found, open_parts = [], []
    for bracket, label, word in re.findall(
            r"(\()\s*([0-4])|([^\s()]+)|\)", line):
        if bracket:
            open_parts.append((int(label), []))
        elif word:
            open_parts[-1][1].append(word.replace("\\/", "/"))
        else:
            label, words = open_parts.pop()
            found.append((label, " ".join(words).lower()))
            if open_parts:
                open_parts[-1][1].extend(words)
    return found


def read(path):
    """phrases() of each tree of a file."""
    with open(path, encoding="utf-8") as file:
        return [phrases(line) for line in file if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", type=pathlib.Path)
    parser.add_argument("--more", type=pathlib.Path, default="../shared/more")
    arguments = parser.parse_args()
    judging = {letters(tree[-1][1]) for part in ("dev", "test")
               for tree in read(arguments.trees / (part + ".txt"))}
    trees = read(arguments.trees / "train.txt")
    kept = [tree for tree in trees if letters(tree[-1][1]) not in judging]
    rows = {(label, int(place == len(tree)), text) for tree in kept
            for place, (label, text) in enumerate(tree, 1)
            if letters(text) not in judging}
    folder = arguments.more / "sst-phrases"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "train.tsv", "w", encoding="utf-8") as file:
        file.write("label\tis_sentence\ttext\n")
        for row in sorted(rows):
            file.write("%d\t%d\t%s\n" % row)
    print("%d phrases of %d trees; %d trees left out" % (
        len(rows), len(kept), len(trees) - len(kept)))


if __name__ == "__main__":
    main()
