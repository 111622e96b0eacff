"""The verbs by which people act on a flywheel: pause, resume, stop, retry, withdraw, testset.

Decides names, options and words; what an act does is `adapters.acts`. Read next: that module.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.configuration import KnownFlywheel
from adapters.ledger.uploads import UploadRow
from adapters.training import model_in_training, stop_training
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.following import patience, switched
from console.progress import Progress
from console.target import Target
from console.terminal import Terminal, reporting
from console.validating import opened_for, report_document, tell_report
from console.verb_options import (
    LONGEST_MINUTES,
    Env,
    Flywheel,
    Json,
    Reason,
    Timeout,
    Wait,
    finish,
    opened_target,
    tell_where,
)
from console.waiting import Ending, wait_for_batch
from flywheel.errors import ActRefusedError, ConcurrentChangeError
from flywheel.notices import Notice, shown
from flywheel.uploads import DatasetKind

_FEWEST_UID_CHARACTERS = 8

testset = typer.Typer(no_args_is_help=True, help="The test set, which judges every model.")


def add_act_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (pause, resume, stop, retry, withdraw, rebuild):
        app.command()(verb)
    app.command("import")(import_file)
    app.add_typer(testset, name="testset")


def pause(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    reason: Reason,
    env: Env = None,
    json: Json = False,
) -> None:
    """Let no batch open until it is resumed; what is under way goes on."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        with act:
            notice = act.acts.pause(reason, act.target.now())
        act.publish(notice)
        terminal.tell(f"{act.acts.name} is paused. Uploads are taken and stay staged.")
        finish(terminal, Ending(ExitCode.DONE, act.document))


def resume(
    context: typer.Context, flywheel: Flywheel = None, *, env: Env = None, json: Json = False
) -> None:
    """Let batches open again; one opens at once where the batch rules are met."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        with act:
            notice = act.acts.resume(act.target.now())
        act.publish(notice)
        batch, ready = act.acts.workflow.open_when_ready(act.known, act.target.now())
        terminal.tell(f"{act.acts.name} is resumed.")
        if batch is not None:
            terminal.tell(f"Batch {batch.batch} is open.", style="bold")
        else:
            terminal.tell("The next batch is not open yet: " + "; ".join(ready.lacks))
        opened = {"batch": batch and batch.batch, "next_batch_lacks": list(ready.lacks)}
        finish(terminal, Ending(ExitCode.DONE, {**act.document, **opened}))


def stop(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    reason: Reason,
    env: Env = None,
    json: Json = False,
) -> None:
    """Stop the training that is under way; its batch fails and keeps its uploads."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        client = act.target.client("comprehend")
        row = act.acts.ledger.flywheels.ensure(act.acts.name, act.known.arn)
        model = model_in_training(client, row.arn)
        if model is None:
            problem = "no model of it is in training, so there is nothing to stop"
            remedy = f"See flywheel status {act.acts.name}"
            raise CommandError(ExitCode.HELD, act.acts.name, problem, remedy)
        with act:
            act.acts.ledger.flywheels.note_stop(row, model, reason, act.target.now())
        stop_training(client, model)
        terminal.tell_exactly(f"Its training is being stopped: {model}")
        terminal.tell("Its iteration ends as STOPPED, its batch as FAILED; the uploads are kept.")
        terminal.tell(f"Try again with: flywheel retry {act.acts.name}")
        finish(terminal, Ending(ExitCode.DONE, {**act.document, "model": model}))


def retry(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="The failed batch; else the newest.")
    ] = None,
    reason: Reason = "retried",
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
    env: Env = None,
    json: Json = False,
) -> None:
    """Open a failed batch again, with the uploads that it has kept."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        with act:
            opened = act.acts.retry(batch, reason, act.target.now())
        terminal.tell(f"Batch {opened.batch} is open again, attempt {opened.attempt}.")
        done = {"batch": opened.batch, "attempt": opened.attempt}
        ending = Ending(ExitCode.DONE, done)
        if wait:
            ending = wait_for_batch(terminal, act.target, act.known, opened.batch, minutes=timeout)
        finish(terminal, Ending(ending.code, {**act.document, **done, **ending.document}))


def withdraw(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    upload: Annotated[
        str | None,
        typer.Option("--upload", metavar="U", help="Inbox key, or the beginning of its uid."),
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="All of its uploads.")] = None,
    reason: Reason,
    env: Env = None,
    json: Json = False,
) -> None:
    """Take data back: rows not sent yet leave; rows in a dataset mark the flywheel TAINTED."""
    with reporting(is_json=json) as terminal:
        if (upload is None) == (batch is None):
            problem = "say which data, by --upload or by --batch"
            raise CommandError(ExitCode.USAGE, "withdraw", problem, "Give one of the two")
        act = _Act(context, terminal, flywheel, env)
        with act:
            if batch is None:
                chosen: Sequence[UploadRow] = [act.upload(str(upload))]
            else:
                chosen = act.acts.uploads_of(act.target.staging(), batch)
            done = act.acts.withdraw(chosen, reason, act.target.now())
        act.publish(done.notice)
        for word, keys in (("not sent", done.left), ("in datasets already", done.kept)):
            for key in keys:
                terminal.tell_exactly(f"Withdrawn, {word}: {shown(key, 200)}")
        if done.kept:
            terminal.tell(
                f"{act.acts.name} is TAINTED: its datasets hold these rows, and later iterations "
                "train on them too.",
                style="bold yellow",
            )
        document = {**act.document, "left": list(done.left), "kept": list(done.kept)}
        finish(terminal, Ending(ExitCode.DONE, document))


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="As for upload.")],
    flywheel: Flywheel = None,
    *,
    kind: Annotated[DatasetKind, typer.Option(help="What the flywheel holds them for.")],
    env: Env = None,
    json: Json = False,
) -> None:
    """Record rows that an adopted flywheel holds already, without sending them."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        documents = opened_for(file, act.target, act.known)
        body = b"".join(documents.canonical_copy())
        report = documents.report
        tell_report(terminal, file.name, report)
        document = {**act.document, "validation": report_document(file.name, report)}
        if report.is_refused:
            terminal.tell("Nothing was imported.")
            finish(terminal, Ending(ExitCode.REFUSED, document))
        with act:
            uid = act.acts.import_rows(
                act.target.staging(),
                kind,
                file.name,
                body=body,
                now=act.target.now(),
            )
        terminal.tell(f"{report.documents:,} rows are known as {kind.value} rows now.")
        finish(terminal, Ending(ExitCode.DONE, {**document, "uid": uid}))


def rebuild(
    context: typer.Context,
    flywheel: Flywheel = None,
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
    env: Env = None,
    json: Json = False,
) -> None:
    """Make the next generation: a new flywheel, from all rows that were not withdrawn."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        before = act.acts.ledger.flywheels.ensure(act.acts.name, act.known.arn)
        bound = [endpoint.arn for endpoint in act.target.generations().endpoints_of(before.arn)]
        with act:
            notice = act.acts.rebuild(reason, add_label or [], drop_label or [], act.target.now())
        act.publish(notice)
        terminal.tell_exactly(f"The earlier flywheel stays as it is: {before.arn}")
        terminal.tell(f"{len(bound)} endpoints follow it and move when a new model is promoted.")
        for arn in bound:
            terminal.tell_exactly(f"  {arn}")
        pause = patience(act.target, timeout)
        progress = Progress(terminal)
        progress.wait(switched(act.target, act.known, pause))
        row = act.acts.ledger.flywheels.ensure(act.acts.name, act.known.arn)
        if row.generation == before.generation:
            raise CommandError(
                ExitCode.CLOUD,
                f"rebuild of {row.name}",
                "the service did not make the new flywheel",
                "The notice says why; repair that, then ask for it again",
            )
        terminal.tell_exactly(f"Generation {row.generation}: {row.arn}")
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
                terminal, act.target, act.known, row.open_batch, minutes=timeout
            )
            act.target.carry_rebuild_on(act.known)
        finish(terminal, Ending(ending.code, {**act.document, **done, **ending.document}))


@testset.command("freeze")
def freeze_testset(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    partial: Annotated[
        bool, typer.Option("--partial", help="Even if labels have no test document.")
    ] = False,
    env: Env = None,
    json: Json = False,
) -> None:
    """Have the drafts of the test set frozen, as its next version, with the next batch."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        with act:
            missing = act.acts.freeze(act.target.now(), is_partial_allowed=partial)
        terminal.tell("The drafts are frozen with the next batch, as one TEST dataset.")
        if missing:
            terminal.tell(f"Labels without a test document: {', '.join(missing)}", style="yellow")
        finish(terminal, Ending(ExitCode.DONE, {**act.document, "labels_missing": list(missing)}))


@testset.command("split")
def split_testset(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    fraction: Annotated[float, typer.Option(min=0.01, max=0.9, help="Of each label's rows.")] = 0.2,
    env: Env = None,
    json: Json = False,
) -> None:
    """Make a draft of a test set from staged training rows, label by label, by their hash."""
    with reporting(is_json=json) as terminal:
        act = _Act(context, terminal, flywheel, env)
        with act:
            done = act.acts.split(act.target.staging(), fraction, act.target.now())
        rows = sum(done.values())
        terminal.tell(f"{rows:,} rows are a draft of the test set now and no training rows.")
        for label, count in sorted(done.items()):
            terminal.tell_exactly(f"  {shown(label, 60)}: {count:,}")
        finish(terminal, Ending(ExitCode.DONE, {**act.document, "label_counts": dict(done)}))


class _Act:
    """One act on one flywheel: where it happens is told first, and a refusal has its exit code.

    Parameters
    ----------
    context : typer.Context
    terminal : Terminal
    flywheel, env : str or None
        As they were given.
    """

    def __init__(
        self, context: typer.Context, terminal: Terminal, flywheel: str | None, env: str | None
    ) -> None:
        self.target: Target = opened_target(context, env, default=None)
        self.known: KnownFlywheel = self.target.flywheel(flywheel)
        self.document: dict[str, Any] = tell_where(terminal, self.target, self.known.settings.name)
        self.acts = self.target.acts(self.known, self.target.identity.arn)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ActRefusedError):
            raise CommandError(
                ExitCode.HELD, self.acts.name, str(error), f"See flywheel status {self.acts.name}"
            ) from error
        if isinstance(error, ConcurrentChangeError):
            problem = "it changed in this moment"
            raise CommandError(ExitCode.HELD, self.acts.name, problem, "Try again") from error

    def publish(self, notice: Notice) -> None:
        """Publish a notice that the act left; what cannot go out now goes with the schedule."""
        self.target.notices(self.acts.ledger).publish(self.acts.name, notice)

    def upload(self, given: str) -> UploadRow:
        """Return the upload that is meant, by its inbox key or the beginning of its uid."""
        rows = self.acts.ledger.uploads.newest(self.acts.name, most=1000)
        found = [
            row
            for row in rows
            if given in {row.key, row.key.rsplit("/", 1)[-1]}
            or (len(given) >= _FEWEST_UID_CHARACTERS and row.uid.startswith(given))
        ]
        if len(found) == 1:
            return found[0]
        problem = "no upload of this name" if not found else f"{len(found)} uploads of this name"
        remedy = "See flywheel uploads, and give a uid"
        raise CommandError(ExitCode.USAGE, shown(given), problem, remedy)
