"""What a token is, where documents are cut, and mentions as tags and back."""

import pytest

from comprehend_engine.learning.entity_tokens import (
    Mention,
    chains_of,
    spans_of,
    tags_of,
    tokens_of,
)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("GSK-3beta", ["GSK", "-", "3", "beta"]),
        ("café São Straße l'été", ["café", "São", "Straße", "l", "'", "été"]),
        ("cafe\u0301 au", ["cafe\u0301", "au"]),
        ("a_b @me #tag", ["a", "_", "b", "@", "me", "#", "tag"]),
        ("😀x", ["😀", "x"]),
        ("  \t", []),
        ("", []),
    ],
)
def test_documents_fall_into_letters_digits_and_signs(document: str, words: list[str]) -> None:
    """Accents stay in their word, also where they are code points of their own."""
    assert [token.word for token in tokens_of(document)] == words


def test_offsets_are_code_points_of_the_document() -> None:
    """A sign outside the basic plane is one character."""
    assert [(token.begin, token.end) for token in tokens_of("😀 Köln")] == [(0, 1), (2, 6)]


def test_a_short_document_is_one_chain_when_it_has_sentences() -> None:
    """Splitting only saves time, so short documents are not split."""
    tokens = tokens_of("It rained. We left. Nobody came.")
    assert list(chains_of(tokens)) == [slice(0, 9)]


def test_a_long_document_is_cut_behind_its_sentences() -> None:
    """No token is lost, and no chain is longer than it must be."""
    tokens = tokens_of("Nobody in the whole town knew why it had rained. " * 40)
    chains = list(chains_of(tokens))
    assert [place for chain in chains for place in range(chain.start, chain.stop)] == [*range(440)]
    assert max(chain.stop - chain.start for chain in chains) <= 33


def test_a_long_document_is_not_cut_inside_a_mention() -> None:
    """Neither at an abbreviation nor where the annotations join two tokens."""
    document = "word " * 60 + "in St. Louis today" + " behind. Word"
    tokens = tokens_of(document)
    whole = len(tokens)
    assert list(chains_of(tokens)) == [slice(0, whole - 1), slice(whole - 1, whole)]
    tags = tags_of(tokens, [Mention(0, len(document), "A")])
    assert list(chains_of(tokens, tags)) == [slice(0, whole)]


def test_tags_say_the_mentions_they_were_made_of() -> None:
    """Also mentions that touch."""
    tokens = tokens_of("a b c d e f")
    mentions = [Mention(0, 1, "A"), Mention(2, 5, "A"), Mention(6, 9, "B")]
    tags = tags_of(tokens, mentions)
    assert tags == ["B-A", "B-A", "I-A", "B-B", "I-B", "O"]
    assert list(spans_of(tags)) == [(0, 1, "A"), (1, 3, "A"), (3, 5, "B")]


def test_tags_that_do_not_fit_are_read_all_the_same() -> None:
    """An inside without a beginning begins a mention; another type begins another."""
    assert list(spans_of(["I-A", "I-A", "I-B", "O"])) == [(0, 2, "A"), (2, 3, "B")]
    assert list(spans_of([])) == []


def test_the_longest_of_overlapping_mentions_is_kept() -> None:
    """The others leave no tag."""
    mentions = [Mention(4, 8, "B"), Mention(0, 13, "A"), Mention(9, 18, "B")]
    assert list(spans_of(tags_of(tokens_of("New York City Hall"), mentions))) == [(0, 3, "A")]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (4, 6, [(1, 2, "A")]),
        (2, 7, [(0, 2, "A")]),
        (3, 4, []),
        (5, 5, []),
        (90, 95, []),
        (-3, 2, [(0, 1, "A")]),
    ],
)
def test_a_mention_takes_every_token_it_touches(
    begin: int, end: int, expected: list[tuple[int, int, str]]
) -> None:
    """Odd offsets grow to whole tokens, and those with none are left out, never an error."""
    tags = tags_of(tokens_of("New York"), [Mention(begin, end, "A")])
    assert list(spans_of(tags)) == expected
