"""What `flywheel policy check` shows: each policy in plain words, with the flywheels that share it.

Decides the words, the order and the JSON document. Read next: `flywheel.settings.policy` (the
keys), `flywheel.evaluation.effective_rules`, `console.policy.odds` (how often a policy promotes).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from console.terminal import Terminal
from flywheel.evaluation.effective_rules import measured
from flywheel.evaluation.label_guards import GUARD_ERROR, label_guards
from flywheel.evaluation.looks import ERROR, error_of_look
from flywheel.evaluation.verdict import policy_sha256
from flywheel.number_words import number_of
from flywheel.settings.environment import FlywheelSettings
from flywheel.settings.policy import Policy

if TYPE_CHECKING:
    from console.policy.odds import Odds

_EVIDENCE = {
    "paired": (
        "Gains must be more than chance. The iteration's averages decide where they can; where "
        "they leave it open, both models answer the frozen test set and are compared document by "
        "document."
    ),
    "averages": (
        "Gains must be more than chance, by the iteration's averages alone: weak evidence, so "
        "most verdicts on small test sets are HOLD."
    ),
    "none": (
        "WARNING: point values decide. Of two equally good models the newer one then goes live "
        "more than four times in ten."
    ),
}


def describe_policy(policy: Policy) -> list[str]:
    """Return what a policy means, sentence by sentence."""
    return [
        *_rules(policy),
        _EVIDENCE[policy.evidence],
        *_test_set(policy),
        _mode(policy),
        _outside(policy),
    ]


def _rules(policy: Policy) -> Iterator[str]:
    for rule in policy.all_rules():
        what = measured(rule.metric, rule.label)
        for kind, bound in rule.bounds():
            if kind == "min":
                yield f"{what} must be at least {bound:g}, for a first model too."
            elif kind == "min_improvement":
                least = f"by at least {bound:g}" if bound else "by anything"
                yield f"{what} must be better than the champion's {least}; a tie never passes."
            elif rule.label is None:
                yield f"{what} may be lower than the champion's by at most {bound:g}."
    yield from _guards(policy)
    if policy.comparison == "non-inferiority" and policy.evidence != "none":
        yield (
            "The same limit holds against the anchor: the first model, or the last one that a "
            "person made active or that was shown to be better."
        )
        if not policy.allow_proven_loss:
            yield "A challenger that is proven worse than the champion is rejected all the same."
    yield (
        "All of these must hold: one that is missed rejects the challenger, one that is not known "
        "holds it, and the champion stays."
    )


def _guards(policy: Policy) -> Iterator[str]:
    guards = label_guards(policy)
    for rule in guards:
        what = measured(rule.metric, rule.label)
        yield f"{what} may drop by at most {rule.max_drop:g}."
    if guards and policy.evidence != "none":
        yield (
            "A larger drop of a label that is seen holds the challenger; one that is more than "
            f"chance rejects it (chance in {100 * GUARD_ERROR:g} % of verdicts, all these labels "
            "together)."
        )
    if policy.critical_labels:
        yield (
            f"With fewer than {policy.critical_min_documents} test documents of a critical label "
            "its guard only warns."
        )


def _test_set(policy: Policy) -> Iterator[str]:
    if policy.evidence == "none":
        return
    error = 100 * error_of_look(policy)
    if policy.family_error == "strict":
        yield (
            f"Chance may pass for a gain in {100 * ERROR:g} % of all histories: in {error:.2g} % "
            f"of each of the first {number_of(policy.looks_planned, 'look')} of a generation, and "
            "in half as many of each of as many looks after them, and so on."
        )
    else:
        yield (
            f"Chance may pass for a gain in {error:.2g} % of first looks at a challenger; each "
            "further look at the same one may err a fifth as often."
        )
    most, warned = policy.test_looks_hold, policy.test_looks_warning
    yield (
        f"A test set needs {number_of(policy.min_test_documents, 'document')}; it warns from look "
        f"{warned:,} on, and after look {most:,} nothing is promoted until a new one is frozen."
    )


def _mode(policy: Policy) -> str:
    hours = number_of(policy.approval_timeout_hours, "hour")
    late = "goes live" if policy.on_approval_timeout == "promote" else "does not go live"
    if policy.mode == "shadow":
        return "Shadow: verdicts are recorded and reported, and no model is ever made active."
    if policy.mode == "approve":
        return f"Every PROMOTE waits for a person; one that nobody answers within {hours} {late}."
    if policy.approve_first:
        return (
            f"The first {policy.approve_first:,} PROMOTE verdicts wait for a person (one that "
            f"nobody answers within {hours} {late}); later ones are carried out by themselves."
        )
    return "PROMOTE is carried out by itself."


def _outside(policy: Policy) -> str:
    if policy.outside_iterations == "ignore":
        return "Iterations that were started elsewhere get no verdict."
    return "Iterations that were started elsewhere get a verdict, and never go live by it."


_DIFFERS = {
    0.0: "equally good",
    0.03: "3 points better",
    -0.02: "2 points worse",
}


def show_policies(
    terminal: Terminal,
    environment: str,
    flywheels: Sequence[FlywheelSettings],
    test_documents: int | None,
) -> None:
    """Explain the policies of these flywheels, to people or to programs.

    Parameters
    ----------
    test_documents : int or None
        Size of the test set whose odds of promotion are shown; None shows none.
    """
    sharing: dict[str, list[FlywheelSettings]] = {}
    for each in flywheels:
        sharing.setdefault(policy_sha256(each.policy), []).append(each)
    promoted = {} if test_documents is None else _promoted(flywheels, test_documents)
    for digest, group in sharing.items():
        names = ", ".join(each.name for each in group)
        terminal.print(f"{names} in {environment}, policy {digest[:12]}", "bold")
        for sentence in describe_policy(group[0].policy):
            terminal.print(sentence, indent=2)
        for sentence in _odds_in_words(group, promoted, test_documents):
            terminal.print(sentence, indent=2)
    terminal.answer([_document(environment, each, promoted, test_documents) for each in flywheels])


def _document(
    environment: str,
    flywheel: FlywheelSettings,
    promoted: Mapping[str, "Sequence[Odds]"],
    test_documents: int | None,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "environment": environment,
        "flywheel": flywheel.name,
        "policy": flywheel.policy.document(),
        "policy_sha256": policy_sha256(flywheel.policy),
        "explained": describe_policy(flywheel.policy),
    }
    if test_documents is not None:
        document["test_documents"] = test_documents
        document["odds"] = [asdict(each) for each in promoted[flywheel.name]]
    return document


def _promoted(
    flywheels: Sequence[FlywheelSettings], test_documents: int
) -> "dict[str, Sequence[Odds]]":
    """Return the odds by flywheel; what is alike is simulated once."""
    from console.policy.odds import odds, task_of  # noqa: PLC0415 - NumPy takes a while

    judged = {each.name: (each.policy, task_of(each)) for each in flywheels}
    distinct = list(dict.fromkeys(judged.values()))
    simulated = odds(distinct, test_documents, processes=os.cpu_count() or 1)
    return {name: simulated[distinct.index(each)] for name, each in judged.items()}


def _odds_in_words(
    group: Sequence[FlywheelSettings],
    promoted: Mapping[str, "Sequence[Odds]"],
    test_documents: int | None,
) -> list[str]:
    alike: dict[tuple[Odds, ...], list[str]] = {}
    for each in group:
        if each.name in promoted:
            alike.setdefault(tuple(promoted[each.name]), []).append(each.name)
    sentences = []
    for odds, names in alike.items():
        whose = f" ({', '.join(names)})" if len(alike) > 1 else ""
        rates = ", ".join(
            f"{_DIFFERS[each.difference]} {100 * each.promoted:.1f} % "
            f"(±{100 * each.standard_error:.1f})"
            for each in odds
        )
        sentences.append(
            f"On {test_documents:,} test documents{whose} it promotes, of simulated challengers "
            f"that are {rates}. Each rate is of {odds[0].trials:,} trials, ± is its standard "
            f"error. The champion is right in {100 * odds[0].right:.0f} %, the models disagree on "
            "10 %, all labels are equally frequent."
        )
    return sentences
