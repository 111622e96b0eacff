"""The `flywheel` command: its verbs, their options, and nothing else.

Decides names, defaults and which environment a verb works on. Each verb calls the module that is
named after it. Read next: `console.environment.target` (the environment) and `console.terminal`
(output).
"""

from pathlib import Path
from typing import Annotated

import typer

from application.commands.payloads import StartBatch
from comprehend_engine.command import main as serve_engine
from console.commands.audit import audit
from console.commands.champions import add_champion_verbs
from console.commands.control import add_act_verbs
from console.commands.data import add_data_verbs
from console.commands.dead_letters import dlq
from console.commands.flywheel_command import Run, flywheel_verb
from console.commands.init import add_init_verb
from console.commands.options import (
    LONGEST_MINUTES,
    DataTask,
    Env,
    Flywheel,
    Json,
    Timeout,
    Wait,
    check_file,
    chosen_environment,
    data_shape,
    finish,
    opened_target,
)
from console.commands.policy import policy, simulate
from console.commands.record import add_record_verbs
from console.commands.upload import upload
from console.convert.conversion import convert as convert_file
from console.environment.running_environment import local_file
from console.environment.target import LOCAL
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.flywheels import status as status_facts
from console.flywheels.waiting import CommandResult, lacking, wait_for_batch
from console.flywheels.watching import watched
from console.record import history as history_facts
from console.terminal import ended_by_signals, reporting
from console.validate.validating import opened, opened_for, validated
from console.views.conversion import conversion_document, tell_conversion
from console.views.status import status_view
from console.views.uploads import upload_document, uploads_view
from flywheel.batches.batches import Readiness
from flywheel.settings.data_format import DataFormat, LabelDelimiter, Mode, Task

app = typer.Typer(
    name="flywheel",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turn labeled files into better Comprehend models, with a reason for each decision.",
    epilog="Exit codes: 0 done, 1 data refused, 2 usage, 3 HOLD or busy, 4 REJECT, "
    "5 cloud or permission, 6 time-out.",
)


@app.callback()
def choose_environment(context: typer.Context, env: Env = None) -> None:
    """Take --env before the verb."""
    context.obj = env


@app.command()
def demo(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder with your own train.csv and test.csv (label,text; no header); for "
            "entities, with folders train and test of documents.txt and annotations.csv.",
        ),
    ] = None,
    task: Annotated[
        DataTask,
        typer.Option(
            metavar="TASK", help="The task of your data: multi-class, multi-label or entities."
        ),
    ] = "multi-class",
    delimiter: Annotated[
        LabelDelimiter,
        typer.Option(metavar="CHAR", help="The delimiter between labels of multi-label data."),
    ] = "|",
    json: Json = False,
) -> None:
    """Show the whole loop at work on this machine, with real training."""
    with reporting(is_json=json) as terminal, ended_by_signals():
        if data is not None and not data.is_dir():
            problem = "it is not a folder" if data.exists() else "there is no such folder"
            remedy = "Give a folder with train.csv and test.csv, or with only one CSV file"
            raise CommandError(ExitCode.USAGE, str(data), problem, remedy)
        if data is None and task != "multi-class":
            problem = "the sample data is multi-class"
            raise CommandError(ExitCode.USAGE, task, problem, "Give your own data with --data")
        from console.demo import story  # noqa: PLC0415 - a cloud takes seconds to import

        terminal.answer(story.run(terminal, data, data_shape(task, delimiter)))


@app.command()
def up(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The cloud's port; 0 chooses a free one.")
    ] = 0,
    env: Annotated[
        str | None,
        typer.Option("--env", metavar="ENV", help="The environment to run; or FLYWHEEL_ENV."),
    ] = None,
    json: Json = False,
) -> None:
    """Run an environment's file on this machine until Ctrl-C, with short waits."""
    with reporting(is_json=json) as terminal, ended_by_signals():
        from console.environment.running import keep_running  # noqa: PLC0415 - a cloud takes seconds to import

        name = chosen_environment(context, env) or LOCAL
        keep_running(terminal, local_file(), name=name, port=port)


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def engine(context: typer.Context) -> None:
    """Run only the Comprehend engine until Ctrl-C: no cloud, no stack, any S3."""
    serve_engine(context.args, program="flywheel engine")


@app.command()
def validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="label,text; UTF-8; no header.")],
    flywheel: Annotated[
        str | None,
        typer.Argument(help="Check against its labels; by default those of the file."),
    ] = None,
    *,
    task: Annotated[Task, typer.Option(help="If no flywheel is given.")] = "classification",
    mode: Annotated[Mode, typer.Option(help="If no flywheel is given.")] = "multi-class",
    delimiter: Annotated[
        LabelDelimiter,
        typer.Option(help="Between labels, if no flywheel is given.", metavar="CHAR"),
    ] = "|",
    suspects: Annotated[
        bool, typer.Option("--suspects/--no-suspects", help="Detect labels that look wrong.")
    ] = True,
    env: Env = None,
    json: Json = False,
) -> None:
    """Check a labeled file as an upload is checked, and its labels; upload nothing."""
    with reporting(is_json=json) as terminal:
        check_file(file)
        if flywheel is None:
            documents = opened(file, shape=DataFormat(task=task, mode=mode, delimiter=delimiter))
        else:
            target = opened_target(context, env, default=LOCAL)
            documents = opened_for(file, target, target.flywheel(flywheel))
        finish(terminal, validated(terminal, file, documents, looks_for_suspects=suspects))


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or a JSON array.")],
    *,
    label: Annotated[str, typer.Option(metavar="COL", help="Column name, or number from 1.")],
    text: Annotated[str, typer.Option(metavar="COL", help="Column name, or number from 1.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="The CSV file to write.")
    ],
    sep: Annotated[
        str | None, typer.Option(help="A character, or: tab; detected by default.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="E.g. windows-1252; UTF-8 by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
    json: Json = False,
) -> None:
    """Convert files of spreadsheets and labeling tools to the service's CSV."""
    with reporting(is_json=json) as terminal:
        check_file(file)
        done = convert_file(
            file,
            output,
            label=label,
            text=text,
            separator=sep,
            encoding=encoding,
            is_replacing=force,
        )
        if not json:
            tell_conversion(terminal, output, done)
        terminal.answer(conversion_document(output, done))


@app.command()
@flywheel_verb
def start(run: Run, *, wait: Wait = False, timeout: Timeout = LONGEST_MINUTES) -> CommandResult:
    """Open a batch now, with the staged uploads."""
    act = run.act()
    opened = act.carry_out(StartBatch(flywheel=act.name))
    if opened["batch"] is None:
        ready = Readiness(False, tuple(opened["next_batch_lacks"]))
        return CommandResult(ExitCode.HELD, lacking(run.terminal, ready))
    run.terminal.tell(f"Batch {opened['batch']} is open.", style="bold")
    ending = CommandResult(ExitCode.DONE, {"batch": opened["batch"]})
    if wait:
        batch = opened["batch"]
        ending = wait_for_batch(run.terminal, act.target, act.known, batch, minutes=timeout)
    return ending


@app.command()
def status(
    context: typer.Context,
    flywheel: Flywheel = None,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until all are idle.")] = False,
    env: Env = None,
    json: Json = False,
) -> None:
    """Show what is live, what runs, what is staged and what the next batch lacks."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=LOCAL)
        chosen = [target.flywheel(flywheel)] if flywheel else list(target.flywheels.values())

        def look() -> list[status_facts.FlywheelStatus]:
            return [status_facts.flywheel_status(target, known) for known in chosen]

        unconfirmed = status_facts.unconfirmed_emails(
            target.client("sns"), target.outputs["TopicArn"]
        )
        found = look()
        if watch:
            found = watched(terminal, target, look, unconfirmed)
        elif not json:
            terminal.show(status_view(target.environment, found, unconfirmed))
        terminal.answer(
            {
                "environment": target.environment,
                "flywheels": [status_facts.status_document(item) for item in found],
                "unconfirmed_emails": unconfirmed,
            }
        )


@app.command()
@flywheel_verb
def uploads(
    run: Run,
    *,
    most: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many uploads.")] = 50,
) -> None:
    """Show the state of each upload, newest first."""
    target, known = run.look()
    found = target.ledger().uploads.newest(known.settings.name, most)
    if run.terminal.is_json:
        run.terminal.answer([upload_document(upload) for upload in found])
    elif found:
        run.terminal.show(uploads_view(found))
    else:
        run.terminal.tell(f"{known.settings.name} has no upload yet.")


@app.command()
@flywheel_verb
def history(
    run: Run,
    *,
    most: Annotated[int, typer.Option("-n", min=1, help="How many batches.")] = 20,
) -> None:
    """Show the batches, newest first, and why each ended as it did."""
    target, known = run.look()
    found = history_facts.entries(target, known, most)
    if run.terminal.is_json:
        run.terminal.answer([history_facts.entry_document(*entry) for entry in found])
    elif found:
        run.terminal.show(history_facts.history_view(found))
    else:
        run.terminal.tell(f"{known.settings.name} has no batch yet.")


def main() -> None:
    """Run the command."""
    app()


add_init_verb(app)
app.command()(upload)
add_act_verbs(app)
add_champion_verbs(app)
add_data_verbs(app)
add_record_verbs(app)
app.add_typer(audit, name="audit")
app.add_typer(dlq, name="dlq")
app.add_typer(policy, name="policy")
app.add_typer(simulate, name="simulate")
