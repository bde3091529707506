"""tasks.py - what the task models learn from, their labels, and how many tokens
of a text they read meanwhile."""

import typing

import read_data
import spam_split
import support


class Task(typing.NamedTuple):
    # (data, more): [(text, number of the label)]
    rows: typing.Callable   # for an adapter
    words: typing.Callable  # for a head over words
    labels: list
    tokens: int


def tickets(data, _):
    return support.different(data)


def spam(data, _):
    train, _ = spam_split.spam_split(spam_split.read(data))
    return [(text, int(label == "spam")) for text, label in train]


TASKS = {
    "tickets": Task(tickets, tickets, read_data.LABELS, 128),
    "sentiment": Task(read_data.opinions_to_tune, read_data.opinion_words,
                      ["negative", "positive"], 64),
    "spam": Task(spam, spam, ["ham", "spam"], 96),
}
