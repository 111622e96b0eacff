"""How a verdict looks: at the end of a batch in short, and its document in full.

The words of the reasons are the verdict's own. Decides the other words for the terminal and the
report page alike. A document may be of another release: members without words here are shown by
their names. Read next: `flywheel.evaluation.verdict_view`, `flywheel.evaluation.verdict_document`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from application.ledger.approvals import Approval
from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.record.history import f1_of
from console.record.replay import policy_of
from console.terminal import Terminal
from console.views.layout import indented, plain_table, with_short_principals
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.effective_rules import RuleOutcome
from flywheel.evaluation.verdict_document import decided_verdict
from flywheel.evaluation.verdict_view import F1, VerdictView, change, number
from flywheel.notices.notice import shown
from flywheel.notices.what_changed import changed_labels, label_lines
from flywheel.number_words import number_of

OUTCOME_STYLES = {
    BatchOutcome.PROMOTED: "bold green",
    BatchOutcome.REJECTED: "bold red",
    BatchOutcome.HELD: "bold yellow",
    BatchOutcome.SHADOW: "bold yellow",
    BatchOutcome.FAILED: "bold red",
    BatchOutcome.EMPTY: "bold",
}


def show_outcome(terminal: Terminal, batch: BatchRow, stored: StoredVerdict | None) -> None:
    """Show people how a closed batch ended."""
    if batch.outcome is None:
        return
    words = {
        BatchOutcome.PROMOTED: "the challenger is the active model now",
        BatchOutcome.REJECTED: "the active model stays",
        BatchOutcome.HELD: "the active model stays; evidence is missing",
        BatchOutcome.SHADOW: "the active model stays",
        BatchOutcome.FAILED: f"{batch.error}: {batch.cause}",
        BatchOutcome.EMPTY: "the flywheel has all these rows already; nothing was spent",
    }[batch.outcome]
    if stored is not None and stored.verdict.is_bootstrap and batch.outcome == "PROMOTED":
        words = "BOOTSTRAP, the first model is active now"
    if stored is not None and stored.because is not None:
        words = f"the active model stays: {shown(stored.because, 300)}"
    style = OUTCOME_STYLES[batch.outcome]
    terminal.show(Text.assemble((f"Batch {batch.batch}: {batch.outcome}", style), f", {words}"))
    if stored is not None:
        view = VerdictView(stored.verdict)
        terminal.show(metrics_table(view))
        for reason in view.verdict.reasons:
            terminal.print(reason, indent=2)
        for line in changed_labels(view):
            terminal.show(Text(f"  {line}"))


def metrics_table(view: VerdictView) -> Table:
    """Return the averages of champion and challenger."""
    table = plain_table(indent=2)
    table.add_column("")
    for title in ("champion", "challenger", "change"):
        table.add_column(title, justify="right")
    for each in view.averages:
        old, new = each.champion, each.challenger
        style = "bold" if each.metric == F1 else None
        table.add_row(each.metric, number(old), number(new), change(each.gain), style=style)
    return table


def f1_words(stored: StoredVerdict | None) -> str:
    """Return F1 of both models in a few words."""
    return f1_of(stored).summary or "-"


Facts = Iterator[tuple[str, str]]


def ending(outcome: BatchOutcome | None) -> str:
    """Return what came of a verdict."""
    return f"carried out as {outcome}" if outcome else "not carried out yet"


def made_from(document: Mapping[str, Any], sha256: str) -> Facts:
    """Yield what a verdict was made from, who made it, and its place in the chain."""
    yield from input_facts(document["inputs"])
    yield from prediction_facts(document["evidence"].get("paired") or {})
    yield from record_facts(document, sha256)


def input_facts(inputs: Mapping[str, Any]) -> Facts:
    """Yield what the batch brought, and the test set."""
    yield "manifest", inputs["manifest_key"]
    yield "  sha256", inputs["manifest_sha256"] or "none"
    for arn in inputs["datasets"]:
        yield "dataset", arn
    if (held := inputs.get("rejudges")) is not None:
        yield "judged again", f"the models of batch {held}"
    test_set = inputs["test_set"]
    if test_set is None:
        yield "test set", "none of its own"
    else:
        yield (
            "test set",
            f"version {test_set['version']}, {number_of(test_set['documents'], 'document')}",
        )
        yield "  sha256", test_set["sha256"]


def prediction_facts(paired: Mapping[str, Any]) -> Facts:
    """Yield where the models' answers to the test set are kept, and what they cost."""
    for each in paired.get("predictions", ()):
        yield "answers of", each["model"]
        asked = f"{each['seconds']:g} s, {each['usd']:.4f} USD" if each["usd"] else "kept"
        yield "  job", f"{each['job']} ({asked})"
        yield "  sha256", f"{each['sha256']} of {each['key']}"


def policy_facts(document: Mapping[str, Any]) -> Facts:
    """Yield the policy's members, its rules with those that it applies where it has none."""
    try:
        rules = [rule.model_dump(mode="json") for rule in policy_of(document).all_rules()]
    except ValueError:
        # Of a release with other keys, whose defaults this one does not know.
        rules = document["policy"].get("rules", [])
    yield from named_facts({**document["policy"], "rules": rules})


def record_facts(document: Mapping[str, Any], sha256: str) -> Facts:
    """Yield who decided, and the hashes that the audit names."""
    yield "decided", f"{document['decided_at']} by {document['actor']}"
    yield "version", document["product_version"]
    yield "flywheel", document["flywheel_arn"]
    yield "iteration", str(document["iteration_id"])
    yield "policy sha256", document["policy_sha256"]
    yield "this document", sha256
    yield "the one before", document["previous_sha256"]


def named_facts(values: Mapping[str, Any]) -> Facts:
    """Yield members by their names; what is empty is left out."""
    for name, value in values.items():
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, Mapping):
            yield name, ""
            yield from ((f"  {inner}", words) for inner, words in named_facts(value))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield name, ", ".join(map(_plain, value))
        else:
            yield name, _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        given = ", ".join(f"{name} {inner}" for name, inner in value.items() if inner is not None)
        return f"({given})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


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
        parts += map(indented, label_lines(view.labels))
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
    yield indented(title)
    yield indented(rule.reason, 10)
    if rule.metric:
        values = f"champion {number(rule.champion)}, challenger {number(rule.challenger)}"
        words = f"{values}, change {change(rule.gain)}, bound {number(rule.bound)}"
        yield indented(words, 10, "dim")
        if rule.low is not None and rule.high is not None:
            bounds = f"gain {rule.low:+z.4f} to {rule.high:+z.4f} (one-sided bounds)"
            yield indented(f"{bounds}, by {rule.method}", 10, "dim")
    known = RuleOutcome.__dataclass_fields__
    more = {name: value for name, value in stored.items() if name not in known}
    for name, words in named_facts(more):
        yield indented(f"{name}: {words}", 10, "dim")


def _section(title: str, facts: Iterable[tuple[str, str]]) -> Iterator[Any]:
    yield Text(title, "bold")
    for name, words in facts:
        yield indented(f"{name}: {words}")


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
