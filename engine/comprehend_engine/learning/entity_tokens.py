"""Documents as chains of tokens, and mentions as tags of tokens.

Decides the tokens: a run of letters, a run of digits or a single sign, so a mention can begin at a
hyphen or between a letter and a digit. Decides where a long document is split, and which of
overlapping mentions counts. Offsets count code points of the document. Must not know features. Read
next: `comprehend_engine.learning.entity_features`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OUTSIDE = "O"

_MARKS = r"[\u0300-\u036f]"
_TOKEN = re.compile(rf"[^\W\d_]+(?:{_MARKS}+[^\W\d_]*)*|\d+|_+|[^\w\s]")
_SENTENCE_ENDS = frozenset(".!?")
_LONG_CHAIN, _SHORTEST_CHAIN = 60, 25
_SHORTEST_WORD_BEFORE_END = 3


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
        The probability, between 0 and 1.
    """

    begin: int
    end: int
    type: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its place in its document; `end` exclusive."""

    word: str
    begin: int
    end: int


def tokens_of(document: str) -> list[Token]:
    """Split a document into tokens.

    Examples
    --------
    >>> [token.word for token in tokens_of("GSK-3beta")]
    ['GSK', '-', '3', 'beta']
    """
    return [Token(match[0], *match.span()) for match in _TOKEN.finditer(document)]


def chains_of(tokens: Sequence[Token], tags: Sequence[str] | None = None) -> Iterator[slice]:
    """Give the parts of a document to tag separately: a long one is split after sentences.

    Parameters
    ----------
    tokens : sequence of Token
    tags : sequence of str, optional
        Their mentions are not split.
    """
    begin = 0
    if len(tokens) > _LONG_CHAIN:
        for place in range(1, len(tokens) - 1):
            is_inside = tags is not None and tags[place + 1].startswith("I-")
            is_long = place + 1 - begin >= _SHORTEST_CHAIN
            if is_long and not is_inside and _ends_sentence(tokens, place):
                yield slice(begin, place + 1)
                begin = place + 1
    if begin < len(tokens):
        yield slice(begin, len(tokens))


def tags_of(tokens: Sequence[Token], mentions: Sequence[Mention]) -> list[str]:
    """Return the tags of a document's tokens.

    A mention tags every token that it touches. A mention without tokens is left out. So is one that
    overlaps a longer mention, or an equally long one that begins before it.
    """
    tags = [OUTSIDE] * len(tokens)
    for mention in sorted(mentions, key=lambda each: (each.begin - each.end, each.begin)):
        touched = [
            place
            for place, token in enumerate(tokens)
            if mention.begin < mention.end
            and token.begin < mention.end
            and token.end > mention.begin
        ]
        if not touched or any(tags[place] != OUTSIDE for place in touched):
            continue
        for place in touched:
            tags[place] = f"I-{mention.type}"
        tags[touched[0]] = f"B-{mention.type}"
    return tags


def spans_of(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Give the mentions in tags: the first token, the one after the last, and the type."""
    begin = 0
    for place in range(1, len(tags) + 1):
        continues = (
            place < len(tags) and tags[place][:2] == "I-" and tags[place][2:] == tags[begin][2:]
        )
        if continues:
            continue
        if tags[begin] != OUTSIDE:
            yield begin, place, tags[begin][2:]
        begin = place


def _ends_sentence(tokens: Sequence[Token], place: int) -> bool:
    """Return whether a sign ends a sentence, unlike in ``St. Louis``; a heuristic."""
    before, sign, behind = tokens[place - 1 : place + 2]
    if sign.word not in _SENTENCE_ENDS or behind.begin == sign.end or behind.word.islower():
        return False
    return len(before.word) >= _SHORTEST_WORD_BEFORE_END or not before.word[:1].isalpha()
