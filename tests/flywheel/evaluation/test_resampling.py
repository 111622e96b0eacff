"""Resampling, held against NumPy, SciPy and scikit-learn."""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import f1_score, precision_recall_fscore_support

from flywheel.evaluation.comparisons import of_answers
from flywheel.evaluation.intervals import no_disagreement
from flywheel.evaluation.paired_evidence import paired_evidence
from flywheel.evaluation.predictions import Answer, Kind, ScoredDocument, tallies
from flywheel.evaluation.resampling import DRAWS, RESAMPLES, chances
from tests.flywheel.evaluation.answers import answered, one_label, paired

LABELS = ("A", "B", "C", "D")


def drawn(seed: int, count: int, old: float, new: float) -> list[tuple[str, str, str]]:
    """Return actual label and both models' answers, right so often; D is rare."""
    random = Random(seed)

    def guess(actual: str, share: float) -> str:
        return actual if random.random() < share else random.choice(LABELS)

    labels = random.choices(LABELS, weights=[10, 6, 3, 1], k=count)
    return [(label, guess(label, old), guess(label, new)) for label in labels]


def documents_of(rows: list[tuple[str, str, str]]) -> list[ScoredDocument]:
    """Return them as scored documents."""
    return [
        answered(f"d{place}", actual, old, new) for place, (actual, old, new) in enumerate(rows)
    ]


def macro_f1(actual: NDArray[np.str_], told: NDArray[np.str_]) -> float:
    """Return macro-F1 over the labels that occur, by NumPy."""
    values = []
    for label in set(actual):
        right = np.sum((actual == label) & (told == label))
        values.append(2 * right / (np.sum(actual == label) + np.sum(told == label)))
    return float(np.mean(values))


def test_metrics_are_scikit_learns_when_answers_are_counted() -> None:
    """All four averages, and each label's own."""
    rows = drawn(1, 300, 0.7, 0.8)
    actual, told = [row[0] for row in rows], [row[2] for row in rows]
    _, challenger = tallies(documents_of(rows), kind="multi-class", labels=4)
    seen = sorted(set(actual))
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, told, labels=seen, average="macro", zero_division=0
    )
    assert challenger.metric("AverageF1Score") == pytest.approx(f1, abs=1e-12)
    assert challenger.metric("AveragePrecision") == pytest.approx(precision, abs=1e-12)
    assert challenger.metric("AverageRecall") == pytest.approx(recall, abs=1e-12)
    right = np.mean([one == other for one, other in zip(actual, told, strict=True)])
    assert challenger.metric("AverageAccuracy") == pytest.approx(right, abs=1e-12)
    each = f1_score(actual, told, labels=["D"], average="macro", zero_division=0)
    assert challenger.metric("F1Score", "D") == pytest.approx(each, abs=1e-12)
    assert challenger.metric("F1Score", "unknown") is None


def test_randomization_agrees_with_scipy_when_macro_f1_is_compared() -> None:
    """SciPy exchanges the same answers, with its own coins."""
    rows = drawn(2, 200, 0.72, 0.78)
    actual = np.array([row[0] for row in rows])
    pairs = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    places = {label: place for place, label in enumerate(LABELS)}
    truth = np.array([places[label] for label in actual])
    old, new = (np.array([places[label] for label in told]) for told in pairs)

    def score(told: NDArray[np.int_]) -> Any:
        values = []
        for label in sorted(set(truth)):
            right = np.sum((told == label) & (truth == label), axis=-1)
            values.append(2 * right / (np.sum(told == label, axis=-1) + np.sum(truth == label)))
        return np.mean(values, axis=0)

    def gain(one: NDArray[np.int_], other: NDArray[np.int_], axis: int = -1) -> Any:
        assert axis == -1
        return score(other) - score(one)

    expected = stats.permutation_test(
        (old, new),
        gain,
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        alternative="greater",
        rng=np.random.default_rng(3),
    ).pvalue
    found = chances(
        documents_of(rows),
        [("AverageF1Score", None)],
        kind="multi-class",
        labels=4,
        error=0.05,
        seed=4,
    )["AverageF1Score", None]
    # Two random counts of the same chance: four standard errors of 2,000 draws.
    assert abs(found.p_value - expected) < 4 * (expected * (1 - expected) / 2000) ** 0.5


def test_the_bootstrap_agrees_with_numpy_when_macro_f1_is_compared() -> None:
    """Bounds and spread are those of drawing documents with replacement."""
    rows = drawn(5, 400, 0.7, 0.78)
    actual, old, new = (np.array(column) for column in zip(*rows, strict=True))
    random = np.random.default_rng(6)
    gains = []
    for _ in range(1000):
        chosen = random.integers(0, len(rows), len(rows))
        gains.append(macro_f1(actual[chosen], new[chosen]) - macro_f1(actual[chosen], old[chosen]))
    found = chances(
        documents_of(rows),
        [("AverageF1Score", None)],
        kind="multi-class",
        labels=4,
        error=0.05,
        seed=7,
    )["AverageF1Score", None]
    spread = float(np.std(gains))
    assert found.deviation == pytest.approx(spread, rel=5 / RESAMPLES**0.5)
    low, high = np.quantile(gains, [0.05, 0.95])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.3 * spread)


def test_randomization_is_mcnemars_when_the_metric_is_accuracy() -> None:
    """Two ways to one answer: exchanged answers of single labels are tossed coins."""
    rows = drawn(8, 250, 0.7, 0.76)
    documents = documents_of(rows)
    accuracy = ("AverageAccuracy", None)
    exact = of_answers(documents, [accuracy], kind="multi-class", labels=4, error=0.05, seed=1)[
        accuracy
    ]
    found = chances(documents, [accuracy], kind="multi-class", labels=4, error=0.05, seed=1)
    assert exact.p_value is not None
    chance = exact.p_value
    assert abs(found[accuracy].p_value - chance) < 4 * (chance * (1 - chance) / 2000) ** 0.5


@pytest.mark.parametrize(("fixed", "broken"), [(60, 0), (0, 60), (0, 0)])
def test_what_was_seen_counts_as_a_draw_when_chance_is_counted(fixed: int, broken: int) -> None:
    """No exchange wins as much as 60 documents of 60, each wins as much as none of 60."""
    accuracy = ("AverageAccuracy", None)
    documents = paired(fixed, broken, 40, 10)
    found = chances(documents, [accuracy], kind="multi-class", labels=2, error=0.05, seed=1)
    least = 1 / (1 + DRAWS)
    assert found[accuracy].p_value == (least if fixed else 1.0)
    assert found[accuracy].drop_p_value == (least if broken else 1.0)


def several(seed: int, count: int) -> Iterator[ScoredDocument]:
    """Give documents with any labels, of which a model finds most."""
    random = Random(seed)

    def answer(actual: list[str], share: float) -> Answer:
        told = [label for label in LABELS if (random.random() < share) == (label in actual)]
        return Answer(
            tuple((label, 1) for label in told),
            tuple((label, 1) for label in told if label in actual),
        )

    for place in range(count):
        actual = [label for label in LABELS if random.random() < 0.4]
        counts = tuple((label, 1) for label in actual)
        yield ScoredDocument(f"d{place}", counts, answer(actual, 0.8), answer(actual, 0.9))


def test_multi_label_accuracy_is_what_the_hamming_loss_lacks_when_labels_are_several() -> None:
    """Every decision about a label counts, and a clear gain shows."""
    documents = list(several(9, 200))
    champion, challenger = tallies(documents, kind="multi-label", labels=4)
    assert champion is not None
    wrong = sum(len({*each.challenger.predicted} ^ {*each.actual}) for each in documents)
    assert challenger.metric("AverageAccuracy") == pytest.approx(1 - wrong / 800)
    found = of_answers(
        documents,
        [("AverageAccuracy", None), ("AverageF1Score", None), ("Recall", "B")],
        kind="multi-label",
        labels=4,
        error=0.05,
        seed=2,
    )
    accuracy = found["AverageAccuracy", None]
    assert accuracy.shows_gain
    assert accuracy.low is not None
    assert 0 < accuracy.low < (accuracy.gain or 0) < (accuracy.high or 0)


def test_entities_are_compared_by_all_mentions_when_types_are_several() -> None:
    """Averages of recognizers are micro averages, and there is no accuracy."""
    documents = [
        ScoredDocument(
            f"d{place}",
            (("PERSON", 2), ("PLACE", 1)),
            Answer((("PERSON", 1),), (("PERSON", 1),)),
            Answer((("PERSON", 2), ("PLACE", 1)), (("PERSON", 2),)),
        )
        for place in range(60)
    ]
    found = of_answers(
        documents,
        [("AverageF1Score", None), ("AverageAccuracy", None), ("Recall", "PERSON")],
        kind="entities",
        labels=2,
        error=0.05,
        seed=2,
    )
    assert set(found) == {("AverageF1Score", None), ("Recall", "PERSON")}
    f1 = found["AverageF1Score", None]
    assert (f1.champion, f1.challenger) == pytest.approx((2 / 4, 4 / 6))
    assert f1.shows_gain


@pytest.mark.parametrize(("fixed", "broken"), [(0, 0), (1, 0), (0, 1)])
def test_bounds_are_no_nearer_than_tangos_when_resamples_show_less(fixed: int, broken: int) -> None:
    """Resamples of documents that agree show no change at all, however few documents there are."""
    documents = paired(fixed, broken, 90 - fixed - broken, 10)
    metric = ("AverageF1Score", None)
    shown = of_answers(documents, [metric], kind="multi-class", labels=2, error=0.04, seed=1)
    (drawn_alone,) = chances(
        documents, [metric], kind="multi-class", labels=2, error=0.04, seed=1
    ).values()
    found = shown[metric]
    assert found.gain is not None
    hidden = no_disagreement(100, 0.04)
    assert drawn_alone.low > found.gain - hidden
    assert drawn_alone.high < found.gain + hidden
    assert (found.low, found.high) == pytest.approx(
        (found.gain - hidden, found.gain + hidden), abs=1e-12
    )


def test_evidence_repeats_to_the_bit_when_the_answers_are_the_same() -> None:
    """The seed follows from what is compared."""
    documents = documents_of(drawn(10, 150, 0.7, 0.8))
    one, other = (
        paired_evidence(
            documents,
            [("AverageF1Score", None)],
            kind="multi-class",
            labels=4,
            error=0.05,
            test_set_sha256="ab" * 32,
        )
        for _ in range(2)
    )
    assert one == other
    assert one.fixed == sum(each.is_fixed for each in documents)
    assert [each.label for each in one.labels] == [
        each.label for each in sorted(one.labels, key=lambda e: e.challenger - (e.champion or 0))
    ]


@pytest.mark.parametrize("metric", ["AverageF1Score", "AverageAccuracy"])
@pytest.mark.parametrize("kind", ["multi-class", "multi-label", "entities"])
@pytest.mark.parametrize(("old", "new", "gain"), [("B", "A", 1), ("A", "B", -1), ("B", "B", 0)])
def test_models_are_compared_when_one_of_them_is_right_nowhere(
    kind: Kind, metric: str, old: str, new: str, gain: int
) -> None:
    """A useless model is a value like any other."""
    documents = [
        ScoredDocument(str(number), (("A", 1),), one_label("A", old), one_label("A", new))
        for number in range(10)
    ]
    wanted = [(metric, None)]
    found = chances(documents, wanted, kind=kind, labels=2, error=0.05, seed=1)
    if kind == "entities" and metric == "AverageAccuracy":
        assert not found
    else:
        assert (found[metric, None].low, found[metric, None].high) == (gain, gain)


def test_an_answer_counts_as_right_when_all_of_it_is() -> None:
    """Half of several labels is not wholly right, and nobody fixes what nobody broke."""
    half = ScoredDocument(
        "d",
        (("A", 1), ("B", 1)),
        one_label("A", "A"),
        Answer((("A", 1), ("B", 1)), (("A", 1), ("B", 1))),
    )
    assert (half.is_fixed, half.is_broken, half.is_disputed) == (True, False, True)
