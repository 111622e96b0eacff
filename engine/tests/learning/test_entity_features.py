"""Features of tokens."""

import pytest

from comprehend_engine.learning.entity_features import features_of, shape
from comprehend_engine.learning.entity_tokens import tokens_of


def features(document: str) -> list[set[str]]:
    """Return the features of each token of a document."""
    return [set(found) for found in features_of(tokens_of(document))]


def test_a_token_tells_of_itself_and_its_neighbours() -> None:
    """The word, its ends, its shape, what stands around it, and that it touches what is before."""
    found = features("in Nîmes, now")
    assert found[1] >= {"word=Nîmes", "low=nîmes", "shape=Xx", "begin=nî", "end=mes", "length=5"}
    assert found[1] >= {"-1:low=in", "1:low=,", "2:low=now", "-2:low=\n", "-1|0=in|nîmes"}
    assert not {"begin=nîmes", "glued"} & found[1]
    assert "glued" in found[2]


def test_words_are_alike_however_their_accents_are_written() -> None:
    """One code point or two: the plain form is the same."""
    assert "low=köln" in features("Köln")[0] & features("Ko\u0308ln")[0]


def test_half_a_pair_is_written_as_text() -> None:
    """Half a surrogate pair has the features of a question mark."""
    assert "word=?" in features("\udcff")[0]


@pytest.mark.parametrize(
    ("word", "expected"), [("1234567", "ddddd"), ("ÉLAN", "XX"), ("McAdam", "XxXx"), ("_", "_")]
)
def test_a_shape_is_short(word: str, expected: str) -> None:
    """Runs are one sign, so that words of one kind share it."""
    assert shape(word) == expected
