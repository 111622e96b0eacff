"""The verbs of the gate: `flywheel policy check` and `flywheel simulate gate`.

Decides names and options; neither needs a cloud. Read next: `console.views.policy`,
`console.views.gate`.
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from console.commands.options import Env, Flywheel, Json, chosen_environment
from console.environment.environments import environment_settings
from console.environment.target import LOCAL
from console.errors import CommandError, ExitCode
from console.terminal import reporting
from console.views.policy import show_policies
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment

policy = typer.Typer(no_args_is_help=True, help="Explain when a challenger goes live.")
simulate = typer.Typer(no_args_is_help=True, help="Show what rules do in many trials.")


@policy.command("check")
def check(
    context: typer.Context,
    flywheel: Flywheel = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="An environment's file; by default that of --env."),
    ] = None,
    test_documents: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help="Also show how often it promotes on a test set of this size."
        ),
    ] = None,
    env: Env = None,
    json: Json = False,
) -> None:
    """Explain the policies in an environment's file, or report their errors."""
    with reporting(is_json=json) as terminal:
        name = chosen_environment(context, env) or LOCAL
        settings = _read(file) if file is not None else environment_settings(name)
        chosen = [each for each in settings.flywheels if flywheel in {None, each.name}]
        if not chosen:
            known = ", ".join(each.name for each in settings.flywheels)
            problem = f"environment {settings.name} has no such flywheel"
            raise CommandError(ExitCode.USAGE, str(flywheel), problem, f"Use one of: {known}")
        show_policies(terminal, settings.name, chosen, test_documents)


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


@simulate.command("gate")
def gate(
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Play this scenario instead; a wrong name lists all."),
    ] = None,
    difference: Annotated[
        list[float] | None,
        typer.Option(min=-1, max=1, help="True accuracy, challenger minus champion; repeatable."),
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
    iterations: Annotated[
        int | None, typer.Option(min=1, max=200, help="Looks at one test set; 1 by default.")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=100,
            max=10_000_000,
            help="Per cell of the table, at least 20,000; a scenario has its own default.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed repeats a run to the digit.")] = 1,
    json: Json = False,
) -> None:
    """Draw pairs of models and test sets, and print how often each policy promotes."""
    with reporting(is_json=json) as terminal:
        from console.policy import gate_simulation as simulation  # noqa: PLC0415 - NumPy takes a while
        from console.views.gate import show_cells, show_scenario  # noqa: PLC0415 - likewise

        if scenario is not None:
            sizes = difference or test_documents or disagreement or iterations
            _require_no_sizes(scenario, has_sizes=bool(sizes))
            show_scenario(terminal, scenario, trials=trials, seed=seed)
            return
        cells = simulation.simulated(
            differences=difference or simulation.DIFFERENCES,
            test_documents=test_documents or simulation.TEST_DOCUMENTS,
            disagreements=disagreement or [simulation.DISAGREEMENT],
            iterations=iterations or 1,
            trials=simulation.checked_trials(trials),
            seed=seed,
        )
        show_cells(terminal, cells, simulation.checked_trials(trials))


def _require_no_sizes(scenario: str, *, has_sizes: bool) -> None:
    if has_sizes:
        problem = (
            "a scenario draws its own sizes: --difference, --test-documents, --disagreement and "
            "--iterations do not go with it"
        )
        remedy = "Omit these options, or --scenario"
        raise CommandError(ExitCode.USAGE, f"--scenario {scenario}", problem, remedy)
