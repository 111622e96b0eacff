"""Mentions as tags of tokens, and tags as mentions.

Decides the tags: outside, and for each type begin, inside, last and single (or begin and inside
alone where there are many types); which of overlapping mentions is kept. Must not know features or
weights. Read next: `comprehend_engine.learning.entity_training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comprehend_engine.learning.tokens import Tokens

OUTSIDE = 0

MOST_TYPES_WITH_LASTS = 6
"""Up to how many types the last token has tags of its own: twice the tags, sharper ends."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A mention of an entity in a document.

    Parameters
    ----------
    begin, end : int
        Offsets in the document in characters (code points); `end` exclusive.
    type : str
        The entity type.
    score : float
        How sure the model is, between 0 and 1.
    """

    begin: int
    end: int
    type: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """A mention in tokens: the first, the one behind the last, and the type's number."""

    first: int
    stop: int
    type: int


@dataclass(frozen=True, slots=True)
class TagSet:
    """The tags of a list of types, by number; 0 is outside.

    Parameters
    ----------
    types : tuple of str
        Entity types.
    """

    types: tuple[str, ...]

    @property
    def has_lasts(self) -> bool:
        """Whether last and single tokens have tags of their own."""
        return len(self.types) <= MOST_TYPES_WITH_LASTS

    @property
    def tags_per_type(self) -> int:
        """How many tags a type has."""
        return 4 if self.has_lasts else 2

    def __len__(self) -> int:
        return 1 + self.tags_per_type * len(self.types)

    def tags_of(self, span: TokenSpan) -> list[int]:
        """Return the tags of a mention's tokens."""
        begin = 1 + self.tags_per_type * span.type
        count = span.stop - span.first
        if not self.has_lasts:
            return [begin] + [begin + 1] * (count - 1)
        if count == 1:
            return [begin + 3]
        return [begin, *[begin + 1] * (count - 2), begin + 2]

    def encode(self, spans: Sequence[TokenSpan], tokens: int) -> NDArray[np.int64]:
        """Return the tags of shape (tokens,) that say where mentions are."""
        tags = np.zeros(tokens, dtype=np.int64)
        for span in spans:
            tags[span.first : span.stop] = self.tags_of(span)
        return tags

    def decode(self, tags: NDArray[np.int64], is_first: NDArray[np.bool_]) -> list[TokenSpan]:
        """Return the mentions that tags say, in order; also of tags that do not fit together.

        Parameters
        ----------
        tags : array of shape (n_tokens,)
            Tags.
        is_first : array of shape (n_tokens,)
            Whether a token is the first of its chain: no mention goes on there.
        """
        places = np.flatnonzero(tags)
        kinds = (tags[places] - 1) % self.tags_per_type
        types = (tags[places] - 1) // self.tags_per_type
        goes_on = np.zeros(len(places), dtype=bool)
        goes_on[1:] = (
            (places[1:] == places[:-1] + 1)
            & (types[1:] == types[:-1])
            & np.isin(kinds[1:], (1, 2))
            & np.isin(kinds[:-1], (0, 1))
            & ~is_first[places[1:]]
        )
        begins = np.flatnonzero(~goes_on)
        stops = np.append(begins[1:], len(places))[: len(begins)]
        return [
            TokenSpan(int(places[begin]), int(places[stop - 1]) + 1, int(types[begin]))
            for begin, stop in zip(begins, stops, strict=True)
        ]


def spans_of_mentions(
    mentions: Sequence[Sequence[Mention]], tokens: Tokens, types: Sequence[str]
) -> tuple[list[TokenSpan], int]:
    """Find the tokens of mentions, and count the mentions that are left out.

    A mention takes every token that it touches. One without a token is left out, and so is one
    that overlaps a longer one of its document, or an equally long one that begins before it.
    """
    numbers = {name: number for number, name in enumerate(types)}
    kept: list[TokenSpan] = []
    left_out = 0
    firsts = tokens.firsts().tolist()
    for found, first, count in zip(mentions, firsts, tokens.counts.tolist(), strict=True):
        if not found:
            continue
        begins, ends = tokens.begins[first : first + count], tokens.ends[first : first + count]
        taken = np.zeros(count, dtype=bool)
        for mention in sorted(found, key=lambda each: (each.begin - each.end, each.begin)):
            low = int(np.searchsorted(ends, mention.begin, side="right"))
            high = int(np.searchsorted(begins, mention.end, side="left"))
            if mention.end <= mention.begin or high <= low or taken[low:high].any():
                left_out += 1
                continue
            taken[low:high] = True
            kept.append(TokenSpan(first + low, first + high, numbers[mention.type]))
    return sorted(kept, key=lambda span: span.first), left_out
