"""wordpiece.py - the tokenizer of BERT uncased, and the vocabulary it needs."""

import collections
import unicodedata

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, UNK, CLS, SEP, MASK = range(5)
MAX_WORD_CHARS = 100


def _is_punctuation(char):
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 \
            or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")


def _is_ideograph(char):
    """The blocks that BERT takes for Chinese, each character a word."""
    code = ord(char)
    return (0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or
            0x20000 <= code <= 0x2CEAF or 0xF900 <= code <= 0xFAFF or
            0x2F800 <= code <= 0x2FA1F)


def split_words(text):
    """Lower-cased words and single punctuation marks, accents stripped."""
    word = []
    for char in unicodedata.normalize("NFD", text):
        category = unicodedata.category(char)
        if char.isspace():
            if word:
                yield "".join(word)
                word = []
        elif category == "Mn" or category.startswith("C") or char == "\ufffd":
            continue
        elif _is_punctuation(char) or _is_ideograph(char):
            if word:
                yield "".join(word)
                word = []
            yield char
        else:
            word.append(char.lower())
    if word:
        yield "".join(word)


class WordPiece:
    """Greedy longest match first, with a memory of words seen before."""

    def __init__(self, pieces):
        self.pieces = list(pieces)
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        self._seen = {}

    def _split(self, word):
        if len(word) > MAX_WORD_CHARS:
            return [UNK]
        result, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self.ids:
                    result.append(self.ids[piece])
                    start = end
                    break
            else:
                return [UNK]
        return result

    def encode(self, text, limit=256):
        ids = [CLS]
        for word in split_words(text):
            if word not in self._seen:
                self._seen[word] = self._split(word)
            ids.extend(self._seen[word])
            if len(ids) >= limit:
                break
        return ids[:limit - 1] + [SEP]


def build_vocabulary(texts, words=9200, endings=1800, characters=300):
    """Pieces by frequency: characters, whole words, and endings of the rest.

    Not the likelihood-based training of the original WordPiece: frequent words
    whole and frequent endings as pieces serve a small model as well and take
    seconds.
    """
    counts = collections.Counter()
    for text in texts:
        counts.update(split_words(text))
    chars = collections.Counter()
    for word, count in counts.items():
        for char in word:
            chars[char] += count
    alphabet = {chr(c) for c in range(33, 127) if not chr(c).isupper()}
    alphabet |= {c for c, _ in chars.most_common(characters)}
    whole = [w for w, _ in counts.most_common(words) if len(w) > 1]
    known = set(whole)
    tails = collections.Counter()
    for word, count in counts.items():
        if word in known or count < 3 or not word.isalpha():
            continue
        # The longest known beginning; what follows wants a piece of its own.
        for end in range(len(word) - 1, 1, -1):
            if word[:end] in known:
                tails["##" + word[end:]] += count
                break
        for size in (2, 3, 4):
            if len(word) > size + 1:
                tails["##" + word[-size:]] += count // 2
    alphabet = sorted(alphabet)
    pieces = SPECIALS + alphabet + ["##" + c for c in alphabet]
    pieces += whole
    pieces += [t for t, _ in tails.most_common(endings) if len(t) > 3]
    return list(dict.fromkeys(pieces))
