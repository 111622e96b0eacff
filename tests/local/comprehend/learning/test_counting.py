"""Counting features, also where there are more of them than a table has room for at first."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from local.comprehend.learning import texts as reading
from local.comprehend.learning.counting import Counts, vocabulary_of

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words(count: int, seed: int) -> list[str]:
    """Make so many different words of one length, so that none is a part of another."""
    chooser = random.Random(seed)
    found = {"".join(chooser.choices(LETTERS, k=8)) for _ in range(2 * count)}
    return sorted(found)[:count]


def rows_of(counts: Counts) -> list[dict[int, float]]:
    """Return each text's features with how often it has them."""
    ends = zip(counts.beginnings[:-1], counts.beginnings[1:], strict=True)
    return [
        dict(zip(counts.features[a:b].tolist(), counts.counts[a:b].tolist(), strict=True))
        for a, b in ends
    ]


def words_and_pairs(text: str) -> Counter[tuple[str, ...]]:
    """Count what a text of plain words has, in the order it is met."""
    found: Counter[tuple[str, ...]] = Counter()
    split = text.split()
    for place, word in enumerate(split):
        found[word,] += 1
        if place:
            found[split[place - 1], word] += 1
    return found


@pytest.fixture(
    params=[
        [" ".join(words(30, seed)) for seed in range(500)],
        [" ".join(words(20_000, 1)), "one more", " ".join(words(9_000, 2)), ""],
        [" ".join(random.Random(seed).choices(words(3_000, 3), k=40)) for seed in range(400)],
    ],
    ids=["many texts", "long texts", "known words"],
)
def texts(request: pytest.FixtureRequest) -> Sequence[str]:
    """Texts with more features together than the first table has slots."""
    made: Sequence[str] = request.param
    return made


@pytest.mark.parametrize("characters_at_once", [1_000, 4_000_000])
def test_features_are_numbered_as_they_are_met_when_the_table_grows(
    texts: Sequence[str], characters_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether texts are decoded together or in many parts."""
    monkeypatch.setattr(reading, "_CHUNK_CHARACTERS", characters_at_once)
    known, counts = vocabulary_of(texts, opening=0)
    numbers: dict[tuple[str, ...], int] = {}
    found_in: Counter[int] = Counter()
    wanted = []
    for text in texts:
        row = words_and_pairs(text)
        for feature in row:
            found_in[numbers.setdefault(feature, len(numbers))] += 1
        wanted.append({numbers[feature]: count for feature, count in row.items()})
    assert known.size == len(numbers) > 4096
    assert rows_of(counts) == wanted
    assert known.found_in.tolist() == [found_in[number] for number in range(known.size)]
    assert not known.is_character.any()


def test_known_features_are_counted_alike_when_they_were_learnt(texts: Sequence[str]) -> None:
    """Character sequences too, each feature under its own hash; unknown ones are left out."""
    known, counts = vocabulary_of(texts, opening=300)
    again = known.count([*texts, "zzz"])
    assert rows_of(again)[:-1] == rows_of(counts)
    assert rows_of(again)[-1].keys() <= set(np.flatnonzero(known.is_character).tolist())
    assert len(set(known.hashes().tolist())) == known.size
