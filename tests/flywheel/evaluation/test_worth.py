"""How many independent documents an average is worth, and how seldom equal models are promoted."""

import random

import pytest

from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.predictions import Kind
from flywheel.evaluation.verdict import Decision, decide
from flywheel.evaluation.worth import averages_worth
from flywheel.intake.document_groups import count_groups, group_documents
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.settings.policy import Policy


@pytest.mark.parametrize(
    ("mentions", "groups", "worth", "has_bounds"),
    [(300, 280, 280, True), (300, 30, 30, False), (39, 39, 39, False), (50, None, 0, False)],
)
def test_mentions_and_their_documents_count_when_recognizers_are_averaged(
    mentions: int, groups: int | None, worth: float, *, has_bounds: bool
) -> None:
    """Lines without a mention count nothing, and an unknown number shows nothing."""
    counted = averages_worth("AverageF1Score", "entities", 5000, {"DRUG": mentions}, groups=groups)
    assert (counted.documents, counted.has_bounds) == (worth, has_bounds)


@pytest.mark.parametrize("kind", ["multi-class", "multi-label", "entities"])
def test_precision_is_never_shown_when_only_averages_are_known(kind: Kind) -> None:
    """How often a label was predicted is not in them; a loss that is seen rejects all the same."""
    rules = [{"metric": "AveragePrecision", "min_improvement": 0.01}]
    policy = Policy.model_validate({"rules": rules})
    test_set = TestSetFacts("a" * 64, 1000, {"A": 500, "B": 500}, groups=1000)

    def verdict(challenger: float) -> Decision:
        averages = {"AverageF1Score": 0.9, "AveragePrecision": challenger}
        old = {"AverageF1Score": 0.9, "AveragePrecision": 0.6}
        evidence = Evidence("m/1", old, "m/2", averages, True, kind=kind, test_set=test_set)
        return decide(evidence, policy).decision

    assert verdict(0.95) is Decision.HOLD
    assert verdict(0.60) is Decision.REJECT


def test_groups_count_when_documents_belong_together() -> None:
    """However many documents a group has."""
    rows = [
        LabeledRow("A", f"letter {'x' * number}", f"thread {number // 5}") for number in range(100)
    ]
    grouping = group_documents(rows)
    counts = count_groups(grouping.groups, [["A"]] * 100)
    assert (grouping.grouped, counts.groups) == ("named", 20)
    worth = averages_worth(
        "AverageAccuracy",
        "multi-class",
        100,
        {"A": 100},
        groups=counts.groups,
        label_groups=counts.label_groups,
    )
    assert worth.reason.endswith("worth 20 by its groups of documents: too few for bounds")


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        (30, "the averages of 30 test documents: too few for bounds"),
        (60, "the averages of 60 test documents, worth 30 by its groups of documents: too few"),
    ],
)
def test_a_reason_says_what_documents_are_worth_when_they_are_worth_less(
    documents: int, reason: str
) -> None:
    """Documents that all count are only too few."""
    worth = averages_worth("AverageAccuracy", "multi-class", documents, {"A": 60}, groups=30)
    assert worth.reason.startswith(reason)


@pytest.mark.parametrize(("repeated", "grouped"), [(5, "none"), (6, "near duplicates")])
def test_near_duplicates_form_groups_when_they_are_more_than_a_twentieth(
    repeated: int, grouped: str
) -> None:
    """Case, digits and blanks make no other text."""
    words = [f"{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(100)]
    texts = [*words[: 100 - repeated], *(f"Order  {number}" for number in range(repeated))]
    assert group_documents([LabeledRow("A", text) for text in texts]).grouped == grouped


def test_equal_recognizers_are_not_promoted_when_mentions_are_few() -> None:
    """5,000 lines with 50 mentions: lines would promote two in five of equal recognizers."""
    drawn = random.Random(7)
    policy = Policy()
    for trial in range(300):
        old, new = (sum(drawn.random() < 0.8 for _ in range(50)) / 50 for _ in range(2))
        test_set = TestSetFacts("a" * 64, 5000, {"DRUG": 50}, groups=48)
        evidence = Evidence(
            "m/1",
            {"AverageF1Score": old},
            "m/2",
            {"AverageF1Score": new},
            True,
            kind="entities",
            test_set=test_set,
        )
        shown = decide(evidence, policy).decision is Decision.PROMOTE
        assert not shown or new - old > 0.1, trial
