"""written.py - rows that were written one by one, to train on or to judge."""

import pathlib

HERE = pathlib.Path(__file__).parent


def rows(name):
    """[(text, label)] of a file with "label<TAB>text" lines."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")[::-1]) for line in lines]
