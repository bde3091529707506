"""held_back.py - the rows that the heads were not trained on."""

import read_data
import support
import written


def own_words():
    """[(text, label)]: 200 requests that judge; needs no data beside this
    folder."""
    return written.rows("tickets_eval.tsv")


def development():
    """[(text, label)]: 166 requests that scores are calibrated on."""
    return written.rows("tickets_dev.tsv")


def own_opinions():
    """[(text, label)]: positive and negative remarks."""
    return written.rows("opinions_eval.tsv")


def named_opinions(rows):
    """[(text, label)] of [(text, 1 positive or 0 negative)]."""
    return [(text, "positive" if positive else "negative")
            for text, positive in rows]


def opinions(data, part):
    """[(text, label)] of SST-2."""
    return named_opinions(read_data.sentiment(data, part))


def opinion_sets(data):
    """{name: [(text, label)]}"""
    return {"SST-2 " + part: opinions(data, part) for part in ("dev", "test")}


def router_sets(data):
    """{name: [(text, label)]}"""
    _, bitext = support.bitext_parts(data)
    used = set(support.prose(data))
    prose = [s for s in read_data.encyclopedia(data, 20000, seed=6)
             if s not in used][:500]
    return {
        "own words": own_words(),
        "own words, development": development(),
        "bitext, held-back rows": [row[:2] for row in bitext],
        "banking77 test, mapped intents": [
            (text, read_data.BANKING_LABELS[intent])
            for text, intent in read_data.banking(data, "test")
            if intent in read_data.BANKING_LABELS],
        "clinc150 validation, as other": [
            (text, "other") for text, intent in read_data.clinc(data, "val")
            if intent not in read_data.CLINC_LEFT_OUT],
        "clinc150 out of scope, as other": [
            (text, "other") for text, _ in read_data.clinc(data, "oos_val")],
        "wikipedia sentences, as other": [(text, "other") for text in prose],
    }


def embedding_sets(data):
    """{name: [text]}"""
    return {
        "sts dev": [text for row in read_data.sts(data, "dev")
                    for text in row[:2]],
        "banking77 test": [text for text, _ in read_data.banking(
            data, "test")],
    }
