"""What a token is, and where chains of tokens are cut.

Decides that text falls into runs of letters, runs of digits and single signs, so that a mention may
begin or end at a hyphen or between a letter and a digit. Offsets are code points of the document.
Must not know entities. Read next: `comprehend_engine.learning.entity_features`.
"""

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MARKS = r"[\u0300-\u036f]"
_TOKEN = re.compile(rf"([^\W\d_]+(?:{_MARKS}+[^\W\d_]*)*|\d+|_+|[^\w\s])")

LONG_CHAIN = 60
"""Up to how many tokens a document is one chain."""

SHORTEST_CHAIN = 25
"""How many tokens a chain has at least before it may be cut."""

_SENTENCE_ENDS = frozenset(".!?")
_SHORTEST_WORD_BEFORE_END = 3


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of documents, one after another.

    Attributes
    ----------
    words : list of str
        Every token as it is written.
    begins, ends : array of shape (n_tokens,)
        Offsets in the token's document, in code points; `ends` exclusive.
    counts : array of shape (n_documents,)
        How many tokens each document has.
    """

    words: list[str]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    counts: NDArray[np.int64]

    def firsts(self) -> NDArray[np.int64]:
        """Return where each document's tokens begin."""
        return np.cumsum(self.counts) - self.counts


def tokenise(documents: Sequence[str]) -> Tokens:
    """Cut documents into tokens.

    Examples
    --------
    >>> tokenise(["GSK-3beta"]).words
    ['GSK', '-', '3', 'beta']
    """
    # Text falls into gap, token, gap, token ... gap. One string is kept of each distinct word.
    words: list[str] = []
    known: dict[str, str] = {}
    sizes, counts = array("q"), array("q")
    for document in documents:
        pieces = _TOKEN.split(document)
        found = pieces[1::2]
        words.extend(map(known.setdefault, found, found))
        sizes.extend(map(len, pieces))
        counts.append(len(found))
    lengths, tokens = np.array(counts, dtype=np.int64), len(words)
    stops = np.cumsum(np.array(sizes, dtype=np.int64))
    documents_before = np.repeat(np.arange(len(lengths)), lengths)
    places = 2 * np.arange(tokens) + 1 + documents_before
    firsts = 2 * (np.cumsum(lengths) - lengths) + np.arange(len(lengths))
    starts = np.concatenate([[0], stops])[firsts][documents_before]
    return Tokens(words, stops[places - 1] - starts, stops[places] - starts, lengths)


def chain_lengths(tokens: Tokens, is_joined: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return the lengths of the chains that are tagged as one, of shape (n_chains,).

    A document is one chain, unless it is long: then it is cut behind sentences.

    Parameters
    ----------
    tokens : Tokens
        The documents.
    is_joined : array of shape (n_tokens,), optional
        Whether a token and the next belong to one mention, where no cut may be.
    """
    lengths: list[int] = []
    for first, count in zip(tokens.firsts().tolist(), tokens.counts.tolist(), strict=True):
        if count <= LONG_CHAIN:
            lengths.append(count)
            continue
        begin, end = first, first + count
        for place in range(first + 1, end - 1):
            if (
                tokens.words[place] in _SENTENCE_ENDS
                and place + 1 - begin >= SHORTEST_CHAIN
                and _ends_sentence(tokens, place)
                and not (is_joined is not None and is_joined[place])
            ):
                lengths.append(place + 1 - begin)
                begin = place + 1
        lengths.append(end - begin)
    return np.array(lengths, dtype=np.int64)


def _ends_sentence(tokens: Tokens, place: int) -> bool:
    """Tell the end of a sentence from an abbreviation such as ``St. Louis``, roughly."""
    if tokens.begins[place + 1] == tokens.ends[place] or tokens.words[place + 1].islower():
        return False
    before = tokens.words[place - 1]
    return len(before) >= _SHORTEST_WORD_BEFORE_END or not before[:1].isalpha()
