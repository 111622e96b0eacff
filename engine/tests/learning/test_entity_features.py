"""What tokens say."""

import pytest

from comprehend_engine.learning.entity_features import FeatureMaker, FeatureNumbers, shape
from comprehend_engine.learning.tokens import tokenise


def features(documents: list[str], numbers: FeatureNumbers, *, learns: bool) -> list[set[str]]:
    """Return the names of each token's features, by view."""
    rows = FeatureMaker(numbers, learns=learns).rows(tokenise(documents))
    names = {
        number: f"{view}={name}"
        for view, known in numbers.views.items()
        for name, number in known.items()
    }
    return [
        {
            names[number]
            for row in token_rows
            for number in rows.features[rows.ends[row] : rows.ends[row + 1]].tolist()
        }
        for token_rows in rows.of_tokens.tolist()
    ]


def test_a_token_tells_of_itself_and_its_neighbours() -> None:
    """The word, its ends, its shape, what stands around it, and that it touches what follows."""
    found = features(["in Nîmes, now"], FeatureNumbers(), learns=True)[1]
    assert found >= {"word=Nîmes", "low=nîmes", "shape=Xx", "begin2=nî", "end3=mes", "length=5"}
    assert found >= {"-1:low=in", "1:low=,", "2:low=now", "-2:low=\n", "glue=01", "shapes=x Xx ,"}
    assert "begin5=nîmes" not in found


def test_neighbours_are_of_the_same_document() -> None:
    """Documents say nothing of each other."""
    found = features(["one two", "three"], FeatureNumbers(), learns=True)
    assert "1:low=\n" in found[1]
    assert "-1:low=\n" in found[2]


def test_a_pair_of_words_is_a_feature_when_it_is_met_twice() -> None:
    """A pair that is met once would only be learnt by heart."""
    found = features(["new york", "New York", "old york"], FeatureNumbers(), learns=True)
    assert "-1+0=new york" in found[1] & found[3]
    assert "-1+0=old york" not in found[5]


def test_what_training_did_not_meet_is_no_feature() -> None:
    """Answering adds nothing; what is known of a new word, such as its end, is used."""
    numbers = FeatureNumbers()
    features(["Hamburg", "Salzburg"], numbers, learns=True)
    size = numbers.size
    found = features(["Freiburg"], numbers, learns=False)[0]
    assert numbers.size == size
    assert found >= {"end4=burg", "shape=Xx", "length=8"}
    assert not any(name.startswith("word=") for name in found)


def test_words_are_alike_however_their_accents_are_written() -> None:
    """One code point or two: the plain form is the same."""
    found = features(["Köln", "Ko\u0308ln"], FeatureNumbers(), learns=True)
    assert "low=köln" in found[0] & found[1]


@pytest.mark.parametrize(
    ("word", "expected"), [("1234567", "ddddd"), ("ÉLAN", "XX"), ("McAdam", "XxXx"), ("_", "_")]
)
def test_a_shape_is_short(word: str, expected: str) -> None:
    """Runs are one sign, so that words of one kind share it."""
    assert shape(word) == expected
