"""Where the entries of an entity list occur in documents.

Decides what an occurrence is: the entry's words, in their case, side by side; the longest entry
wins, from the left, and none overlap. Standard library only, since datasets are ingested by the
process that serves. Read next: `comprehend_engine.documents.annotated_documents`.

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
    """Entries, ready to be found.

    Parameters
    ----------
    entries : iterable of tuple of str
        Text and type; of two with the same text the first counts.

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
        self._lengths = {word: sorted(found, reverse=True) for word, found in lengths.items()}

    def occurrences(self, document: str) -> list[Span]:
        """Return where entries occur in a document, from the left."""
        return list(self._found(document))

    def _found(self, document: str) -> Iterator[Span]:
        places = list(_WORD.finditer(document))
        words = [place.group() for place in places]
        at = 0
        while at < len(words):
            length, kind = self._entry(words, at)
            if length:
                yield places[at].start(), places[at + length - 1].end(), kind
            at += length or 1

    def _entry(self, words: Sequence[str], at: int) -> tuple[int, str]:
        """Return how many words the longest entry here has, and its type; 0 where none is."""
        for length in self._lengths.get(words[at], ()):
            here = tuple(words[at : at + length])
            if here in self._by_words:
                # Fewer than were asked for where the document ends.
                return len(here), self._by_words[here]
        return 0, ""
