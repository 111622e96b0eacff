"""A verdict's document for the terminal, whole: decision, every rule, evidence, inputs and who.

Decides looks alone. Read next: `flywheel.evaluation.verdict_view` (what is shown of a verdict),
`console.views.verdict_facts` (what is shown beside it).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from application.ledger.approvals import Approval
from console.views.principals import with_short_principals
from console.views.verdict_facts import (
    Facts,
    ending,
    input_facts,
    named_facts,
    policy_facts,
    prediction_facts,
    record_facts,
)
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.effective_rules import RuleOutcome
from flywheel.evaluation.verdict_document import decided_verdict
from flywheel.evaluation.verdict_view import VerdictView, change, number
from flywheel.notices.notice import shown
from flywheel.notices.what_changed import label_lines
from flywheel.number_words import number_of

_STYLES = {"PROMOTE": "bold green", "REJECT": "bold red", "HOLD": "bold yellow"}
_OUTCOME_STYLES = {
    "PASS": "green",
    "FAIL": "red",
    "UNKNOWN": "yellow",
    "WARNING": "yellow",
    "SKIPPED": "dim",
}
_KNOWN_OF_EVIDENCE = {
    *("champion_arn", "champion", "challenger_arn", "challenger", "test_set", "paired"),
}


def verdict_view(document: Mapping[str, Any], sha256: str, outcome: BatchOutcome | None) -> Group:
    """Return a document as people read it."""
    verdict = decided_verdict(document)
    view = VerdictView(verdict)
    bootstrap = ", BOOTSTRAP: there was no champion" if verdict.is_bootstrap else ""
    title = Text.assemble(
        f"Batch {document['batch']} of {document['flywheel']}: ",
        (verdict.decision, _STYLES[verdict.decision]),
        f"{bootstrap}; {ending(outcome)}",
    )
    parts: list[Any] = [title]
    for rule, stored in zip(verdict.outcomes, document["rules"], strict=True):
        parts += _rule(rule, stored)
    parts += _section("Evidence", _evidence(document["evidence"]))
    if paired := document["evidence"].get("paired"):
        parts += _section("Answers of both models to the test set", _answers(view, paired))
        parts += [Padding(Text(line), (0, 0, 0, 2)) for line in label_lines(view.labels)]
    parts += _section("Made from", input_facts(document["inputs"]))
    parts += _section("Policy", policy_facts(document))
    parts += _section("Who and when", record_facts(document, sha256))
    return Group(*parts)


def approval_view(approval: Approval) -> Group:
    """Return what a person was asked about a verdict, and who answered what and why."""
    facts = [("state", str(approval.state)), ("until", f"{approval.until:%Y-%m-%d %H:%M} UTC")]
    if approval.is_answered:
        who = with_short_principals(approval.by or "")
        answer = ("by", who), ("at", approval.at), ("reason", approval.reason)
        facts = [facts[0], *((name, shown(value or "-", 500)) for name, value in answer)]
    elif approval.is_unanswered:
        facts.append(("on time-out", approval.on_timeout))
    return Group(*_section("A person was asked", facts))


def _rule(rule: RuleOutcome, stored: Mapping[str, Any]) -> Iterator[Any]:
    title = Text.assemble((f"{rule.outcome:<8}", _OUTCOME_STYLES[rule.outcome]), rule.rule)
    yield Padding(title, (0, 0, 0, 2), expand=False)
    yield Padding(Text(rule.reason), (0, 0, 0, 10), expand=False)
    if rule.metric:
        values = f"champion {number(rule.champion)}, challenger {number(rule.challenger)}"
        words = f"{values}, change {change(rule.gain)}, bound {number(rule.bound)}"
        yield Padding(Text(words, "dim"), (0, 0, 0, 10))
        if rule.low is not None and rule.high is not None:
            bounds = f"gain {rule.low:+z.4f} to {rule.high:+z.4f} (one-sided bounds)"
            yield Padding(Text(f"{bounds}, by {rule.method}", "dim"), (0, 0, 0, 10))
    known = RuleOutcome.__dataclass_fields__
    more = {name: value for name, value in stored.items() if name not in known}
    for name, words in named_facts(more):
        yield Padding(Text(f"{name}: {words}", "dim"), (0, 0, 0, 10), expand=False)


def _section(title: str, facts: Iterable[tuple[str, str]]) -> Iterator[Any]:
    yield Text(title, "bold")
    for name, words in facts:
        yield Padding(Text(f"{name}: {words}", overflow="fold"), (0, 0, 0, 2), expand=False)


def _evidence(evidence: Mapping[str, Any]) -> Facts:
    for who in ("champion", "challenger"):
        yield who, str(evidence[f"{who}_arn"] or "none")
        for metric, value in (evidence[who] or {}).items():
            yield f"  {metric}", number(value)
    if test_set := evidence.get("test_set"):
        yield (
            "test set",
            f"{number_of(test_set['documents'], 'document')}, look {test_set['looks'] + 1:,}",
        )
    yield from named_facts(
        {name: value for name, value in evidence.items() if name not in _KNOWN_OF_EVIDENCE}
    )


def _answers(view: VerdictView, paired: Mapping[str, Any]) -> Facts:
    if view.answers_summary:
        yield "result", view.answers_summary
    for name in ("fixed", "broken"):
        if paired[f"{name}_ids"]:
            yield f"{name} ids", ", ".join(paired[f"{name}_ids"])
    yield "seed", str(paired["seed"])
    yield from prediction_facts(paired)
