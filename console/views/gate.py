"""The tables of `flywheel simulate gate`: its cells, or a scenario's draws.

Decides columns and words. Read next: `console.policy.gate_simulation`.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from console.errors import CommandError, ExitCode
from console.policy.gate_simulation import SCENARIOS, SimulatedCell
from console.policy.scenarios.scenario import Scenario, simulated
from console.terminal import Terminal
from flywheel.number_words import number_of

_COUNTS = ("documents_advised",)
"""What a scenario measures that is no share."""

_HEADINGS = {"disagreement": "disagree", "difference": "differ"}


def show_cells(terminal: Terminal, cells: Iterable[SimulatedCell], trials: int) -> None:
    """Show how often each policy promotes, cell by cell."""
    documents: list[dict[str, Any]] = []
    with _drawing(terminal) as describe:
        for cell in cells:
            documents.append(cell.document())
            describe(
                f"difference {cell.difference:+g}, {number_of(cell.test_documents, 'document')}"
            )
    names = list(dict.fromkeys(cell["policy"] for cell in documents))
    looks = documents[0]["iterations"]
    seen = "one look" if looks == 1 else f"at least one of {looks:,} looks"
    terminal.print(
        f"How often each policy promotes in {seen} at a test set, in {trials:,} trials per cell; "
        "accuracy, the champion wrong on 20 %; in %."
    )
    table = _table(["differ", "disagree", "documents", *names])
    keys = ("difference", "disagreement", "test_documents")
    for where, group in groupby(documents, key=lambda cell: tuple(cell[key] for key in keys)):
        promoted = {cell["policy"]: cell["promoted"] for cell in group}
        shown = [f"{100 * promoted[name]:.2f}" for name in names]
        table.add_row(f"{where[0]:+z.3g}", f"{where[1]:.3g}", f"{where[2]:,}", *shown)
    terminal.show(table)
    terminal.answer(documents)


def show_scenario(terminal: Terminal, name: str, *, trials: int | None, seed: int) -> None:
    """Play a scenario and show its table.

    Raises
    ------
    CommandError
        There is no scenario of this name.
    """
    if name not in SCENARIOS:
        remedy = f"Use one of: {', '.join(SCENARIOS)}"
        raise CommandError(ExitCode.USAGE, name, "there is no such scenario", remedy)
    scenario = SCENARIOS[name]
    trials = trials or scenario.trials
    rows: list[dict[str, Any]] = []
    with _drawing(terminal) as describe:
        processes = os.cpu_count() or 1
        played = simulated(scenario, trials=trials, seed=seed, processes=processes)
        for number, drawn in enumerate(played, 1):
            rows += drawn
            describe(f"{name}: {number:,} of {len(scenario.draws):,}")
    terminal.print(f"{name}: {scenario.drawn}")
    terminal.print(f"{trials:,} trials per row; rates in %, losses in points.")
    terminal.show(scenario_table(scenario, rows))
    terminal.answer(rows)


def scenario_table(scenario: Scenario, rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table of a scenario's rows; it fits 80 columns."""
    sizes = list(scenario.draws[0])
    # The scenario's sentence names what is the same in every row.
    varied = [name for name in sizes if len({row[name] for row in rows}) > 1]
    measured = [name for name in rows[0] if name not in {"scenario", "policy", "trials", *sizes}]
    has_policies = len({row["policy"] for row in rows}) > 1
    headings = [*varied, *(["policy"] if has_policies else []), *measured]
    table = _table([_HEADINGS.get(each, each.replace("_", " ")) for each in headings])
    table.collapse_padding = True
    for row in rows:
        shown = [_size(row[name]) for name in varied]
        shown += [row["policy"]] if has_policies else []
        shown += [_measured(name, row[name]) for name in measured]
        table.add_row(*shown)
    return table


def _size(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value}"


def _measured(name: str, value: float) -> str:
    return f"{value:,.0f}" if name in _COUNTS else f"{100 * value:.1f}"


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        lines = heading.replace("-", "-\n").replace(" ", "\n")
        table.add_column(lines, justify="right", no_wrap=True)
    return table


@contextmanager
def _drawing(terminal: Terminal) -> Iterator[Any]:
    """Show that work goes on; yields a function that shows what was drawn last."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=terminal.people, transient=True) as progress:
        task = progress.add_task("drawing")
        yield lambda where: progress.update(task, description=where)
