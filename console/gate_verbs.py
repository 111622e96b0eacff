"""The verbs of the gate: `flywheel policy check` and `flywheel simulate gate`.

Decides names, options and words; neither needs a cloud. Read next: `console.policy_words`,
`console.gate_simulation`.
"""

import re
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from console.errors import CommandError
from console.exit_codes import ExitCode
from console.policy_words import explained
from console.target import LOCAL, environment_settings, known_environments
from console.terminal import Terminal, reporting
from console.verb_options import Env, Flywheel, Json
from flywheel.environment_file import parse_environment
from flywheel.settings import Environment
from flywheel.verdict import policy_sha256

policy = typer.Typer(no_args_is_help=True, help="When a challenger goes live.")
simulate = typer.Typer(no_args_is_help=True, help="What rules do over many trials.")


@policy.command("check")
def check(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="An environment's file; left out, that of --env."),
    ] = None,
    env: Env = None,
    json: Json = False,
) -> None:
    """Explain the policies of an environment's file, or say what is wrong with them."""
    with reporting(is_json=json) as terminal:
        name = env or context.find_root().obj or LOCAL
        settings = _read(file) if file is not None else _of_environment(name)
        chosen = [each for each in settings.flywheels if flywheel in {None, each.name}]
        if not chosen:
            known = ", ".join(each.name for each in settings.flywheels)
            problem = f"environment {settings.name} has no such flywheel"
            raise CommandError(ExitCode.USAGE, str(flywheel), problem, f"Use one of: {known}")
        documents: list[dict[str, Any]] = []
        for each in chosen:
            words, digest = explained(each.policy), policy_sha256(each.policy)
            terminal.tell(f"{each.name} in {settings.name}, policy {digest[:12]}", "bold")
            for sentence in words:
                terminal.tell(sentence, indent=2)
            documents.append(
                {
                    "environment": settings.name,
                    "flywheel": each.name,
                    "policy": each.policy.document(),
                    "policy_sha256": digest,
                    "explained": words,
                }
            )
        terminal.answer(documents)


def _read(file: Path) -> Environment:
    if not file.is_file():
        remedy = "Give an environment's file, e.g. environments/dev.toml"
        raise CommandError(ExitCode.USAGE, str(file), "there is no such file", remedy)
    return parse_environment(
        file.name,
        lambda name: (file.parent / name).read_text("utf-8"),
        # A file that is only looked at may be called anything.
        name=re.sub(r"[^a-z0-9]+", "-", file.stem.casefold())[:12].strip("-") or "file",
    )


def _of_environment(name: str) -> Environment:
    if name not in known_environments():
        known = f"Use one of: {', '.join(known_environments())}"
        raise CommandError(ExitCode.USAGE, f"--env {name}", "there is no such environment", known)
    return environment_settings(name)


@simulate.command("gate")
def gate(
    difference: Annotated[
        list[float] | None,
        typer.Option(min=-1, max=1, help="True accuracy, challenger less champion; repeatable."),
    ] = None,
    test_documents: Annotated[
        list[int] | None,
        typer.Option(min=1, max=1_000_000, help="Size of the test set; repeatable."),
    ] = None,
    disagreement: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="How often only one model is right; repeatable."),
    ] = None,
    *,
    iterations: Annotated[int, typer.Option(min=1, max=200, help="Looks at one test set.")] = 1,
    trials: Annotated[
        int, typer.Option(min=20_000, max=10_000_000, help="A cell of the table.")
    ] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Repeats a run to the digit.")] = 1,
    json: Json = False,
) -> None:
    """Draw pairs of models and test sets, and print how often each policy promotes."""
    with reporting(is_json=json) as terminal:
        from console import gate_simulation as simulation  # noqa: PLC0415 - NumPy takes a while

        cells = simulation.simulated(
            differences=difference or simulation.DIFFERENCES,
            test_documents=test_documents or simulation.TEST_DOCUMENTS,
            disagreements=disagreement or [simulation.DISAGREEMENT],
            iterations=iterations,
            trials=trials,
            seed=seed,
        )
        found: list[dict[str, Any]] = []
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        with Progress(*columns, console=terminal.people, transient=True) as progress:
            task = progress.add_task("drawing")
            for cell in cells:
                found.append(cell.document())
                where = f"difference {cell.difference:+g}, {cell.test_documents:,} documents"
                progress.update(task, description=where)
        _show(terminal, found, trials)
        terminal.answer(found)


def _show(terminal: Terminal, cells: list[dict[str, Any]], trials: int) -> None:
    names = list(dict.fromkeys(cell["policy"] for cell in cells))
    looks = cells[0]["iterations"]
    seen = "one look" if looks == 1 else f"at least one of {looks:,} looks"
    terminal.tell(
        f"How often each policy promotes in {seen} at a test set, in {trials:,} trials a cell; "
        "accuracy, the champion wrong on 20 %; in %."
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("differ", "disagree", "documents", *names):
        table.add_column(heading.replace("-", "-\n"), justify="right", no_wrap=True)
    keys = ("difference", "disagreement", "test_documents")
    for where, group in groupby(cells, key=lambda cell: tuple(cell[key] for key in keys)):
        promoted = {cell["policy"]: cell["promoted"] for cell in group}
        shown = [f"{100 * promoted[name]:.2f}" for name in names]
        table.add_row(f"{where[0]:+z.3g}", f"{where[1]:.3g}", f"{where[2]:,}", *shown)
    terminal.show(table)
