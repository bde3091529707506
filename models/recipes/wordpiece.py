"""wordpiece.py - the tokenizer of BERT uncased, and the vocabulary it needs."""

import collections
import heapq
import json
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


def read(work):
    """The tokenizer of the vocabulary that prepare.py left in work."""
    return WordPiece(json.loads((work / "vocabulary.json").read_text()))


def build_vocabulary(counts, size, characters=400, least=3):
    """size pieces from {word: count}, by byte-pair merges of characters.

    The most frequent pair of neighbouring pieces becomes a piece, over and
    over (Sennrich et al., 2016); the trainer of the tokenizers library makes
    the vocabularies of BERT's tokenizer the same way.
    """
    chars = collections.Counter()
    for word, count in counts.items():
        for char in word:
            chars[char] += count
    alphabet = {chr(c) for c in range(33, 127) if not chr(c).isupper()}
    alphabet |= {c for c, _ in chars.most_common(characters)}
    pieces = SPECIALS + sorted(alphabet) + ["##" + c for c in sorted(alphabet)]
    words, weights = [], []
    for word, count in counts.items():
        if count < least or not 1 < len(word) <= 30:
            continue
        # Years are words, the numbers of orders and accounts are not.
        if len(word) > 4 and any(c.isdigit() for c in word):
            continue
        if alphabet.issuperset(word):
            words.append([word[0]] + ["##" + c for c in word[1:]])
            weights.append(count)
    pairs, places = collections.Counter(), collections.defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += weights[i]
            places[pair].add(i)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    known = set(pieces)
    while len(pieces) < size and heap:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        merged = pair[0] + pair[1][2:]
        if merged not in known:
            known.add(merged)
            pieces.append(merged)
        fresh = set()
        for i in places.pop(pair):
            word, weight, at = words[i], weights[i], 0
            for neighbours in zip(word, word[1:]):
                pairs[neighbours] -= weight
            joined = []
            while at < len(word):
                if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
                    joined.append(merged)
                    at += 2
                else:
                    joined.append(word[at])
                    at += 1
            words[i] = joined
            for neighbours in zip(joined, joined[1:]):
                pairs[neighbours] += weight
                places[neighbours].add(i)
                fresh.add(neighbours)
        for neighbours in fresh:
            heapq.heappush(heap, (-pairs[neighbours], neighbours))
    return pieces
