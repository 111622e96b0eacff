"""What a token is."""

import numpy as np
import pytest

from comprehend_engine.learning.tokens import LONG_CHAIN, chain_lengths, tokenise


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
    assert tokenise([document]).words == words


def test_offsets_are_code_points_of_the_document() -> None:
    """A sign outside the basic plane is one character; each document counts from 0."""
    tokens = tokenise(["😀 Köln", "Bonn"])
    assert tokens.begins.tolist() == [0, 2, 0]
    assert tokens.ends.tolist() == [1, 6, 4]
    assert tokens.counts.tolist() == [2, 1]
    assert tokens.firsts().tolist() == [0, 2]


def test_a_short_document_is_one_chain_when_it_has_sentences() -> None:
    """Cutting is for time alone, so it waits for documents that need it."""
    assert chain_lengths(tokenise(["It rained. We left. Nobody came."])).tolist() == [9]


def test_a_long_document_is_cut_behind_its_sentences() -> None:
    """No token is lost, and no chain is longer than it must be."""
    document = "Nobody in the whole town knew why it had rained. " * 40
    lengths = chain_lengths(tokenise([document]))
    assert lengths.sum() == 440
    assert lengths.max() <= 33


def test_a_long_document_is_not_cut_inside_a_mention() -> None:
    """Neither at an abbreviation nor where the annotations join two tokens."""
    document = "word " * LONG_CHAIN + "in St. Louis today" + " behind. Word"
    tokens = tokenise([document])
    assert chain_lengths(tokens).tolist() == [len(tokens.words) - 1, 1]
    joined = np.ones(len(tokens.words), dtype=bool)
    assert chain_lengths(tokens, joined).tolist() == [len(tokens.words)]
