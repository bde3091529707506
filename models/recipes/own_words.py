"""own_words.py - support requests as people write them, made from patterns.

The public sets hold short requests of one sentence; people tell what happened,
what they feel and only then what they want.  Each label has hand-written
patterns for the request itself; around it stand sentences that say nothing
about the label, a greeting, a sign-off, and the slips of hasty typing.

In a pattern, (a|b|c) is one of the alternatives, which may be empty or nest,
and {name} a word or phrase of SLOTS.
"""

import random
import re

import own_words_patterns
import own_words_stories

SLOTS = own_words_patterns.SLOTS
_INNERMOST = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg",
    "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k",
    "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
    "y": "tu", "z": "x",
}
_SHORT = {
    "you": "u", "please": "pls", "are": "r", "because": "cos",
    "thanks": "thx", "your": "ur", "i'm": "im", "don't": "dont",
    "can't": "cant", "i've": "ive", "it's": "its", "haven't": "havent",
    "doesn't": "doesnt", "account": "acct", "that's": "thats",
    "without": "w/o", "tomorrow": "tmrw", "people": "ppl", "and": "&",
}


def expand(pattern, dice):
    """One text of the pattern."""
    while "(" in pattern or "{" in pattern:
        pattern = _SLOT.sub(lambda m: dice.choice(SLOTS[m.group(1)]), pattern)
        pattern = _INNERMOST.sub(
            lambda m: dice.choice(m.group(1).split("|")), pattern)
    return re.sub(r"\s+([.,?!])", r"\1", " ".join(pattern.split()))


def _number(dice):
    return "".join(dice.choice("0123456789") for _ in range(
        dice.randint(3, 9)))


def sentence(pattern, dice):
    text = expand(pattern, dice)
    text = re.sub("#", lambda _: _number(dice), text)
    if text[-1] not in ".?!":
        asks = re.match(r"(can|could|how|what|when|where|why|which|who|do|"
                        r"does|did|is|are|am|will|would|may|should|has|have)"
                        r"\b", text)
        text += "?" if asks else dice.choice(["."] * 8 + ["!", "..."])
    text = re.sub(r"\bi\b", "I", text)
    return text[0].upper() + text[1:]


def slip(text, dice):
    """The text as a hasty writer leaves it."""
    words = text.split(" ")
    for i, word in enumerate(words):
        luck = dice.random()
        if luck < 0.03 and len(word) > 3 and word.isalpha():
            at = dice.randrange(1, len(word) - 1)
            kind = dice.randrange(4)
            if kind == 0:
                word = word[:at] + word[at + 1:]
            elif kind == 1:
                word = word[:at] + word[at + 1] + word[at] + word[at + 2:]
            elif kind == 2:
                word = word[:at] + word[at] + word[at:]
            else:
                near = _NEIGHBOURS.get(word[at].lower(), word[at])
                word = word[:at] + dice.choice(near) + word[at + 1:]
            words[i] = word
        elif luck < 0.15 and word.lower() in _SHORT:
            words[i] = _SHORT[word.lower()]
    text = " ".join(words)
    if dice.random() < 0.3:
        text = re.sub("[.,!]", "", text)
    if dice.random() < 0.15:
        text = text.rstrip(".?!") + dice.choice(["!!", "??", "!!!", "..", ""])
    return text


def drop_words(text, dice):
    """A few words left out, so that no single one carries the label."""
    words = text.split(" ")
    if len(words) < 6:
        return text
    return " ".join(w for w in words if dice.random() > 0.08)


def surround(request, dice, neutral):
    """The request with sentences around it that do not decide the label."""
    before, after = [], []
    own = own_words_patterns
    if dice.random() < 0.35:
        before.append(sentence(dice.choice(own.GREETINGS), dice))
    for _ in range(dice.choice([0, 0, 0, 1, 1, 2])):
        if neutral and dice.random() < 0.2:
            before.append(dice.choice(neutral))
        else:
            before.append(sentence(dice.choice(own.CONTEXT), dice))
    if dice.random() < 0.3:
        after.append(sentence(dice.choice(own.AFTERWARDS), dice))
    if neutral and dice.random() < 0.06:
        after.append(dice.choice(neutral))
    if dice.random() < 0.3:
        after.append(sentence(dice.choice(own.SIGN_OFFS), dice))
    text = " ".join(before + [request] + after)
    if before and dice.random() < 0.25:
        # One long sentence joined by "and", as spoken language has it.
        text = re.sub(r"[.!] (\w)", lambda m: dice.choice(
            [", ", " and ", ", and ", " so ", " - "]) + m.group(1).lower(),
            text, count=1)
    return text


def finish(text, dice):
    """Letter case and typing noise."""
    if dice.random() < 0.4:
        text = slip(text, dice)
    if dice.random() < 0.15:
        text = drop_words(text, dice)
    if dice.random() < 0.35:
        text = text.lower()
    return text


def make(label, count, seed, neutral=()):
    """count texts of one label, some of them the bare request."""
    dice = random.Random("%s %d" % (label, seed))
    patterns = own_words_patterns.REQUESTS[label]
    patterns = patterns + own_words_stories.STORIES.get(label, [])
    texts = []
    for i in range(count):
        pattern = patterns[i % len(patterns)]
        request = sentence(pattern, dice)
        if dice.random() < 0.12:
            # Two requests of one label: people say it twice.
            request += " " + sentence(dice.choice(patterns), dice)
        if dice.random() < 0.75:
            request = surround(request, dice, neutral)
        texts.append(finish(request, dice))
    return texts
