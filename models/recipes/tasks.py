"""tasks.py - what the task models learn from, their labels, and how many tokens
of a text they read meanwhile."""

import typing

import read_data
import spam_split
import support


class Task(typing.NamedTuple):
    rows: typing.Callable  # (data, more): [(text, number of the label)]
    labels: list
    tokens: int


def spam(data, _):
    train, _ = spam_split.spam_split(spam_split.read(data))
    return [(text, int(label == "spam")) for text, label in train]


TASKS = {
    "tickets": Task(lambda data, _: support.different(data), read_data.LABELS,
                    128),
    "sentiment": Task(read_data.opinions_to_tune, ["negative", "positive"],
                      64),
    "spam": Task(spam, ["ham", "spam"], 96),
}
