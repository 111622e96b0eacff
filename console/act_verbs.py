"""The verbs by which people act on a flywheel: pause, resume, stop, retry, rebuild.

Decides names, options and words; what an act does is `adapters.acts`. Read next: that module, and
`console.data_verbs` for what is done to its data.
"""

from typing import Annotated, Any

import typer

from console.errors import CommandError
from console.exit_codes import ExitCode
from console.flywheel_verb import Run, flywheel_verb
from console.following import patience, switched
from console.progress import Progress
from console.training import model_in_training, stop_training
from console.verb_options import LONGEST_MINUTES, Reason, Timeout, Wait
from console.waiting import Ending, wait_for_batch
from flywheel.errors import ServiceRefusedError


def add_act_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (pause, resume, stop, retry, rebuild):
        app.command()(verb)


@flywheel_verb
def pause(run: Run, *, reason: Reason) -> Ending:
    """Let no batch open until it is resumed; what is under way goes on."""
    act = run.act()
    with act:
        notice = act.acts.pause(reason, act.target.now())
    act.publish(notice)
    run.terminal.tell(f"{act.acts.name} is paused. Uploads are taken and stay staged.")
    return Ending(ExitCode.DONE)


@flywheel_verb
def resume(run: Run, *, reason: Reason) -> Ending:
    """Let batches open and verdicts promote again; one opens at once where the rules are met."""
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
        int | None, typer.Option("--batch", min=1, help="The failed batch; else the newest.")
    ] = None,
    reason: Reason = "retried",
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> Ending:
    """Open a failed batch again, with the uploads that it has kept."""
    act = run.act()
    with act:
        opened = act.acts.retry(act.target.staging(), batch, reason, act.target.now())
    run.terminal.tell(f"Batch {opened.batch} is open again, attempt {opened.attempt}.")
    done = {"batch": opened.batch, "attempt": opened.attempt}
    ending = Ending(ExitCode.DONE, done)
    if wait:
        ending = wait_for_batch(run.terminal, act.target, act.known, opened.batch, minutes=timeout)
    return Ending(ending.code, {**done, **ending.document})


@flywheel_verb
def rebuild(
    run: Run,
    *,
    add_label: Annotated[
        list[str] | None, typer.Option("--add-label", metavar="L", help="May be repeated.")
    ] = None,
    drop_label: Annotated[
        list[str] | None, typer.Option("--drop-label", metavar="L", help="May be repeated.")
    ] = None,
    reason: Reason,
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> Ending:
    """Make the next generation: a new flywheel, from all rows that were not withdrawn."""
    act = run.act()
    before = act.acts.ledger.flywheels.ensure(act.acts.name, act.known.arn)
    bound = [endpoint.arn for endpoint in act.target.generations().endpoints_of(before.arn)]
    with act:
        notice = act.acts.rebuild(reason, add_label or [], drop_label or [], act.target.now())
    act.publish(notice)
    run.terminal.tell_exactly(f"The earlier flywheel stays as it is: {before.arn}")
    run.terminal.tell(f"{len(bound)} endpoints follow it and move when a new model is promoted.")
    for arn in bound:
        run.terminal.tell_exactly(f"  {arn}")
    pause = patience(act.target, timeout)
    progress = Progress(run.terminal)
    progress.wait(switched(act.target, act.known, pause))
    row = act.acts.ledger.flywheels.ensure(act.acts.name, act.known.arn)
    if row.generation == before.generation:
        raise CommandError(
            ExitCode.CLOUD,
            f"rebuild of {row.name}",
            "the service did not make the new flywheel",
            "The notice says why; repair that, then ask for it again",
        )
    run.terminal.tell_exactly(f"Generation {row.generation}: {row.arn}")
    done: dict[str, Any] = {
        "before": before.arn,
        "arn": row.arn,
        "generation": row.generation,
        "endpoints": bound,
        "batch": row.open_batch,
    }
    ending = Ending(ExitCode.DONE)
    if wait and row.open_batch is not None:
        ending = wait_for_batch(
            run.terminal, act.target, act.known, row.open_batch, minutes=timeout
        )
        act.target.carry_rebuild_on(act.known)
    return Ending(ending.code, {**done, **ending.document})
