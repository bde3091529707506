"""read_data.py - the public data sets, as texts, labels and pairs."""

import csv
import gzip
import json
import lzma
import pathlib
import random
import re

import written

LABELS = ["account", "billing", "cancellation", "contact", "delivery",
          "feedback", "order", "refund", "subscription", "other"]

BITEXT_LABELS = {
    "create_account": "account", "delete_account": "account",
    "edit_account": "account", "recover_password": "account",
    "registration_problems": "account", "switch_account": "account",
    "check_cancellation_fee": "cancellation", "cancel_order": "cancellation",
    "contact_customer_service": "contact", "contact_human_agent": "contact",
    "delivery_options": "delivery", "delivery_period": "delivery",
    "track_order": "delivery", "change_shipping_address": "delivery",
    "set_up_shipping_address": "delivery",
    "complaint": "feedback", "review": "feedback",
    "check_invoice": "billing", "get_invoice": "billing",
    "check_payment_methods": "billing", "payment_issue": "billing",
    "newsletter_subscription": "subscription",
    "change_order": "order", "place_order": "order",
    "check_refund_policy": "refund", "get_refund": "refund",
    "track_refund": "refund",
}

# Only the banking intents that mean the same to a shop.
BANKING_LABELS = {
    "request_refund": "refund", "Refund_not_showing_up": "refund",
    "transaction_charged_twice": "billing",
    "extra_charge_on_statement": "billing",
    "card_payment_fee_charged": "billing",
    "card_payment_not_recognised": "billing",
    "direct_debit_payment_not_recognised": "billing",
    "declined_card_payment": "billing", "pending_card_payment": "billing",
    "card_arrival": "delivery", "card_delivery_estimate": "delivery",
    "edit_personal_details": "account", "passcode_forgotten": "account",
    "terminate_account": "account", "unable_to_verify_identity": "account",
    "why_verify_identity": "account", "verify_my_identity": "account",
}

# Intents of clinc150 too close to a topic to serve as "other".
CLINC_LEFT_OUT = {
    "order", "order_status", "order_checks", "bill_due", "bill_balance",
    "pay_bill", "cancel", "cancel_reservation", "report_fraud",
    "change_speed", "account_blocked", "replacement_card_duration",
    "report_lost_card", "card_declined", "transactions", "damaged_card",
    "new_card", "direct_deposit", "balance", "freeze_account",
    "change_user_name", "user_name", "min_payment", "pin_change",
}

# Further sets of opinions: with a label 0 or 1, and with a score.
LABELLED_OPINIONS = ["pros-cons", "uci-sentences", "rt-polarity", "imdb",
                     "reviews-polarity2"]
SCORED_OPINIONS = ["product-reviews", "vader-amazon", "vader-movies"]
CRITICS = ["sentences", "sst-phrases", "rt-polarity", "vader-movies"]

# How often a sentence of SST-2, and one that was written for this, counts among
# phrases and reviews.
SENTENCES, WRITTEN = 4, 12


def _csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def bitext(data):
    """(text, label, intent), each text once."""
    folder = pathlib.Path(data, "bitext-support")
    seen = {}
    for path in sorted(folder.glob("*.csv")):
        for row in _csv(path):
            text = row["instruction"].strip()
            seen[text] = (text, BITEXT_LABELS[row["intent"]], row["intent"])
    return list(seen.values())


def banking(data, part):
    """(text, intent)"""
    rows = _csv(pathlib.Path(data, "banking77", part + ".csv"))
    return [(row["text"].strip(), row["category"]) for row in rows]


def clinc(data, part):
    """(text, intent) of train, val, test, oos_train, oos_val or oos_test"""
    with open(pathlib.Path(data, "clinc150", "data_full.json")) as file:
        return [tuple(row) for row in json.load(file)[part]]


def dialogue(data, part="train"):
    path = pathlib.Path(data, "schema-guided-dialogue",
                        part + "_utterances.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def captions(data):
    """Lists of sentences that describe one image."""
    path = pathlib.Path(data, "coco-captions",
                        "captions_val2014_working.json")
    images = {}
    with open(path) as file:
        for row in json.load(file)["annotations"]:
            images.setdefault(row["image_id"], []).append(
                row["caption"].strip())
    return [texts for texts in images.values() if len(texts) > 1]


def sts(data, part):
    """(a, b, similarity 0..5)"""
    path = pathlib.Path(data, "stsb", "stsb-en-%s.csv" % part)
    with open(path, newline="", encoding="utf-8") as file:
        return [(a, b, float(score)) for a, b, score in csv.reader(file)]


def cranfield(data):
    """{document: text}, {query: text}, {query: {document: code}}

    A text is the title and the abstract.  The judgements count the queries
    from 1 in the order of their file, whatever number a query has there.
    """
    folder = pathlib.Path(data, "cranfield")
    documents = {}
    for record in _records(folder / "cran.all.1400"):
        front, _, abstract = record.partition("\n.W\n")
        title = re.split(r"^\.[TA]$", front, flags=re.M)[1]
        # A few abstracts have lines of field names inside.
        abstract = re.sub(r"^\.[ABW]$", "", abstract, flags=re.M)
        documents[int(record.split()[0])] = " ".join(
            (title + " . " + abstract).split())
    queries = {number: " ".join(record.partition("\n.W\n")[2].split())
               for number, record in enumerate(
                   _records(folder / "cran.qry"), 1)}
    judgements = {}
    with open(folder / "cranqrel", encoding="utf-8") as file:
        for line in file:
            query, document, code = map(int, line.split())
            judgements.setdefault(query, {})[document] = code
    return documents, queries, judgements


def _records(path):
    """Texts that begin with the number of their ".I" line."""
    # The files of some copies end with a ".I" that has none.
    text = re.sub(r"^\.I\s*\Z", "", path.read_text(encoding="utf-8"),
                  flags=re.M)
    return re.split(r"^\.I (?=[0-9])", text, flags=re.M)[1:]


def questions(data):
    with open(pathlib.Path(data, "xquad", "xquad.en.json")) as file:
        articles = json.load(file)["data"]
    return [qa["question"] for article in articles
            for paragraph in article["paragraphs"] for qa in paragraph["qas"]]


def encyclopedia(data, count, seed=1):
    """Sentences of English Wikipedia, from the beginning of the file."""
    sentences = []
    path = pathlib.Path(data, "wikipedia-en-2015.txt.xz")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("<") or len(line) < 60:
                continue
            for sentence in re.split(r"(?<=[.!?]) +", line.strip()):
                if 30 < len(sentence) < 240:
                    sentences.append(sentence)
            if len(sentences) > 3 * count:
                break
    random.Random(seed).shuffle(sentences)
    return sentences[:count]


def sentiment(data, part):
    """(text, 1 positive or 0 negative) of train, dev or test"""
    path = pathlib.Path(data, "sst2", "stsa.binary." + part)
    with open(path, encoding="utf-8") as file:
        return [(line[2:].strip(), int(line[0])) for line in file]


def more(folder, name):
    """Rows of one of the further sets as dictionaries; none if it is not
    there."""
    path = pathlib.Path(folder, name, "train.tsv") if folder else None
    if not path or not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def opinion_sets(data, folder):
    """{name: [(text, 1 positive or 0 negative)]}: every training text of
    sentiment."""
    sets = {
        "sentences": sentiment(data, "train"),
        "written": [(text, int(label == "positive")) for text, label in
                    written.rows("opinions_written.tsv")],
        "sst-phrases": [(row["text"], int(row["label"] in "34"))
                        for row in more(folder, "sst-phrases")
                        if row["label"] in "0134"],
    }
    for name in LABELLED_OPINIONS:
        sets[name] = [(row["text"], int(row["label"]))
                      for row in more(folder, name)]
    for name in SCORED_OPINIONS:
        scores = [(row["text"], float(row["score"] or 0))
                  for row in more(folder, name)]
        sets[name] = [(text, int(score > 0)) for text, score in scores
                      if abs(score) >= 1]
    return sets


def opinions(data, folder):
    """All of them, each once, but whole sentences of critics SENTENCES times
    and those written for this WRITTEN times."""
    sets = opinion_sets(data, folder)
    sentences, own = sets.pop("sentences"), sets.pop("written")
    rows = {row for name in sets for row in sets[name]}
    return sorted(rows - set(sentences)) + SENTENCES * sentences + \
        WRITTEN * own


def critics(data, folder):
    """What critics wrote of films, sentences and phrases, each once."""
    sets = opinion_sets(data, folder)
    return sorted({text for name in CRITICS for text, _ in sets[name]})


def reviews(data, folder):
    """What others wrote, with labels."""
    return _opinions_times(data, folder, {
        "product-reviews": 3, "written": 3, **dict.fromkeys(CRITICS, 0)})


def opinions_to_tune(data, folder):
    """For an adapter: less of the many parts of reviews, too."""
    return _opinions_times(data, folder, {
        "sentences": SENTENCES, "written": WRITTEN, "imdb": 1 / 4})


def opinion_words(data, folder):
    """For words, which what was written for this teaches little: the same,
    that less often."""
    return _opinions_times(data, folder, {"sentences": 2, "rt-polarity": 2,
                                          "written": 4})


def _opinions_times(data, folder, times):
    """A set counts once, or as often as times says, by its name; of the forty
    thousand headings of one shop a quarter does."""
    times = {"pros-cons": 1 / 4, **times}
    sets = opinion_sets(data, folder)
    rows = []
    for name in sorted(sets):
        often = times.get(name, 1)
        rows += sets[name][::round(1 / often)] if 0 < often < 1 else \
            often * sets[name]
    return rows
