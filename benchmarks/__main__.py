"""Run the benchmarks and write what was measured to docs/benchmarks.md: `make benchmark`.

``python -m benchmarks intake known_rows`` runs some of them; the other tables of the page stay,
each with its machine and day. With ``--quick`` small forms run, and nothing is written. Each module
named in `BENCHMARKS` has a function ``measure`` that returns its tables; a new one is added there.
"""

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.tables import show, with_results

BENCHMARKS = (
    *("intake", "known_rows", "validator", "decision"),
    *("learners", "endpoints", "loop_times"),
)
_PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Measure and print; write each table as soon as it is there."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    options.add_argument("--quick", action="store_true", help="small sizes, once; writes nothing")
    asked = options.parse_args()
    names = asked.names or BENCHMARKS
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        options.error(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    for name in names:
        results = import_module(f"benchmarks.{name}").measure(quick=asked.quick)
        for result in results:
            show(result)
        if not asked.quick:
            page = with_results(_PAGE.read_text("utf-8"), results)
            _PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
