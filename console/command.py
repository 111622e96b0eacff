"""The `flywheel` command: its verbs, and those that run it all on this machine.

Decides the verbs and what Ctrl-C does to them. Each other verb stands in `console.commands`, in the
module that is named after what it is for. Read next: `console.commands.control` (the plainest
verbs) and `console.terminal` (output).
"""

from pathlib import Path
from typing import Annotated

import typer

from comprehend_engine.command import main as serve_engine
from console.commands import (
    audit,
    control,
    data,
    dead_letters,
    files,
    policy,
    queries,
    rebuild,
    upload,
)
from console.commands.options import DataTask, Env, Json, chosen_environment, data_format
from console.environment.running_environment import local_file
from console.environment.target import LOCAL
from console.errors import CommandError, ExitCode
from console.terminal import ended_by_signals, reporting
from flywheel.settings.data_format import LabelDelimiter

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
    """Accept --env before the verb."""
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
    """Show the whole loop on this machine, with real training."""
    with reporting(is_json=json) as terminal, ended_by_signals():
        if data is not None and not data.is_dir():
            problem = "it is not a folder" if data.exists() else "there is no such folder"
            remedy = "Give a folder with train.csv and test.csv, or with only one CSV file"
            raise CommandError(ExitCode.USAGE, str(data), problem, remedy)
        if data is None and task != "multi-class":
            problem = "the sample data is multi-class"
            raise CommandError(ExitCode.USAGE, task, problem, "Give your own data with --data")
        from console.demo import story  # noqa: PLC0415 - a cloud takes seconds to import

        terminal.answer(story.run(terminal, data, data_format(task, delimiter)))


@app.command()
def up(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The cloud's port; 0 chooses a free one.")
    ] = 0,
    env: Env = None,
    json: Json = False,
) -> None:
    """Run an environment on this machine until Ctrl-C, with short waits."""
    with reporting(is_json=json) as terminal, ended_by_signals():
        from console.commands.up import keep_running  # noqa: PLC0415 - a cloud takes seconds to import

        name = chosen_environment(context, env) or LOCAL
        keep_running(terminal, local_file(), name=name, port=port)


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def engine(context: typer.Context) -> None:
    """Run the Comprehend engine alone until Ctrl-C: no stack, any S3."""
    serve_engine(context.args, program="flywheel engine")


def main() -> None:
    """Run the command."""
    app()


for module in (files, upload, queries, control, data, rebuild):
    app.add_typer(module.verbs)
app.add_typer(audit.audit, name="audit")
app.add_typer(dead_letters.dlq, name="dlq")
app.add_typer(policy.policy, name="policy")
app.add_typer(policy.simulate, name="simulate")
