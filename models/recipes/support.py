"""support.py - labelled support requests, and everything that is none."""

import random
import re
import string

import own_words
import read_data
import written

# Words that could make a line of a dialogue a support request after all.
_SUPPORT = re.compile(
    r"\b(buy|bought|purchase|order|pay|paid|payment|cancel|refund|account|bill|"
    r"charge|deliver|ship|subscri|transfer|ticket|balance|card|invoice|agent|"
    r"phone number|contact|membership|password)", re.I)

OWN_WORDS_EACH = 1500
SEEDS = (31, 32)


def _hold_back(rows, every=10):
    """Every tenth row is for evaluation; the order of rows is fixed."""
    return ([row for i, row in enumerate(rows) if i % every],
            [row for i, row in enumerate(rows) if i % every == 0])


def bitext_parts(data):
    rows = sorted(read_data.bitext(data))
    random.Random(7).shuffle(rows)
    return _hold_back(rows)


def chatter(data):
    """Lines of dialogues that ask nothing a support team would route."""
    lines = sorted(set(read_data.dialogue(data)))
    lines = [s for s in lines if 15 < len(s) < 110 and not _SUPPORT.search(s)]
    random.Random(7).shuffle(lines)
    return lines


def messages(data):
    """Text messages, spam or not."""
    with open("%s/sms-spam/SMSSpamCollection" % data,
              encoding="utf-8") as file:
        texts = [line.rstrip("\n").split("\t", 1)[1] for line in file]
    return [s for s in texts if len(s) < 200 and not _SUPPORT.search(s)]


def prose(data):
    return read_data.encyclopedia(data, 9000, seed=5)


def _garbage(count, dice):
    texts = [""] * 12
    letters = string.ascii_lowercase + "aeiou" + string.digits
    while len(texts) < count:
        words = ["".join(dice.choice(letters) for _ in range(
            dice.randint(2, 9))) for _ in range(dice.randint(1, 4))]
        texts.append(" ".join(words))
    return texts + [c * n for c in "?!.-" for n in (1, 2, 3, 5)]


def other_texts(data, dice):
    clinc = [text for text, intent in read_data.clinc(data, "train")
             if intent not in read_data.CLINC_LEFT_OUT]
    clinc += [text for text, _ in read_data.clinc(data, "oos_train")] * 3
    captions = [image[0] for image in read_data.captions(data)]
    lines, sms, sentences = chatter(data), messages(data), prose(data)
    texts = dice.sample(clinc, 2800) + dice.sample(sentences, 1800)
    texts += dice.sample(captions, 600) + dice.sample(lines, 1200)
    texts += dice.sample(sms, 800)
    texts += dice.sample(read_data.questions(data), 500)
    for _ in range(700):
        # Several lines of talk or prose, as long as the requests are.
        source = dice.choice([lines, lines, sentences, sms])
        texts.append(" ".join(dice.sample(source, dice.randint(2, 5))))
    texts += _garbage(350, dice)
    return [own_words.finish(t, dice) if dice.random() < 0.4 else t
            for t in texts]


def labelled(data, seed):
    """(text, label) for the router."""
    dice = random.Random(seed)
    neutral = chatter(data)[:4000]
    rows = []
    for label in read_data.LABELS[:-1]:
        rows += [(t, label) for t in own_words.make(
            label, OWN_WORDS_EACH, seed, neutral)]
    for text in own_words.make("other", 900, seed):
        rows.append((text, "other"))
    train, _ = bitext_parts(data)
    given = [(text, label) for text, label, _ in train]
    given += [(text, read_data.BANKING_LABELS[intent])
              for text, intent in read_data.banking(data, "train")
              if intent in read_data.BANKING_LABELS]
    for text, label in written.rows("tickets_written.tsv"):
        for _ in range(3):
            rows.append((own_words.finish(text, dice), label))
    for text, label in given:
        if dice.random() < 0.35:
            text = own_words.surround(
                text[0].upper() + text[1:], dice, neutral)
        if dice.random() < 0.4:
            text = own_words.finish(text, dice)
        rows.append((text, label))
    # A few long ones, so that late positions are learnt too.
    for text, label in dice.sample(rows, 500):
        around = dice.sample(neutral, dice.randint(4, 9))
        around.insert(dice.randint(0, len(around)), text)
        rows.append((" ".join(around), label))
    rows += [(text, "other") for text in other_texts(data, dice)]
    dice.shuffle(rows)
    return rows


def numbered(data, seed):
    """labelled() with the numbers of the labels."""
    numbers = {label: i for i, label in enumerate(read_data.LABELS)}
    return [(text, numbers[label]) for text, label in labelled(data, seed)]


def different(data):
    """The texts of two draws, each once."""
    return sorted({row for seed in SEEDS for row in numbered(data, seed)})
