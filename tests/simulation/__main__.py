"""`make simulate HISTORIES=n`: many histories, and each safeguard switched off."""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from tests.simulation.gate import Caught, caught_by, played, quiet
from tests.simulation.safeguards import SAFEGUARDS

KEPT = Path(__file__).with_name("kept_seeds.json")
_CHUNK = 20
_MOST_TRIES = 3000
_EVENTS_SHOWN = 40


def main() -> int:
    """Play histories and try every safeguard; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--seed", type=int, help="Replay one history and show its trace.")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    asked = parser.parse_args()
    quiet()
    if asked.seed is not None:
        return _replay(asked.seed)
    with multiprocessing.Pool(asked.processes, quiet) as pool:
        failed = _play(pool, asked.histories)
        found = dict(_try_safeguards(pool))
    _tell_table(found)
    for seed, broken, events in failed[:5]:
        print(f"\nseed {seed}: {', '.join(sorted(set(broken)))}", *events, sep="\n  ")
    if failed:
        kept = sorted({*json.loads(KEPT.read_text()), *(seed for seed, _, _ in failed)})
        KEPT.write_text(json.dumps(kept) + "\n")
    caught = sum(item is not None for item in found.values())
    print(
        f"histories={asked.histories} violations={len(failed)} "
        f"safeguards_caught={caught}/{len(found)}"
    )
    return int(bool(failed) or caught < len(found))


def _play(
    pool: "multiprocessing.pool.Pool", histories: int
) -> list[tuple[int, list[str], list[str]]]:
    """Play histories and return those that broke an invariant, with their last events."""
    failed = []
    for done, (seed, broken, events) in enumerate(
        pool.imap_unordered(_one, range(histories), _CHUNK), 1
    ):
        if broken:
            failed.append((seed, broken, events))
        if done % 100 == 0 or done == histories:
            print(
                f"\r{done} of {histories} histories, {len(failed)} violations",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)
    return failed


def _one(seed: int) -> tuple[int, list[str], list[str]]:
    history = played(seed)
    broken = history.world.broken
    return seed, broken, history.world.log[-_EVENTS_SHOWN:] if broken else []


def _try_safeguards(pool: "multiprocessing.pool.Pool") -> Iterator[tuple[str, Caught | None]]:
    names = list(SAFEGUARDS)
    arguments = [(name, _MOST_TRIES) for name in names]
    for name, found in zip(names, pool.imap(_caught, arguments), strict=True):
        print(f"\rwithout {name:<30}", end="", file=sys.stderr)
        yield name, found
    print(file=sys.stderr)


def _caught(asked: tuple[str, int]) -> Caught | None:
    return caught_by(*asked)


def _tell_table(found: dict[str, Caught | None]) -> None:
    print(f"{'safeguard switched off':<28} {'caught by':<46} {'seed':>6} {'tries':>6}")
    for name, caught in found.items():
        if caught is None:
            print(f"{name:<28} {'NOT CAUGHT':<46}")
        else:
            print(f"{name:<28} {caught.invariant:<46} {caught.seed:>6} {caught.seed + 1:>6}")


def _replay(seed: int) -> int:
    with nullcontext():
        history = played(seed)
    print(*history.world.log[-_EVENTS_SHOWN:], sep="\n")
    broken = sorted(set(history.world.broken))
    print(f"seed={seed} broken={', '.join(broken) or 'nothing'}")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
