"""Occurrences of the entries of an entity list in documents.

Decides what an occurrence is: the entry's words in sequence, case-sensitive. From the left, the
longest entry wins, and occurrences do not overlap. Standard library only, since the serving process
ingests datasets. Read next: `comprehend_engine.documents.annotated_documents`.

Notes
-----
*Source*: developer guide, "Entity lists" (case sensitive, no regular expressions).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from comprehend_engine.documents.augmented_manifests import Span

_WORD = re.compile(r"\w+|[^\w\s]")


class EntityList:
    """The entries of an entity list, indexed by their first word.

    Parameters
    ----------
    entries : iterable of tuple of str
        Text and type; of entries with the same text, the first one counts.

    Examples
    --------
    >>> EntityList([("New York", "CITY"), ("York", "CITY")]).occurrences("in New York.")
    [(3, 11, 'CITY')]
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        by_words: dict[tuple[str, ...], str] = {}
        for text, kind in entries:
            if words := tuple(_WORD.findall(text)):
                by_words.setdefault(words, kind)
        self._by_words = by_words
        lengths = defaultdict[str, set[int]](set)
        for words in by_words:
            lengths[words[0]].add(len(words))
        self._lengths = {word: sorted(sizes, reverse=True) for word, sizes in lengths.items()}

    def occurrences(self, document: str) -> list[Span]:
        """Return the occurrences of entries in a document, from the left."""
        return list(self._matches(document))

    def _matches(self, document: str) -> Iterator[Span]:
        places = list(_WORD.finditer(document))
        words = [place.group() for place in places]
        at = 0
        while at < len(words):
            length, kind = self._entry(words, at)
            if length:
                yield places[at].start(), places[at + length - 1].end(), kind
            at += length or 1

    def _entry(self, words: Sequence[str], at: int) -> tuple[int, str]:
        """Return the number of words of the longest entry at a place, and its type; 0 for none."""
        for length in self._lengths.get(words[at], ()):
            here = tuple(words[at : at + length])
            if here in self._by_words:
                # At the end of the document, `here` is shorter than `length`.
                return len(here), self._by_words[here]
        return 0, ""
