"""What a benchmark found, as people read it: on the terminal, and as a page of the docs.

Knows no benchmark. Read next: `benchmarks.__main__`, which lists them.
"""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

_SECTION = "\n\n## "
_CPU_FILE = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Result:
    """One table.

    Parameters
    ----------
    title : str
    columns : sequence of str
    rows : sequence of sequence of str
    notes : sequence of str
        Sentences: what was measured, and what a reader should know to believe it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def show(result: Result) -> None:
    """Print a table."""
    table = Table(*result.columns, title=result.title, title_justify="left", box=box.SIMPLE)
    for row in result.rows:
        table.add_row(*row)
    out = Console(width=160)
    out.print(table)
    out.print("\n".join(result.notes), highlight=False)


def with_results(page: str, results: Iterable[Result]) -> str:
    r"""Return the page with these tables in it; its other tables stay, with their machine and day.

    Parameters
    ----------
    page : str
        Markdown; sections begin with ``## `` and a table's title.
    results : iterable of Result

    Examples
    --------
    >>> page = "# Benchmarks\n\n## A\n\nold\n\n## B\n\nold\n"
    >>> with_results(page, [Result("A", ["n"], [["1"]])]).splitlines()[2:7]
    ['## A', '', '| n |', '| --- |', '| 1 |']
    """
    head, *sections = page.removesuffix("\n").split(_SECTION)
    by_title = {section.partition("\n")[0]: section for section in sections}
    measured_on = f"Measured on {machine()}."
    for each in results:
        by_title[each.title] = "\n\n".join((each.title, _markdown(each), *each.notes, measured_on))
    return _SECTION.join((head, *by_title.values())) + "\n"


def machine() -> str:
    """Say in words on what and when this runs."""
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores (load {load:.1f}), {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def _processor() -> str:
    if _CPU_FILE.exists():
        for line in _CPU_FILE.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "an unnamed processor"


def _markdown(result: Result) -> str:
    lines = [result.columns, ["---"] * len(result.columns), *result.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
