"""spam_split.py - which messages of the SMS Spam Collection train and which
judge: the set has no split of its own."""

import hashlib
import pathlib


def read(data):
    """[(text, "ham" or "spam")], each text once."""
    path = pathlib.Path(data, "sms-spam", "SMSSpamCollection")
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file]
    return sorted({text: label for label, text in rows}.items())


def spam_split(rows):
    """(train, held back): a fifth by a hash of the text, so that equal texts
    fall on one side whatever the order of the file."""
    parts = ([], [])
    for text, label in rows:
        digest = hashlib.sha256(" ".join(text.lower().split()).encode())
        parts[digest.digest()[0] % 5 == 0].append((text, label))
    return parts
