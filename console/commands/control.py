"""The verbs by which people act on a flywheel: pause, resume, stop, retry.

Decides names, options and words; what an act does is `application.operator_commands`. Read next:
that module, `console.commands.rebuild` for its generations, and `console.commands.data` for what is
done to its data.
"""

from typing import Annotated

import typer

from console.commands.flywheel_command import Run, flywheel_verb
from console.commands.options import LONGEST_MINUTES, Reason, Timeout, Wait
from console.commands.rebuild import rebuild
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.flywheels.training import model_in_training, stop_training
from console.flywheels.waiting import Ending, wait_for_batch
from flywheel.errors import ServiceRefusedError


def add_act_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (pause, resume, stop, retry, rebuild):
        app.command()(verb)


@flywheel_verb
def pause(run: Run, *, reason: Reason) -> Ending:
    """Let no batch open until the flywheel is resumed; work under way goes on."""
    act = run.act()
    with act:
        notice = act.acts.pause(reason, act.target.now())
    act.publish(notice)
    run.terminal.tell(f"{act.acts.name} is paused. Uploads are taken and stay staged.")
    return Ending(ExitCode.DONE)


@flywheel_verb
def resume(run: Run, *, reason: Reason) -> Ending:
    """Let batches open and verdicts promote again; a batch opens at once if the rules are met."""
    act = run.act()
    with act:
        notice = act.acts.resume(reason, act.target.now())
    act.publish(notice)
    batch, ready = act.acts.workflow.open_when_ready(act.known, act.target.now())
    run.terminal.tell(f"{act.acts.name} is resumed.")
    if batch is not None:
        run.terminal.tell(f"Batch {batch.batch} is open.", style="bold")
    else:
        run.terminal.tell("The next batch is not open yet: " + "; ".join(ready.lacks))
    opened = {"batch": batch and batch.batch, "next_batch_lacks": list(ready.lacks)}
    return Ending(ExitCode.DONE, opened)


@flywheel_verb
def stop(run: Run, *, reason: Reason) -> Ending:
    """Stop the training that is under way; its batch fails and keeps its uploads."""
    act = run.act()
    client = act.target.client("comprehend")
    row = act.acts.ledger.flywheels.ensure(act.acts.name, act.known.arn)
    model = model_in_training(client, row.arn)
    if model is None:
        problem = "no model of it is in training, so there is nothing to stop"
        remedy = f"See flywheel status {act.acts.name}"
        raise CommandError(ExitCode.HELD, act.acts.name, problem, remedy)
    with act:
        act.acts.ledger.flywheels.note_stop(row, model, reason, act.target.now())
    try:
        stop_training(client, model)
    except ServiceRefusedError as error:
        if error.code != "InvalidRequestException":
            raise
        problem = f"the training could not be stopped any more: {error.detail.rstrip('.')}"
        remedy = f"See flywheel status {act.acts.name}"
        raise CommandError(ExitCode.HELD, act.acts.name, problem, remedy) from error
    run.terminal.tell_exactly(f"Its training is being stopped: {model}")
    run.terminal.tell("Its iteration ends as STOPPED, its batch as FAILED; the uploads are kept.")
    run.terminal.tell(f"Try again with: flywheel retry {act.acts.name}")
    return Ending(ExitCode.DONE, {"model": model})


@flywheel_verb
def retry(
    run: Run,
    *,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="The failed batch; by default the newest.")
    ] = None,
    reason: Reason = "retried",
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> Ending:
    """Open a failed batch again, with its uploads."""
    act = run.act()
    with act:
        opened = act.acts.retry(act.target.staging(), batch, reason, act.target.now())
    run.terminal.tell(f"Batch {opened.batch} is open again, attempt {opened.attempt}.")
    done = {"batch": opened.batch, "attempt": opened.attempt}
    ending = Ending(ExitCode.DONE, done)
    if wait:
        ending = wait_for_batch(run.terminal, act.target, act.known, opened.batch, minutes=timeout)
    return Ending(ending.code, {**done, **ending.document})
