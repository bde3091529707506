"""figures.py - every figure of a model card, measured through the product.

    figures.py models/insitu-mini-en [--data ../shared/data]
               [--only sts,banking,...] [--module sqlite_ext/insitu]

Registers the directory in SQLite, lets SQL embed, classify, train and evaluate,
and prints one table: figure, value, rows that judged, seconds of the whole
figure, training included.  What was left out is named on standard error.
Needs "make sqlite", nothing beside the standard library, and a Python whose
sqlite3 loads extensions, as the one of the distribution does.

Without --only: what fits the model.  An encoder is judged by the figures of
embeddings and as the base of trainings, a model by those of its labels.
"""

import argparse
import json
import math
import pathlib
import random
import re
import sqlite3
import statistics
import sys
import time

import held_back
import read_data
import spam_split

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Not the directory's name: that of the bundled model is taken.
MODEL = "measured"
# Beside the folder of the data.
MORE = "../more"
TOP = 10
FEW = 10
FEW_SEEDS = (1, 2, 3)
PARTS = {"val": "validation"}


class Database:
    """SQLite with the extension and the model."""

    def __init__(self, module, folder):
        self.db = sqlite3.connect(":memory:")
        if not hasattr(self.db, "enable_load_extension"):
            sys.exit("the sqlite3 of %s loads no extensions: use another "
                     "Python" % sys.executable)
        self.db.enable_load_extension(True)
        self.db.load_extension(module)
        # No weights are left in the user's cache.
        self.one("SELECT insitu_setting('cache_directory', '')")
        self.one("SELECT model_register(?, ?)", MODEL, str(folder))
        self.info = json.loads(self.one("SELECT model_info(?)", MODEL))
        self.trained = 0

    def one(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchone()[0]

    def column(self, sql, *arguments):
        return [row[0] for row in self.db.execute(sql, arguments)]

    def fill(self, table, columns, rows):
        marks = ", ".join("?" * (columns.count(",") + 1))
        self.db.execute("DROP TABLE IF EXISTS " + table)
        self.db.execute("CREATE TABLE %s(%s)" % (table, columns))
        self.db.executemany("INSERT INTO %s VALUES (%s)" % (table, marks),
                            rows)

    def accuracy(self, rows, model=MODEL):
        self.fill("test", "input, label", rows)
        return self.one("SELECT eval_accuracy(classify(input, ?), label) "
                        "FROM test", model)

    def report(self, rows):
        self.fill("test", "input, label", rows)
        return json.loads(self.one(
            "SELECT eval_report(classify(input, ?), label) FROM test", MODEL))

    def trained_accuracies(self, call, train, *tests):
        """Of one training.  call: an aggregate over input and label, and its
        ?2: the base, or the options."""
        aggregate, argument = call
        self.fill("train", "input, label", train)
        self.trained += 1
        name = "trained-%d" % self.trained
        self.one("SELECT model_register(?1, %s) FROM train" % aggregate, name,
                 argument)
        found = [self.accuracy(test, name) for test in tests]
        self.one("SELECT model_drop(?)", name)
        return found


FROZEN = ("train_classifier(input, label, ?2)",
          json.dumps({"encoder": MODEL}))
TUNED = "fine_tune_classifier(input, label, ?2)", MODEL
# For rows by the tens of thousands, of which each is a part of another.
TUNED_BRIEFLY = (
    "fine_tune_classifier(input, label, ?2, "
    "'{\"epochs\": 3, \"token_dropout\": 0.2, "
    "\"base_share\": 0.25}')", MODEL)


# --- embeddings -------------------------------------------------------------

def ranks(values):
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while (last + 1 < len(order) and
               values[order[last + 1]] == values[order[first]]):
            last += 1
        for place in order[first:last + 1]:
            found[place] = (first + last) / 2 + 1
        first = last + 1
    return found


def spearman(left, right):
    return statistics.correlation(ranks(left), ranks(right))


def measure_sts(database, data):
    rows = read_data.sts(data, "dev")
    database.fill("pairs", "a, b", [row[:2] for row in rows])
    cosines = database.column(
        "SELECT 1 - cosine_distance(embed(a, ?1), embed(b, ?1)) FROM pairs "
        "ORDER BY rowid", MODEL)
    yield ("STS-B dev, Spearman", spearman(cosines, [row[2] for row in rows]),
           len(rows))


def gain(code):
    """What a document is worth by the code of its judgement.

    The codes of cranqrel.readme: 1 is a complete answer, 2 of a high degree
    of relevance, 3 useful, 4 of minimum interest, 5 of no interest.  They are
    the grades 4, 3, 2, 1, 0; a document without a judgement, or with another
    code, has 0.  The gain of grade g is 2^g - 1, discounted by log2(rank + 1).
    """
    return 2 ** (5 - code) - 1 if code in (1, 2, 3, 4) else 0


def discounted(gains):
    return math.fsum(value / math.log2(rank + 1)
                     for rank, value in enumerate(gains[:TOP], 1))


def ndcg(found, judged):
    """Of one query: documents in the order found, {document: code}."""
    best = discounted(sorted(map(gain, judged.values()), reverse=True))
    return discounted([gain(judged.get(document)) for document in found]) / best


def mean_ndcg(search, queries, judgements):
    return statistics.fmean(ndcg(search(text), judgements[number])
                            for number, text in queries.items())


def measure_cranfield(database, data):
    """Both searches read the same texts; a model cuts those that are longer
    than it reads."""
    documents, queries, judgements = read_data.cranfield(data)
    database.fill("documents", "id, body", documents.items())

    database.fill("vectors", "id, embedding", database.db.execute(
        "SELECT id, embed(body, ?) FROM documents", (MODEL,)))

    def search_embeddings(text):
        query = database.one("SELECT embed_query(?, ?)", text, MODEL)
        return database.column(
            "SELECT id FROM vectors ORDER BY cosine_distance(embedding, ?), "
            "id LIMIT ?", query, TOP)

    yield ("Cranfield nDCG@10, embeddings",
           mean_ndcg(search_embeddings, queries, judgements), len(queries))

    database.db.execute("CREATE VIRTUAL TABLE words USING "
                        "fts5(body, tokenize = 'porter')")
    database.db.execute("INSERT INTO words(rowid, body) "
                        "SELECT id, body FROM documents")

    def search_words(text):
        words = ['"%s"' % word for word in re.findall(r"[^\W_]+", text)]
        return database.column(
            "SELECT rowid FROM words WHERE words MATCH ? "
            "ORDER BY bm25(words), rowid LIMIT ?", " OR ".join(words), TOP)

    yield ("Cranfield nDCG@10, bm25 of FTS5",
           mean_ndcg(search_words, queries, judgements), len(queries))


# --- trainings --------------------------------------------------------------

def phrases(data, part):
    """As held_back.opinions, with the phrases that its training sentences are
    made of: SST-2 as the benchmark GLUE has it."""
    if part != "train":
        return held_back.opinions(data, part)
    sets = read_data.opinion_sets(data, data / MORE)
    return held_back.named_opinions(sets["sentences"] +
                                    sorted(set(sets["sst-phrases"])))


def take_few(rows, count, seed):
    """count rows of each label."""
    shuffled = rows[:]
    random.Random(seed).shuffle(shuffled)
    taken = {}
    for text, label in shuffled:
        of_label = taken.setdefault(label, [])
        if len(of_label) < count:
            of_label.append((text, label))
    return [row for of_label in taken.values() for row in of_label]


def measure_training(title, call, read, parts):
    """title: with a place for each part that judges; parts: the first is the
    one that teaches."""
    def measure(database, data):
        train, *tests = (read(data, part) for part in parts)
        found = database.trained_accuracies(call, train, *tests)
        for part, value, test in zip(parts[1:], found, tests):
            yield title % PARTS.get(part, part), value, len(test)
    return measure


def measure_banking_few(database, data):
    """The seed draws the rows; the training's own stays at its default."""
    train, test = (read_data.banking(data, part) for part in ("train", "test"))
    yield ("Banking77 test, head on %d per intent, mean of %d draws" % (
               FEW, len(FEW_SEEDS)),
           statistics.fmean(database.trained_accuracies(
               FROZEN, take_few(train, FEW, seed), test)[0]
               for seed in FEW_SEEDS), len(test))


# --- labels -----------------------------------------------------------------

def measure_tickets(database, _):
    rows = held_back.own_words()
    report = database.report(rows)
    yield "tickets, accuracy", report["accuracy"], report["rows"]
    for label, figures in report["labels"].items():
        yield ("tickets, recall of " + label, figures["recall"],
               figures["support"])
    calibration = json.loads(database.one(
        "SELECT eval_calibration(classify_score(input, top, ?1), "
        "top = label) FROM (SELECT input, label, classify(input, ?1) AS top "
        "FROM test)", MODEL))
    yield ("tickets, expected calibration error", calibration["ece"],
           calibration["rows"])


def measure_sentiment(database, data):
    for name, rows in held_back.opinion_sets(data).items():
        yield name + ", accuracy", database.accuracy(rows), len(rows)
    rows = held_back.own_opinions()
    yield "own words, accuracy", database.accuracy(rows), len(rows)


def measure_spam(database, data):
    _, rows = spam_split.spam_split(spam_split.read(data))
    report = database.report(rows)
    spam = report["labels"]["spam"]
    yield "SMS spam held back, accuracy", report["accuracy"], report["rows"]
    yield ("SMS spam held back, precision of spam", spam["precision"],
           report["rows"])
    yield ("SMS spam held back, recall of spam", spam["recall"],
           spam["support"])


# --- which ------------------------------------------------------------------

# name: (kind, folder of the data, generator of (title, value, rows))
FIGURES = {
    "sts": ("embedding", "stsb", measure_sts),
    "banking": ("embedding", "banking77", measure_training(
        "Banking77 %s, head", FROZEN, read_data.banking,
        ("train", "test"))),
    "banking-few": ("embedding", "banking77", measure_banking_few),
    "clinc": ("embedding", "clinc150", measure_training(
        "CLINC150 %s, head", FROZEN, read_data.clinc,
        ("train", "val"))),
    "cranfield": ("embedding", "cranfield", measure_cranfield),
    "tuned-banking": ("embedding", "banking77", measure_training(
        "Banking77 %s, fine-tuned", TUNED, read_data.banking,
        ("train", "test"))),
    "tuned-clinc": ("embedding", "clinc150", measure_training(
        "CLINC150 %s, fine-tuned", TUNED, read_data.clinc,
        ("train", "val"))),
    "tuned-sst2": ("embedding", "sst2", measure_training(
        "SST-2 %s, fine-tuned", TUNED, held_back.opinions,
        ("train", "dev", "test"))),
    "tuned-phrases": ("embedding", MORE + "/sst-phrases", measure_training(
        "SST-2 %s, fine-tuned on phrases", TUNED_BRIEFLY, phrases,
        ("train", "dev", "test"))),
    "tickets": ("tickets", None, measure_tickets),
    "sentiment": ("sentiment", "sst2", measure_sentiment),
    "spam": ("spam", "sms-spam", measure_spam),
}


def kinds_of(info, folder):
    labels = set(info.get("labels") or [])
    fits = {
        "embedding": "embed" in info["tasks"] and
                     not (folder / "adapter_config.json").exists(),
        "tickets": "refund" in labels,
        "sentiment": labels == {"negative", "positive"},
        "spam": labels == {"ham", "spam"},
    }
    return {kind for kind, fit in fits.items() if fit}


def print_figures(database, name, data):
    measure = FIGURES[name][2]
    start = time.monotonic()
    for title, value, rows in measure(database, data):
        now = time.monotonic()
        print("| %s | %.4f | %d | %.1f |" % (title, value, rows, now - start),
              flush=True)
        start = now


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path,
                        default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", default="", help=", ".join(FIGURES))
    parser.add_argument("--module", default=str(ROOT / "sqlite_ext/insitu"))
    arguments = parser.parse_args()
    names = [name for name in arguments.only.split(",") if name]
    for name in names:
        if name not in FIGURES:
            parser.error("no figure \"%s\": there are %s" % (
                name, ", ".join(FIGURES)))
    database = Database(arguments.module, arguments.model.resolve())
    if not names:
        kinds = kinds_of(database.info, arguments.model)
        names = [name for name, row in FIGURES.items() if row[0] in kinds]
    print("| figure | value | rows | seconds |\n|---|---|---|---|", flush=True)
    failed = False
    for name in names:
        folder = FIGURES[name][1]
        if folder and not (arguments.data / folder).is_dir():
            print("# %s left out: no folder %s" % (
                name, arguments.data / folder), file=sys.stderr)
            continue
        try:
            print_figures(database, name, arguments.data)
        except sqlite3.Error as error:
            # Hours of other figures must not be lost with this one.
            failed = True
            print("# %s failed: %s" % (name, error), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
