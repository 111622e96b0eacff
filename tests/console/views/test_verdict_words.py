"""A verdict's document as people read it."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from console.views.verdict import verdict_view
from flywheel.evaluation.paired_evidence import LabelChange
from flywheel.settings.policy import Policy, Rule
from tests.flywheel.evaluation.test_verdict_document import EVIDENCE, FACTS, document_of
from tests.flywheel.evaluation.test_verdict_view import paired

FLOOR = "(metric AverageF1Score, min 0.5)"


def rules_shown(document: str) -> str:
    """Return what the view says of the policy's rules."""
    console = Console(width=200)
    with console.capture() as shown:
        console.print(verdict_view(json.loads(document), "0" * 64, None))
    (line,) = [line for line in shown.get().splitlines() if line.startswith("  rules: ")]
    return line.removeprefix("  rules: ")


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        (Policy(), f"{FLOOR}, (metric AverageF1Score, min_improvement 0.005)"),
        (
            Policy(comparison="non-inferiority", margin=0.02),
            f"{FLOOR}, (metric AverageF1Score, max_drop 0.02)",
        ),
        (
            Policy(rules=(Rule(metric="AverageAccuracy", min_improvement=0.01),)),
            f"{FLOOR}, (metric AverageAccuracy, min_improvement 0.01)",
        ),
    ],
    ids=["superiority", "non-inferiority", "own gain"],
)
def test_every_rule_that_decides_is_listed_when_the_policy_is_silent(
    policy: Policy, rules: str
) -> None:
    """A default decides as a rule that somebody wrote does."""
    assert rules_shown(document_of(EVIDENCE, replace(FACTS, policy=policy.document()))) == rules


def test_the_rules_stand_as_they_are_when_another_release_made_the_policy() -> None:
    """Nothing is added to a policy whose keys mean what this release does not know."""
    policy = {**Policy().document(), "of_another_release": True}
    assert rules_shown(document_of(EVIDENCE, replace(FACTS, policy=policy))) == FLOOR


def test_every_label_is_listed_when_both_models_answered() -> None:
    """In 80 columns, with those that hardly changed, and what the models' answers differ on."""
    labels = (LabelChange("FRAUD", 40, 0.9, 0.8), LabelChange("B" * 90, 12_000, 0.8, 0.8))
    document = document_of(replace(EVIDENCE, paired=paired(*labels)))
    console = Console(width=80)
    with console.capture() as shown:
        console.print(verdict_view(json.loads(document), "0" * 64, None))
    lines = [line.rstrip() for line in shown.get().splitlines()]
    assert max(map(len, lines)) <= 80
    assert "the models' answers differ on 80." in " ".join(" ".join(lines).split())
    (place,) = [place for place, line in enumerate(lines) if line.startswith("  label")]
    assert [line.split()[-1] for line in lines[place : place + 3]] == ["change", "-0.100", "+0.000"]


def test_a_member_is_shown_by_its_name_when_another_release_wrote_it() -> None:
    """Of a rule and of the evidence."""
    document = json.loads(document_of(EVIDENCE))
    document["rules"][0]["of_later"] = {"a": 1}
    console = Console(width=80)
    with console.capture() as shown:
        console.print(verdict_view(document, "0" * 64, None))
    assert "of_later" in shown.get()
