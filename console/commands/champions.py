"""The verbs by which people decide what is live: approve, reject, promote, rollback.

Each asks a function of the stack, which alone may do it, so whoever runs these needs no permission
of Comprehend. Decides names, options and words; read next: `functions/answer_approval` and
`functions/change_champion`.
"""

import uuid
from typing import Annotated, Any

import typer

from console.commands.acting import Act
from console.commands.flywheel_command import Run, flywheel_verb
from console.commands.options import LONGEST_MINUTES, Reason, Timeout, Wait
from console.exit_codes import ExitCode
from console.flywheels.operating import ask, refused
from console.flywheels.waiting import CommandResult, wait_for_batch
from console.terminal import Terminal
from flywheel.errors import ActRefusedError

_Number = Annotated[
    int, typer.Argument(min=1, metavar="N", help="The number of the verdict's batch.")
]


def add_champion_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (approve, reject, promote, rollback):
        app.command()(verb)


@flywheel_verb
def approve(
    run: Run,
    number: _Number,
    *,
    reason: Reason,
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> CommandResult:
    """Approve a verdict that waits for a person: its challenger goes live."""
    act = run.act()
    ending = _answer(act, run.terminal, number, "approve", reason)
    if wait:
        ending = wait_for_batch(run.terminal, act.target, act.known, number, minutes=timeout)
    return ending


@flywheel_verb
def reject(run: Run, number: _Number, *, reason: Reason) -> CommandResult:
    """Reject a verdict that waits for a person: the champion stays."""
    return _answer(run.act(), run.terminal, number, "reject", reason)


@flywheel_verb
def promote(
    run: Run,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The model's ARN, or the number of its verdict.")
    ],
    *,
    reason: Reason,
) -> CommandResult:
    """Make any trained model of the flywheel active."""
    act = run.act()
    done = _change(act, {"act": "promote", "model": model, "reason": reason})
    run.terminal.tell_exactly(f"Live now: {done['model']}")
    return CommandResult(ExitCode.DONE, done)


@flywheel_verb
def rollback(run: Run, *, reason: Reason) -> CommandResult:
    """Make the previously live model active again."""
    act = run.act()
    done = _change(act, {"act": "rollback", "reason": reason})
    run.terminal.tell_exactly(f"Live now: {done['model']}")
    run.terminal.tell(
        "No verdict is carried out until flywheel resume --reason TEXT; the model that was left is "
        "barred."
    )
    return CommandResult(ExitCode.DONE, done)


def _answer(act: Act, terminal: Terminal, number: int, given: str, reason: str) -> CommandResult:
    payload = {"batch": number, "answer": given, "reason": reason}
    done = _asked(act, "AnswerApprovalFunction", payload)
    terminal.tell(f"Verdict {number} of {act.name} is {done['answer'].lower()}.")
    return CommandResult(ExitCode.DONE, {"batch": number, "answer": done["answer"]})


def _change(act: Act, payload: dict[str, Any]) -> dict[str, Any]:
    # Where the answer is lost and the SDK asks again, it is the same request.
    done = _asked(act, "ChangeChampionFunction", {**payload, "request": str(uuid.uuid4())})
    return {"model": done["model"], "before": done.get("before")}


def _asked(act: Act, function: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Have a function act, as this person.

    Raises
    ------
    CommandError
        It refused, which it has written down, or it failed.
    """
    done = ask(act.target, function, act.name, payload)
    if "refused" in done:
        raise refused(act.name, done.get("error", ActRefusedError.__name__), str(done["refused"]))
    return done
