"""Mentions as tags, and back."""

import numpy as np
import pytest

from comprehend_engine.learning.entity_tags import Mention, TagSet, TokenSpan, spans_of_mentions
from comprehend_engine.learning.tokens import tokenise


@pytest.mark.parametrize("types", [2, 25])
def test_tags_say_the_mentions_they_were_made_of(types: int) -> None:
    """Also mentions that touch, with few types and with many."""
    tag_set = TagSet(tuple(f"T{number}" for number in range(types)))
    spans = [TokenSpan(0, 1, 0), TokenSpan(1, 4, 0), TokenSpan(4, 6, 1), TokenSpan(8, 9, 1)]
    tags = tag_set.encode(spans, 10)
    assert tag_set.decode(tags, np.zeros(10, dtype=bool)) == spans
    assert tags.max() < len(tag_set)


def test_a_mention_ends_where_its_chain_does() -> None:
    """The tagger may leave a mention open; it never reaches into the next document."""
    tag_set = TagSet(("A",))
    tags = np.array([0, 1, 2, 2, 2])
    is_first = np.array([True, False, False, True, False])
    assert tag_set.decode(tags, is_first) == [TokenSpan(1, 3, 0), TokenSpan(3, 5, 0)]


def test_tags_that_do_not_fit_are_read_all_the_same() -> None:
    """An inside without a beginning begins a mention; another type begins another."""
    tag_set = TagSet(("A", "B"))
    tags = np.array([2, 3, 6, 7])
    assert tag_set.decode(tags, np.zeros(4, dtype=bool)) == [TokenSpan(0, 2, 0), TokenSpan(2, 4, 1)]


def test_the_longest_of_overlapping_mentions_is_kept() -> None:
    """The others are counted."""
    tokens = tokenise(["New York City Hall"])
    mentions = [Mention(4, 8, "B"), Mention(0, 13, "A"), Mention(9, 18, "B")]
    assert spans_of_mentions([mentions], tokens, ("A", "B")) == ([TokenSpan(0, 3, 0)], 2)


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (4, 6, [TokenSpan(1, 2, 0)]),
        (2, 7, [TokenSpan(0, 2, 0)]),
        (3, 4, []),
        (5, 5, []),
        (90, 95, []),
        (-3, 2, [TokenSpan(0, 1, 0)]),
    ],
)
def test_a_mention_takes_every_token_it_touches(
    begin: int, end: int, expected: list[TokenSpan]
) -> None:
    """Odd offsets grow to whole tokens, and those with none are counted, never an error."""
    spans, left_out = spans_of_mentions([[Mention(begin, end, "A")]], tokenise(["New York"]), ["A"])
    assert spans == expected
    assert left_out == (not expected)
