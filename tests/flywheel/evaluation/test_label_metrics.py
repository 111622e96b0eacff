"""Labels by the service's own values: bounds as SciPy's kin have them, and what they decide."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from flywheel.evaluation import intervals
from flywheel.evaluation.comparisons import Comparison
from flywheel.evaluation.effective_rules import Outcome
from flywheel.evaluation.evidence import Evidence, MeasuredLabels, TestSetFacts
from flywheel.evaluation.label_metrics import of_label
from flywheel.evaluation.verdict import Decision, Verdict, decide, wants_answers
from flywheel.settings.policy import LABEL_METRICS, Policy, Rule

ERRORS = [0.05, 0.05 / 12]
SUPPORT = 400


def values(hits: int, false: int, support: int = SUPPORT) -> dict[str, float | None]:
    """Return the metrics of a label that is found so often, rightly and wrongly."""
    return {
        "F1Score": 2 * hits / (hits + false + support),
        "Precision": hits / (hits + false),
        "Recall": hits / support,
    }


def compared(metric: str, old: Any, new: Any, error: float = 0.05, **changes: Any) -> Comparison:
    """Compare a label of `SUPPORT` documents of 1,000."""
    known = {"support": SUPPORT, "documents": 1000, "error": error, **changes}
    return of_label(metric, "FRAUD", old, new, **known)


def wilson(hits: float, whole: float, error: float) -> tuple[float, float]:
    """Return bounds of a share, as statsmodels has them."""
    found: tuple[float, float] = proportion_confint(hits, whole, alpha=2 * error, method="wilson")
    return found


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("old", "new"), [(300, 340), (390, 380), (0, 5), (400, 400)])
def test_bounds_of_recall_are_newcombes_when_the_pairing_is_the_worst(
    old: int, new: int, error: float
) -> None:
    """A share of the label's documents, and the correlation that these shares allow at least."""
    found = compared("Recall", values(old, 5), values(new, 5), error)
    correlation = intervals.least_favourable_correlation(old / SUPPORT, new / SUPPORT)
    (low, high), (new_low, new_high) = (wilson(hits, SUPPORT, error) for hits in (old, new))
    gain = (new - old) / SUPPORT
    down, up = new / SUPPORT - new_low, high - old / SUPPORT
    other_down, other_up = old / SUPPORT - low, new_high - new / SUPPORT
    assert found.low == pytest.approx(
        gain - (down**2 + up**2 - 2 * correlation * down * up) ** 0.5, abs=1e-9
    )
    assert found.high == pytest.approx(
        gain + (other_down**2 + other_up**2 - 2 * correlation * other_down * other_up) ** 0.5,
        abs=1e-9,
    )
    assert found.documents == SUPPORT


@pytest.mark.parametrize("error", ERRORS)
def test_bounds_of_precision_are_those_of_what_was_found_when_nothing_else_is_known(
    error: float,
) -> None:
    """Two wholes, so each bound is taken at its worst at once."""
    found = compared("Precision", values(300, 100), values(320, 40), error)
    old, new = wilson(300, 400, error), wilson(320, 360, error)
    assert found.low == pytest.approx(new[0] - old[1], abs=1e-9)
    assert found.high == pytest.approx(new[1] - old[0], abs=1e-9)


@pytest.mark.parametrize("error", ERRORS)
def test_bounds_of_f1_are_those_of_hits_among_events_when_they_are_carried_over(
    error: float,
) -> None:
    """Hits, misses and false finds are counted back from the three values."""
    found = compared("F1Score", values(300, 100), values(350, 50), error)
    old, new = wilson(300, 500, error), wilson(350, 450, error)
    bounds = [2 * share / (1 + share) for share in (*old, *new)]
    assert found.low == pytest.approx(bounds[2] - bounds[1], abs=1e-9)
    assert found.high == pytest.approx(bounds[3] - bounds[0], abs=1e-9)


def test_bounds_are_those_of_independent_shares_when_nothing_correlates() -> None:
    """The general form comes to Newcombe's interval, as statsmodels has it."""
    expected = confint_proportions_2indep(
        45, 50, 40, 60, method="newcomb", compare="diff", alpha=0.1
    )
    old, new = intervals.wilson(40 / 60, 60, 0.05), intervals.wilson(45 / 50, 50, 0.05)
    found = intervals.joined_gain(40 / 60, 45 / 50, old, new, correlation=0.0)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_a_bound_errs_in_few_cases_when_equal_models_answer_as_differently_as_they_can(
    metric: str,
) -> None:
    """Each finds 80 % of 100 documents, the one those that the other misses as far as can be."""
    chance, trials, support = np.random.default_rng(7), 2000, 100
    shown = 0
    for _ in range(trials):
        real, other = chance.random(support), chance.random(9 * support)
        old = values(int((real < 0.8).sum()), int((other < 0.02).sum()), support)
        new = values(int((real > 0.2).sum()), int((other > 0.98).sum()), support)
        shown += compared(metric, old, new, support=support).shows_gain
    assert 0 < shown / trials <= 0.06


def test_no_more_mentions_count_than_documents_when_a_document_has_several() -> None:
    """Mentions of one document are not independent."""
    old, new = values(300, 5), values(380, 5)
    few = compared("Recall", old, new, documents=50)
    assert few.low == pytest.approx(compared("Recall", old, new, support=50).low)
    assert few.documents == SUPPORT


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_nothing_is_shown_when_no_model_found_anything(metric: str) -> None:
    """The bounds are there, and as wide as they must be."""
    nothing = dict.fromkeys(LABEL_METRICS, 0.0)
    found = compared(metric, nothing, nothing)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert found.deviation in {None, 0.0}
    if metric == "Precision":
        assert (found.low, found.high) == (-1, 1)


def test_there_are_no_bounds_when_the_test_set_has_none_of_the_label() -> None:
    """The values are told all the same."""
    found = compared("Recall", values(300, 5), values(310, 5), support=0)
    assert (found.low, found.high, found.documents) == (None, None, None)


MEASURED = MeasuredLabels({"FRAUD": values(300, 20)}, {"FRAUD": values(360, 20)})  # type: ignore[dict-item] # all are there
GAIN = Rule(metric="Recall", label="FRAUD", min_improvement=0.01)


def showed(labels: MeasuredLabels | None) -> Evidence:
    """Return an iteration whose averages are better, and what is known of a label."""
    old, new = ({"AverageF1Score": f1, "AverageAccuracy": f1} for f1 in (0.8, 0.9))
    test_set = TestSetFacts("ab" * 32, 1000, {"FRAUD": SUPPORT, "OTHER": 1000 - SUPPORT})
    return Evidence("arn:old", old, "arn:new", new, True, test_set=test_set, labels=labels)


def judged(labels: MeasuredLabels | None, *rules: Rule, **policy: Any) -> tuple[Verdict, bool]:
    """Return the verdict, and whether the models are asked for answers."""
    given: dict[str, Any] = {"rules": rules} if rules else {}
    wanted = Policy(**given, **policy)
    verdict = decide(showed(labels), wanted)
    return verdict, wants_answers(verdict, wanted)


def new_values(**changes: float) -> MeasuredLabels:
    """Return the measured labels with other values of the challenger."""
    assert MEASURED.challenger is not None
    return replace(MEASURED, challenger={"FRAUD": {**MEASURED.challenger["FRAUD"], **changes}})


@pytest.mark.parametrize(
    ("labels", "decision", "asks"),
    [
        (MEASURED, Decision.PROMOTE, False),
        (new_values(Recall=0.78), Decision.HOLD, True),
        (new_values(Recall=0.755), Decision.REJECT, False),
        (None, Decision.HOLD, True),
    ],
    ids=["shown", "may be chance", "missed", "nothing known"],
)
def test_the_services_values_decide_when_their_bounds_clear_the_rule(
    labels: MeasuredLabels | None, decision: Decision, *, asks: bool
) -> None:
    """Answers are asked for where the values leave a gain open, and only there."""
    verdict, wanted = judged(labels, GAIN)
    assert (verdict.decision, wanted) == (decision, asks)


@pytest.mark.parametrize(
    ("f1", "evidence", "decision", "asks"),
    [
        (0.8, "paired", Decision.PROMOTE, False),
        (0.75, "paired", Decision.HOLD, True),
        (0.0, "paired", Decision.HOLD, True),
        (0.75, "averages", Decision.REJECT, False),
        (0.0, "averages", Decision.REJECT, False),
    ],
)
def test_a_critical_label_is_guarded_when_its_values_are_known(
    f1: float, evidence: str, decision: Decision, *, asks: bool
) -> None:
    """A drop that is seen asks for answers, or is shown by bounds where none may be asked for."""
    verdict, wanted = judged(new_values(F1Score=f1), critical_labels=("FRAUD",), evidence=evidence)
    assert (verdict.decision, wanted) == (decision, asks)


@pytest.mark.parametrize(("least", "decision"), [(0.9, Decision.PROMOTE), (0.95, Decision.REJECT)])
def test_a_floor_needs_no_champion_when_the_challengers_value_is_known(
    least: float, decision: Decision
) -> None:
    """Another test set of the champion does not matter to it."""
    labels = replace(MEASURED, champion=None, missing="the champion was measured on another")
    verdict, asks = judged(labels, Rule(metric="Recall", label="FRAUD", min=least))
    assert (verdict.decision, asks) == (decision, False)


def test_the_reason_is_told_when_a_models_values_are_not_known() -> None:
    """In the rule that stays open, whether answers are asked for or not."""
    labels = MeasuredLabels(None, None, "s3:GetObject was refused")
    verdict, asks = judged(labels, GAIN, evidence="averages")
    (told,) = [rule.reason for rule in verdict.outcomes if rule.outcome is Outcome.UNKNOWN]
    assert told == "the champion has no usable Recall of 'FRAUD': s3:GetObject was refused"
    assert not asks


@pytest.mark.parametrize("value", [float("nan"), 1.5, -0.1, None])
def test_a_value_is_not_known_when_it_is_none(value: Any) -> None:
    """What is not a part of 1 is no value of a metric."""
    verdict, asks = judged(new_values(Recall=value), GAIN)
    assert (verdict.decision, asks) == (Decision.HOLD, True)


def test_the_values_are_kept_when_a_verdict_is_read_back() -> None:
    """And a verdict without any is spelled as releases did that knew none."""
    verdict, _ = judged(MEASURED, GAIN)
    assert Verdict.from_json(verdict.to_json()) == verdict
    without, _ = judged(None, GAIN)
    assert '"labels"' not in without.to_json()
    assert Verdict.from_json(without.to_json()) == without
