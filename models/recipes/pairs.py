"""pairs.py - what the embeddings learn from: texts that belong together.

Each source gives batches of pairs of token rows; within a batch every other
text is a negative.  Running text gives neighbouring sentences, a sentence and
the paragraph it was taken from, a heading and what follows it, a few words and
where they were found; the labelled sets give captions of one image, requests of
one intent, paraphrases.
"""

import collections

import numpy

import own_words
import read_data
import support
import wordpiece

SENTENCE, PASSAGE, LONG_PASSAGE = 40, 64, 128
# Pieces more frequent than this say little of what a text is about.
FREQUENT = 1e-3


def framed(ids, limit):
    return [wordpiece.CLS] + [int(i) for i in ids[:limit - 2]] + \
        [wordpiece.SEP]


class Words:
    """Which texts share words, the rare ones above all (Robertson, 2004)."""

    PASSAGE = 64

    def __init__(self, counts):
        """counts: how often each piece comes in running text"""
        share = numpy.maximum(counts, 1) / counts.sum()
        # The share of passages that have the piece.
        found = -numpy.expm1(self.PASSAGE * numpy.log1p(-share))
        self.weights = -numpy.log(found).astype(numpy.float32)
        self.weights[:wordpiece.SEP + 1] = 0

    def cosines(self, texts):
        """Rows of ids -> [texts][texts]"""
        known, place = numpy.unique(numpy.concatenate(texts),
                                    return_inverse=True)
        rows = numpy.repeat(numpy.arange(len(texts)), [len(t) for t in texts])
        counts = numpy.zeros((len(texts), len(known)), numpy.float32)
        numpy.add.at(counts, (rows, place), 1)
        # The second time a word comes says less than the first.
        vectors = counts / (counts + 1) * self.weights[known]
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
        return vectors @ vectors.T


class RunningText:
    """Pairs out of one of prepare.py's streams."""

    words_matter = True

    def __init__(self, path, kinds):
        with numpy.load(path) as file:
            self.ids = file["ids"]
            self.sentences = numpy.append(file["sentences"], len(self.ids))
            self.paragraphs = numpy.append(file["paragraphs"],
                                           len(self.sentences) - 1)
            self.articles = numpy.append(file["articles"],
                                         len(self.paragraphs) - 1)
        self.kinds = kinds
        self.counts = numpy.bincount(self.ids, minlength=1 << 16)
        self.kept = numpy.where(self.counts / len(self.ids) > FREQUENT,
                                0.35, 0.85)

    def sentence(self, number):
        return self.ids[self.sentences[number]:self.sentences[number + 1]]

    def paragraph(self, number):
        first, last = self.paragraphs[number], self.paragraphs[number + 1]
        return self.ids[self.sentences[first]:self.sentences[last]]

    def neighbours(self, dice):
        """Two sentences that follow each other."""
        block = dice.randrange(len(self.paragraphs) - 1)
        first, last = self.paragraphs[block], self.paragraphs[block + 1]
        if last - first < 2:
            return None
        at = dice.randrange(first, last - 1)
        a, b = self.sentence(at), self.sentence(at + 1)
        if min(len(a), len(b)) < 7:
            return None
        return framed(a, SENTENCE), framed(b, SENTENCE)

    def taken_out(self, dice):
        """A sentence and the paragraph around it (Lee et al., 2019)."""
        block = dice.randrange(len(self.paragraphs) - 1)
        first, last = self.paragraphs[block], self.paragraphs[block + 1]
        if last - first < 3:
            return None
        at = dice.randrange(first, last)
        middle = self.sentence(at)
        if len(middle) < 7:
            return None
        low = max(first, at - 2)
        around = numpy.concatenate([
            self.ids[self.sentences[low]:self.sentences[at]],
            self.ids[self.sentences[at + 1]:self.sentences[min(last, at + 4)]]])
        return framed(middle, SENTENCE), framed(around, PASSAGE)

    def headed(self, dice):
        """The title, with the heading where there is one, and a passage."""
        article = dice.randrange(len(self.articles) - 1)
        first, last = self.articles[article], self.articles[article + 1]
        if last - first < 3:
            return None
        title = self.paragraph(first)
        block = dice.randrange(first + 1, last)
        body = self.paragraph(block)
        if not len(title) or len(body) < 25:
            return None
        before = self.paragraph(block - 1)
        if block - 1 > first and len(before) < 10:
            title = numpy.concatenate([title, before])
        elif block > first + 3:
            return None
        return framed(title, 24), framed(body, PASSAGE)

    def about(self, article, count, dice):
        """Pairs of words that ask and a passage that answers, the passages all
        of one article, so that what tells them apart is not its subject."""
        first, last = self.articles[article], self.articles[article + 1]
        blocks = [block for block in range(first + 1, last)
                  if 30 < len(self.paragraph(block))]
        if len(blocks) < count:
            return []
        rows = []
        for block in dice.sample(blocks, count):
            low, high = self.paragraphs[block], self.paragraphs[block + 1]
            asked = self.sentence(dice.randrange(low, high))[:SENTENCE]
            share = dice.choice([0.5, 0.75, 1, 1, 3])
            asked = [i for i in asked if dice.random() < share * self.kept[i]]
            body = self.paragraph(block)
            at = max(0, dice.randrange(-60, len(body) - 30))
            if len(asked) < 3:
                return []
            limit = dice.choice([PASSAGE, 96, LONG_PASSAGE])
            rows.append((framed(asked, SENTENCE), framed(body[at:], limit)))
        return rows

    def search(self, count, dice):
        """Groups of pairs that are hard to tell apart."""
        rows = []
        while len(rows) < count:
            rows += self.about(dice.randrange(len(self.articles) - 1),
                               dice.choice([8, 16]), dice)
        return rows[:count]

    def batch(self, count, dice):
        kind = dice.choice(self.kinds)
        if kind == "search":
            return self.search(count, dice)
        make = getattr(self, kind)
        rows = []
        while len(rows) < count:
            pair = make(dice)
            if pair:
                rows.append(pair)
        return rows


class Groups:
    """Groups of texts; any two of one group belong together."""

    words_matter = False

    def __init__(self, groups, tokenizer, noise=0.15):
        self.groups = [g for g in groups if len(set(g)) > 1]
        self.tokenizer, self.noise = tokenizer, noise

    def encode(self, text, dice, limit=64):
        if dice.random() < self.noise:
            text = own_words.finish(text, dice)
        return self.tokenizer.encode(text, limit)

    def batch(self, count, dice):
        return [self.row(group, dice) for group in dice.sample(
            self.groups, min(count, len(self.groups)))]

    def row(self, group, dice):
        a, b = dice.sample(group, 2)
        return self.encode(a, dice), self.encode(b, dice)


def by_label(rows):
    groups = collections.defaultdict(list)
    for text, label in rows:
        groups[label].append(text)
    return list(groups.values())


class Pairs(Groups):
    """Rows given as such: a pair, the first half of which is the question; a
    third text looks alike and means something else."""

    def row(self, group, dice):
        return tuple(self.encode(text, dice) for text in group)


class Found(Groups):
    """A question first, then the passages that answer it."""

    words_matter = True

    def row(self, group, dice):
        return (self.encode(group[0], dice),
                self.encode(dice.choice(group[1:]), dice, LONG_PASSAGE))


def by_question(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row["question"], [row["question"]]).append(
            row["sentence"])
    return list(groups.values())


def contradicted(rows):
    """[premise, what follows from it, what contradicts it] of SNLI's rows."""
    found = collections.defaultdict(lambda: ([], []))
    for row in rows:
        if row["label"] in "02":
            found[row["text1"]][row["label"] == "2"].append(row["text2"])
    return [[premise, true, false] for premise, (trues, falses)
            in found.items() for true, false in zip(trues, falses)]


def sources(data, more, work, tokenizer):
    """[(source, weight, pairs in a batch of one worker)], and the Words"""
    articles = RunningText(work / "encyclopedia.npz",
                           ["neighbours", "taken_out", "headed"] +
                           ["search"] * 6)
    novels = RunningText(work / "novels.npz", ["neighbours"])
    talk = RunningText(work / "requests.npz", ["neighbours"])
    found = [(articles, 12, 48), (novels, 0.3, 48), (talk, 0.3, 48)]

    def add(kind, rows, weight, count):
        if rows:
            found.append((kind(rows, tokenizer), weight, count))

    add(Groups, read_data.captions(data), 0.8, 64)
    add(Groups, by_label(read_data.banking(data, "train")), 1.5, 77)
    add(Groups, by_label(read_data.clinc(data, "train")), 1.5, 75)
    add(Groups, by_label([(text, intent) for text, _, intent in
                          support.bitext_parts(data)[0]]), 0.2, 27)
    add(Pairs, [[a, b] for a, b, score in similar(data, more)
                if score >= 3.8], 1.0, 64)
    add(Pairs, contradicted(read_data.more(more, "snli-dev-test")), 1.5, 64)
    for name in ("wiki-conciseness", "disfl-qa"):
        add(Pairs, [[row["text1"], row["text2"]] for row in
                    read_data.more(more, name)], 0.3, 48)
    add(Pairs, [[row["question"], row["sentence"]] for row in
                read_data.more(more, "squad-sentences")], 1.0, 64)
    for name, weight in (("ir-npl", 0.4), ("ir-cisi", 0.4), ("ir-cacm", 0.2),
                         ("ir-time", 0.2), ("ir-cisi-titles", 0.2),
                         ("ir-cacm-titles", 0.2), ("ir-bioasq", 0.5),
                         ("ir-scifact", 0.3), ("qa-medquad", 0.4)):
        add(Found, by_question(read_data.more(more, name)), weight, 48)
    for name in ("hwu64", "facebook-task-oriented", "snips"):
        rows = [(row["text"], row["intent"]) for row in
                read_data.more(more, name) if row["split"] == "train"]
        add(Groups, by_label(rows), 0.3, 64)
    return found, Words(articles.counts)


def similar(data, more):
    """(a, b, similarity 0..5): the STS benchmark's training part, and what
    else of the same campaigns is in neither its dev nor its test part."""
    rows = read_data.sts(data, "train")
    rows += [(row["text1"], row["text2"], float(row["score"]))
             for row in read_data.more(more, "sts-2012-2016")
             if row["in_stsb_train"] == "0" and "msr" not in
             row["part"].lower()]
    return rows
