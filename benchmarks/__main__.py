"""Run the benchmarks and write docs/benchmarks.md: `make benchmark`.

``python -m benchmarks intake known_rows`` runs some of them and writes nothing; nor does
``--quick``, which runs small forms to try. Each module named in `BENCHMARKS` has a function
``measure`` that returns its tables, at once or one by one; a new one is added there.
"""

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.tables import Result, page, show

BENCHMARKS = (
    *("intake", "known_rows", "validator", "decision"),
    *("classification", "entities", "endpoints"),
)
_PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Measure, print, and write the page where everything was measured."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    options.add_argument("--quick", action="store_true", help="small sizes, once; writes nothing")
    asked = options.parse_args()
    chosen = tuple(asked.names or BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        options.error(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    results: list[Result] = []
    for name in chosen:
        for result in import_module(f"benchmarks.{name}").measure(quick=asked.quick):
            show(result)
            results.append(result)
    if chosen == BENCHMARKS and not asked.quick:
        _PAGE.write_text(page(results, "make benchmark"), "utf-8")


if __name__ == "__main__":
    main()
