"""Play histories: ``python -m tests.simulation --histories 10000``, or one again: ``--seed 42``.

Every history must be clean, and every removed safeguard must be missed. The last line
says both, e.g. ``histories=10000 violations=0 safeguards_caught=20/20``; the exit code is 1 where
either does not hold.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from tests.simulation.campaign import Missed, keep, miss_all, note_caught, play_all
from tests.simulation.history import Played, play
from tests.simulation.invariants.safeguards import SAFEGUARDS

_SHOWN_EVENTS = 40
_PROGRESS_SECONDS = 10


def main(arguments: Sequence[str]) -> int:
    """Play the requested histories; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return _replay(options.seed, options.without)
    violations = _play(options.histories, options.first_seed, options.processes)
    results = _miss_all(options.first_seed, options.processes)
    caught = sum(missed.seed is not None for missed in results)
    _say(
        f"histories={options.histories} violations={violations} "
        f"safeguards_caught={caught}/{len(results)}"
    )
    return 1 if violations or caught < len(results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument(
        "--histories", type=int, default=2000, help="number of histories (default: 2000)"
    )
    parser.add_argument("--first-seed", type=int, default=0, help="of the histories (default: 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--seed", type=int, help="play one history again and show its end")
    parser.add_argument("--without", choices=SAFEGUARDS, help="with --seed: take a safeguard away")
    return parser


def _replay(seed: int, without: str | None) -> int:
    if without is None:
        played = play(seed)
    else:
        with SAFEGUARDS[without].removed():
            played = play(seed)
    _show(played)
    return 1 if played.broken else 0


def _play(histories: int, first_seed: int, processes: int) -> int:
    """Play histories that must be clean; returns the number of those that are not."""
    began = told_at = time.monotonic()
    violations = 0
    for number, played in enumerate(
        play_all(range(first_seed, first_seed + histories), processes), start=1
    ):
        if played.broken:
            violations += 1
            keep(played.seed)
            _show(played)
        if number == histories or time.monotonic() - told_at >= _PROGRESS_SECONDS:
            told_at = time.monotonic()
            rate = number / (told_at - began)
            _say(f"{number:>8} of {histories} histories, {violations} violations, {rate:.0f}/s")
    return violations


def _miss_all(first_seed: int, processes: int) -> list[Missed]:
    """Take each safeguard away, and print what its absence breaks."""
    _say("\n".join(("", _line("safeguard", "histories", "seed", "what breaks without it"))))
    results = []
    for missed in miss_all(first_seed, processes):
        results.append(missed)
        broken = "; ".join(missed.broken) or "NOTHING"
        _say(_line(missed.safeguard, str(missed.histories), str(missed.seed), broken))
    note_caught(results)
    _say("")
    return results


def _line(*cells: str) -> str:
    safeguard, histories, seed, broken = cells
    return f"{safeguard:<28} {histories:>9} {seed:>7}  {broken}"


def _show(played: Played) -> None:
    words = "; ".join(sorted(set(played.broken))) or "nothing is broken"
    _say(f"seed {played.seed}: {words} ({played.fingerprint})")
    for event in played.trace[-_SHOWN_EVENTS:]:
        _say(f"  {event}")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
