"""What `flywheel policy check` shows: each policy once, with the flywheels that share it.

Decides the order and what stands in the JSON. Read next: `console.views.policy_words` (the policy
in words), `console.policy.odds` (how often it promotes).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from console.terminal import Terminal
from console.views.policy_words import describe_policy
from flywheel.evaluation.verdict import policy_sha256
from flywheel.settings.environment import FlywheelSettings

if TYPE_CHECKING:
    from console.policy.odds import Odds

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
        Size of the test set for which to say how often each promotes; None to leave that out.
    """
    sharing: dict[str, list[FlywheelSettings]] = {}
    for each in flywheels:
        sharing.setdefault(policy_sha256(each.policy), []).append(each)
    promoted = {} if test_documents is None else _promoted(flywheels, test_documents)
    for digest, group in sharing.items():
        names = ", ".join(each.name for each in group)
        terminal.tell(f"{names} in {environment}, policy {digest[:12]}", "bold")
        for sentence in describe_policy(group[0].policy):
            terminal.tell(sentence, indent=2)
        for sentence in _odds_in_words(group, promoted, test_documents):
            terminal.tell(sentence, indent=2)
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
    for found, names in alike.items():
        whose = f" ({', '.join(names)})" if len(alike) > 1 else ""
        rates = ", ".join(
            f"{_DIFFERS[each.difference]} {100 * each.promoted:.1f} % "
            f"(±{100 * each.standard_error:.1f})"
            for each in found
        )
        sentences.append(
            f"On {test_documents:,} test documents{whose} it promotes, of simulated challengers "
            f"that are {rates}. Each rate is of {found[0].trials:,} trials, ± is its standard "
            f"error. The champion is right in {100 * found[0].right:.0f} %, the models disagree on "
            "10 %, all labels are equally frequent."
        )
    return sentences
