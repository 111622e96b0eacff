"""The verbs by which people control a flywheel and decide which model is live.

Each has a function of the stack do it. Whoever runs these verbs needs no permission of Comprehend.
Decides names, options and words. Read next: `application.commands.carry_out`,
`functions/answer_approval` and `functions/change_champion`.
"""

import uuid
from typing import Annotated, Any

import typer

from application.commands.payloads import Pause, Resume, RetryBatch, StartBatch, StopTraining
from console.commands.flywheel_command import FlywheelCommand, FlywheelRun
from console.commands.options import LONGEST_MINUTES, BatchNumber, Reason, Timeout, Wait
from console.commands.waiting import show_lacking, wait_for_batch
from console.errors import CommandResult, ExitCode
from console.flywheels.operating import FlywheelClient
from flywheel.batches.batches import Readiness

verbs = typer.Typer()


@verbs.command(cls=FlywheelCommand)
def start(
    run: FlywheelRun, *, wait: Wait = False, timeout: Timeout = LONGEST_MINUTES
) -> CommandResult:
    """Open a batch now, with the staged uploads."""
    client = run.changing_client()
    opened = client.operate(StartBatch(flywheel=client.name))
    if opened["batch"] is None:
        ready = Readiness(False, tuple(opened["next_batch_lacks"]))
        return CommandResult(ExitCode.HELD, show_lacking(run.terminal, ready))
    run.terminal.print(f"Batch {opened['batch']} is open.", style="bold")
    if wait:
        return wait_for_batch(run.terminal, client, opened["batch"], minutes=timeout)
    return CommandResult(ExitCode.DONE, {"batch": opened["batch"]})


@verbs.command(cls=FlywheelCommand)
def pause(run: FlywheelRun, *, reason: Reason) -> CommandResult:
    """Open no batch until the flywheel is resumed; work under way goes on."""
    client = run.changing_client()
    client.operate(Pause(flywheel=client.name, reason=reason))
    run.terminal.print(f"{client.name} is paused. Uploads are accepted and stay staged.")
    return CommandResult(ExitCode.DONE)


@verbs.command(cls=FlywheelCommand)
def resume(run: FlywheelRun, *, reason: Reason) -> CommandResult:
    """Let batches open and verdicts promote again; open one now if the rules are met."""
    client = run.changing_client()
    answer = client.operate(Resume(flywheel=client.name, reason=reason))
    batch, lacks = answer["batch"], answer["next_batch_lacks"]
    run.terminal.print(f"{client.name} is resumed.")
    if batch is not None:
        run.terminal.print(f"Batch {batch} is open.", style="bold")
    else:
        run.terminal.print("The next batch is not open yet: " + "; ".join(lacks))
    return CommandResult(ExitCode.DONE, {"batch": batch, "next_batch_lacks": lacks})


@verbs.command(cls=FlywheelCommand)
def stop(run: FlywheelRun, *, reason: Reason) -> CommandResult:
    """Stop the training under way; its batch fails and keeps its uploads."""
    client = run.changing_client()
    model = client.operate(StopTraining(flywheel=client.name, reason=reason))["model"]
    run.terminal.print_unwrapped(f"Its training is being stopped: {model}")
    run.terminal.print("The iteration ends as STOPPED, its batch as FAILED; the uploads are kept.")
    run.terminal.print(f"Try again with: flywheel retry {client.name}")
    return CommandResult(ExitCode.DONE, {"model": model})


@verbs.command(cls=FlywheelCommand)
def retry(
    run: FlywheelRun,
    *,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="The failed batch; by default the newest.")
    ] = None,
    reason: Reason = "retried",
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> CommandResult:
    """Open a failed batch again, with its uploads."""
    client = run.changing_client()
    answer = client.operate(RetryBatch(flywheel=client.name, batch=batch, reason=reason))
    run.terminal.print(f"Batch {answer['batch']} is open again, attempt {answer['attempt']}.")
    result = CommandResult(ExitCode.DONE)
    if wait:
        result = wait_for_batch(run.terminal, client, answer["batch"], minutes=timeout)
    return CommandResult(result.code, {**answer, **result.document})


@verbs.command(cls=FlywheelCommand)
def approve(
    run: FlywheelRun,
    number: BatchNumber,
    *,
    reason: Reason,
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> CommandResult:
    """Approve a verdict that waits for a person: its challenger goes live."""
    client = run.changing_client()
    result = _answer(run, client, number, "approve", reason)
    return wait_for_batch(run.terminal, client, number, minutes=timeout) if wait else result


@verbs.command(cls=FlywheelCommand)
def reject(run: FlywheelRun, number: BatchNumber, *, reason: Reason) -> CommandResult:
    """Reject a verdict that waits for a person: the champion stays."""
    return _answer(run, run.changing_client(), number, "reject", reason)


@verbs.command(cls=FlywheelCommand)
def promote(
    run: FlywheelRun,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The model's ARN, or its batch's number.")
    ],
    *,
    reason: Reason,
) -> CommandResult:
    """Make any trained model of the flywheel active."""
    return _change_champion(run, {"act": "promote", "model": model, "reason": reason})


@verbs.command(cls=FlywheelCommand)
def rollback(run: FlywheelRun, *, reason: Reason) -> CommandResult:
    """Make the previously live model active again."""
    result = _change_champion(run, {"act": "rollback", "reason": reason})
    run.terminal.print(
        "The model that was live is barred. No verdict is carried out until: "
        "flywheel resume --reason TEXT"
    )
    return result


def _answer(
    run: FlywheelRun, client: FlywheelClient, number: int, answer: str, reason: str
) -> CommandResult:
    payload = {"batch": number, "answer": answer, "reason": reason}
    given = client.ask("AnswerApprovalFunction", payload)["answer"]
    run.terminal.print(f"Verdict {number} of {client.name} is {given.lower()}.")
    return CommandResult(ExitCode.DONE, {"batch": number, "answer": given})


def _change_champion(run: FlywheelRun, payload: dict[str, Any]) -> CommandResult:
    client = run.changing_client()
    # Where the answer is lost and the SDK asks again, it is the same request.
    request = str(uuid.uuid4())
    answer = client.ask("ChangeChampionFunction", {**payload, "request": request})
    run.terminal.print_unwrapped(f"Live now: {answer['model']}")
    document = {"model": answer["model"], "before": answer.get("before")}
    return CommandResult(ExitCode.DONE, document)
