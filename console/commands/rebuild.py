"""The verb that makes a flywheel's next generation, or abandons it.

Decides options and words; `Operate` carries it out. Read next:
`application.commands.rebuild_commands`.
"""

from typing import Annotated, Any

import typer

from application.commands.payloads import AbandonRebuild, Rebuild
from application.ledger.flywheel_rows import FlywheelRow
from console.commands.flywheel_command import FlywheelCommand, FlywheelRun
from console.commands.options import LONGEST_MINUTES, Reason, Timeout, Wait, Yes
from console.commands.waiting import wait_for_batch
from console.errors import CommandError, CommandResult, ExitCode
from console.flywheels.following import patience, returned, switched
from console.flywheels.operating import FlywheelClient
from console.flywheels.rebuild_status import without_rows
from console.progress import Progress
from flywheel.batches.batches import slots_used_up
from flywheel.number_words import number_of
from flywheel.settings.environment import BatchRules

verbs = typer.Typer()


@verbs.command(cls=FlywheelCommand)
def rebuild(
    run: FlywheelRun,
    *,
    add_label: Annotated[
        list[str] | None, typer.Option("--add-label", metavar="L", help="A new label; repeatable.")
    ] = None,
    drop_label: Annotated[
        list[str] | None,
        typer.Option("--drop-label", metavar="L", help="A label to drop; repeatable."),
    ] = None,
    abandon: Annotated[
        bool,
        typer.Option("--abandon", help="Abandon a generation that has no promoted model."),
    ] = False,
    reason: Reason,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> CommandResult:
    """Make the next generation: a new flywheel from all rows that were not withdrawn."""
    labels = [*(add_label or []), *(drop_label or [])]
    if abandon and labels:
        problem = "an abandoned generation gets no labels"
        raise CommandError(ExitCode.USAGE, "--abandon", problem, "Omit the labels")
    client = run.changing_client()
    if abandon:
        return _abandon(run, client, reason, timeout)
    row = client.row
    if row.rebuild is not None and row.rebuild.step == "SWITCHED":
        # A rebuild whose model is live ends once its endpoints have moved, which need not wait.
        client.continue_rebuild()
        row = client.row
    if not (labels or is_called_for(row, client.known.settings.batch)):
        _confirm(run, row, is_confirmed=yes)

    command = Rebuild(
        flywheel=client.name,
        reason=reason,
        add_labels=tuple(add_label or ()),
        drop_labels=tuple(drop_label or ()),
    )
    done = _switched(run, client, command, timeout)
    ending = CommandResult(ExitCode.DONE)
    if wait and done["batch"] is not None:
        ending = wait_for_batch(run.terminal, client, done["batch"], minutes=timeout)
        client.continue_rebuild()
    return CommandResult(ending.code, {**done, **ending.document})


def is_called_for(row: FlywheelRow, rules: BatchRules) -> bool:
    """Return whether a generation has a fault that the next one repairs."""
    is_used_up = (
        slots_used_up(rules, row.train_datasets) is not None
        or row.test_datasets >= rules.service_test_datasets
    )
    return bool(row.taint) or row.rebuild is not None or is_used_up


def _confirm(run: FlywheelRun, row: FlywheelRow, *, is_confirmed: bool) -> None:
    """Show the cost of a rebuild that is not called for, and have it confirmed."""
    run.terminal.print(
        f"{row.name} is not TAINTED, and its datasets are not used up. A rebuild makes a new "
        f"flywheel, generation {row.next_generation}, sends all its rows again and pays for "
        "a training."
    )
    run.terminal.confirm(f"rebuild of {row.name}", "Rebuild it?", is_confirmed=is_confirmed)


def _switched(
    run: FlywheelRun, client: FlywheelClient, command: Rebuild, minutes: float
) -> dict[str, Any]:
    """Ask for the next generation, wait until batches go to it, and return its facts."""
    before = client.row
    followed = [before.arn, *(before.rebuild.followed_arns if before.rebuild else ())]
    endpoints = client.target.comprehend(client.known).endpoints()
    bound = [endpoint.arn for endpoint in endpoints if endpoint.flywheel_arn in followed]
    client.operate(command)
    run.terminal.print_unwrapped(f"Generation {before.generation} stays as it is: {before.arn}")
    if bound:
        run.terminal.print(
            f"{number_of(len(bound), 'endpoint follows', 'endpoints follow')} earlier generations "
            "until a new model is promoted."
        )
    for arn in bound:
        run.terminal.print_unwrapped(f"  {arn}")
    Progress(run.terminal).wait(switched(client, patience(client.target, minutes)))
    row = client.row
    if row.generation == before.generation:
        raise CommandError(
            ExitCode.CLOUD,
            f"rebuild of {row.name}",
            "the service did not make the new flywheel",
            "The notice says why; repair the cause, then ask for it again",
        )
    run.terminal.print_unwrapped(f"Generation {row.generation}: {row.arn}")
    if row.open_batch is None:
        for words in without_rows(client.target.ledger(), client.target.environment, row):
            run.terminal.print_unwrapped(words)
    return {
        "before": before.arn,
        "arn": row.arn,
        "generation": row.generation,
        "endpoints": bound,
        "batch": row.open_batch,
    }


def _abandon(
    run: FlywheelRun, client: FlywheelClient, reason: str, minutes: float
) -> CommandResult:
    """Abandon a generation and wait until batches go to the earlier one."""
    client.operate(AbandonRebuild(flywheel=client.name, reason=reason))
    Progress(run.terminal).wait(returned(client, patience(client.target, minutes)))
    row = client.row
    run.terminal.print_unwrapped(f"Abandoned. Uploads and batches go to {row.arn}")
    if row.taint:
        run.terminal.print(f"{row.name} is TAINTED, as flywheel status shows.", style="bold yellow")
    return CommandResult(
        ExitCode.DONE,
        {"arn": row.arn, "generation": row.generation, "tainted": list(row.taint)},
    )
