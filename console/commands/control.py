"""The verbs by which people act on a flywheel: pause, resume, stop, retry.

Decides names, options and words; `Operate` carries them out (`application.commands.carry_out`).
Read next: that module, `console.commands.rebuild` for its generations, and `console.commands.data`
for what is done to its data.
"""

from typing import Annotated

import typer

from application.commands.payloads import Pause, Resume, RetryBatch, StopTraining
from console.commands.flywheel_command import Run, flywheel_verb
from console.commands.options import LONGEST_MINUTES, Reason, Timeout, Wait
from console.commands.rebuild import rebuild
from console.exit_codes import ExitCode
from console.flywheels.waiting import CommandResult, wait_for_batch


def add_act_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (pause, resume, stop, retry, rebuild):
        app.command()(verb)


@flywheel_verb
def pause(run: Run, *, reason: Reason) -> CommandResult:
    """Let no batch open until the flywheel is resumed; work under way goes on."""
    act = run.act()
    act.carry_out(Pause(flywheel=act.name, reason=reason))
    run.terminal.tell(f"{act.name} is paused. Uploads are taken and stay staged.")
    return CommandResult(ExitCode.DONE)


@flywheel_verb
def resume(run: Run, *, reason: Reason) -> CommandResult:
    """Let batches open and verdicts promote again; a batch opens at once if the rules are met."""
    act = run.act()
    done = act.carry_out(Resume(flywheel=act.name, reason=reason))
    batch, lacks = done["batch"], done["next_batch_lacks"]
    run.terminal.tell(f"{act.name} is resumed.")
    if batch is not None:
        run.terminal.tell(f"Batch {batch} is open.", style="bold")
    else:
        run.terminal.tell("The next batch is not open yet: " + "; ".join(lacks))
    return CommandResult(ExitCode.DONE, {"batch": batch, "next_batch_lacks": lacks})


@flywheel_verb
def stop(run: Run, *, reason: Reason) -> CommandResult:
    """Stop the training that is under way; its batch fails and keeps its uploads."""
    act = run.act()
    model = act.carry_out(StopTraining(flywheel=act.name, reason=reason))["model"]
    run.terminal.tell_exactly(f"Its training is being stopped: {model}")
    run.terminal.tell("Its iteration ends as STOPPED, its batch as FAILED; the uploads are kept.")
    run.terminal.tell(f"Try again with: flywheel retry {act.name}")
    return CommandResult(ExitCode.DONE, {"model": model})


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
) -> CommandResult:
    """Open a failed batch again, with its uploads."""
    act = run.act()
    done = act.carry_out(RetryBatch(flywheel=act.name, batch=batch, reason=reason))
    run.terminal.tell(f"Batch {done['batch']} is open again, attempt {done['attempt']}.")
    ending = CommandResult(ExitCode.DONE, done)
    if wait:
        number = done["batch"]
        ending = wait_for_batch(run.terminal, act.target, act.known, number, minutes=timeout)
    return CommandResult(ending.code, {**done, **ending.document})
