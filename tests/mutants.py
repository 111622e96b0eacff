"""Count the mutants of `functions/` and `infra/` that the tests kill: `make mutants`.

A mutant is one small fault, made in a copy of the checkout by one of mutmut's operators. mutmut 3
itself leaves out decorated functions, which the handlers are, and constants of modules. The tests
that ran the faulty line, the nearest first, fail (killed), do not end (endless, which is noticed
too) or pass (survived).
"""

import argparse
import contextlib
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from coverage import CoverageData
from libcst import matchers
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parents[1]
OUTCOMES = ("killed", "endless", "survived", "not covered")
NOTICED = OUTCOMES[:2]
CPU_SECONDS, SECONDS = 600, 3600
"""What the tests of one mutant may take; without it they take less than two minutes."""
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "@tests.txt")
LIMITED = ("bash", "-c", f'ulimit -t {CPU_SECONDS} && exec "$@"', "bash")
LEFT_OUT = shutil.ignore_patterns(".venv*", ".git", ".local", ".*_cache", "__pycache__", "cdk.out")
_NAME_OF_A_LOG = matchers.Name("logger") | matchers.Name("metrics")
NOT_MUTATED = (
    matchers.Annotation()
    | matchers.Decorator()
    | matchers.Subscript(value=matchers.Name("Literal"))
    | matchers.Call(func=matchers.Name("isinstance") | matchers.Name("len"))
    | matchers.Call(func=matchers.Attribute(value=_NAME_OF_A_LOG))
)
"""What no test of behavior tells apart, and calls of which any other argument is an error."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a source file that can be mutated."""

    path: Path
    line: int
    statement_line: int
    module: cst.Module
    node: cst.CSTNode
    variants: tuple[cst.CSTNode, ...]

    def mutated(self, chance: random.Random) -> str:
        """Return the file's text with one of the node's variants in place of the node."""
        changed = self.module.deep_replace(self.node, chance.choice(self.variants))
        return cst.ensure_type(changed, cst.Module).code

    def tests(self, contexts: CoverageData) -> tuple[list[str], list[str]]:
        """List the tests that ran the line, the near ones and the others.

        Where the line runs on import, it is the tests that ran any of the file's lines.
        """
        by_line = contexts.contexts_by_lineno(str(self.path))
        lines = range(self.line, self.statement_line - 1, -1)
        on_line = next((by_line[line] for line in lines if by_line.get(line)), [])
        running = {*on_line} - {""}
        if on_line and not running:
            running = {context for on_any in by_line.values() for context in on_any} - {""}
        tests = {context.rpartition("|")[0] for context in running}
        near = {test for test in tests if self.path.stem in test or self.path.parent.name in test}
        return sorted(near), sorted(tests - near)


class _Places(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: Path) -> None:
        super().__init__()
        wrapper = MetadataWrapper(cst.parse_module(path.read_bytes()), unsafe_skip_copy=True)
        self.found: list[Place] = []
        self._path, self._module, self._statement_line = path, wrapper.module, 0
        wrapper.visit(self)

    def on_visit(self, node: cst.CSTNode) -> bool:
        if matchers.matches(node, NOT_MUTATED):
            return False
        position = self.get_metadata(PositionProvider, node, None)
        line = position.start.line if position else self._statement_line
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statement_line = line
        if variants := tuple(_variants(node)):
            where = (self._path, line, self._statement_line)
            self.found.append(Place(*where, self._module, node, variants))
        return True


def _variants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from operator(node)


def main(arguments: Sequence[str]) -> None:
    """Run a sample of mutants, print those that survive, and count them by room."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="+", help="folders or files")
    parser.add_argument("--contexts", required=True, help="coverage data, with a context per test")
    parser.add_argument("--sample", type=int, help="how many mutants (default: one per place)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    asked = parser.parse_args(arguments)
    contexts, chance = CoverageData(asked.contexts), random.Random(asked.seed)
    contexts.read()
    places = [place for path in _files(asked.rooms) for place in _Places(path).found]
    sample = chance.sample(places, min(asked.sample or len(places), len(places)))
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(ROOT, Path(folder, ROOT.name), ignore=LEFT_OUT))
        _check_tests(
            {test for one in sample for some in one.tests(contexts) for test in some}, copy
        )
        for place in sample:
            path, text = place.path.relative_to(ROOT), place.mutated(chance)
            outcome = _outcome(place.tests(contexts), text, path, copy)
            rooms[str(path.parent)][outcome] += 1
            _say(f"{outcome:<11} {path}:{place.line}")
            if outcome not in NOTICED:
                _say("\n".join(_changed_lines(place.path.read_text("utf-8"), text)))
    _say(f"\n{'room':<28}" + "".join(f"{outcome:>12}" for outcome in OUTCOMES))
    for room, counts in sorted(rooms.items()):
        cells = "".join(f"{counts[outcome]:>12}" for outcome in OUTCOMES)
        noticed = sum(counts[outcome] for outcome in NOTICED)
        _say(f"{room:<28}{cells}{noticed / counts.total():>6.0%}")


def _files(rooms: Iterable[str]) -> list[Path]:
    paths = {path for room in rooms for path in (ROOT / room, *(ROOT / room).rglob("*.py"))}
    return sorted(path for path in paths if path.is_file())


def _check_tests(tests: Iterable[str], copy: Path) -> None:
    """End where a test fails without a mutant: each mutant that it covers would count as killed."""
    (copy / "tests.txt").write_text("\n".join(sorted(tests)), "utf-8")
    subprocess.run([*PYTEST, "-x"], cwd=copy, stdout=sys.stderr, check=True)


def _outcome(groups: Iterable[Sequence[str]], text: str, path: Path, copy: Path) -> str:
    (copy / path).write_text(text, "utf-8")
    outcome = "not covered"
    for tests in filter(None, groups):
        (copy / "tests.txt").write_text("\n".join(tests), "utf-8")
        outcome = _outcome_of_tests(copy)
        if outcome != "survived":
            break
    # With its time too, or Python would take the mutant's compiled file for this one's.
    shutil.copy2(ROOT / path, copy / path)
    return outcome


def _outcome_of_tests(copy: Path) -> str:
    quiet, command = subprocess.DEVNULL, [*LIMITED, *PYTEST, "-x"]
    process = subprocess.Popen(command, cwd=copy, stdout=quiet, stderr=quiet, process_group=0)
    try:
        code = process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        code = -signal.SIGXCPU
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return "survived" if code == 0 else "killed" if code > 0 else "endless"


def _changed_lines(before: str, after: str) -> Iterator[str]:
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield f"    {line}"


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
