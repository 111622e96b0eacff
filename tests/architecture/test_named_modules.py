"""What docstrings send readers to exists: modules, and the names in them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOMES = {
    "flywheel": ROOT / "functions",
    "application": ROOT / "functions",
    "adapters": ROOT / "functions",
    "console": ROOT,
    "infra": ROOT,
    "local_cloud": ROOT,
    "comprehend_engine": ROOT / "engine",
    "tests": ROOT,
    "benchmarks": ROOT,
}
_NAME = re.compile(rf"`((?:{'|'.join(HOMES)})(?:\.\w+)+)`")


def modules() -> Iterator[Path]:
    """Give every Python file of the project."""
    for folder in ("functions", "console", "infra", "local_cloud", "engine", "tests", "benchmarks"):
        yield from (ROOT / folder).rglob("*.py")


def exists(name: str) -> bool:
    """Return whether a dotted name is a module, or stands in the module that begins it."""
    parts = name.split(".")
    place = HOMES[parts[0]]
    while parts and (place / parts[0]).is_dir():
        place = place / parts.pop(0)
    if parts and (place / f"{parts[0]}.py").exists():
        place = place / f"{parts.pop(0)}.py"
    if not parts:
        return True
    text = place.read_text("utf-8") if place.is_file() else ""
    return all(re.search(rf"\b{part}\b", text) for part in parts)


def test_what_is_named_exists_when_a_docstring_sends_readers_there() -> None:
    """Of every file at once, so that a moved module shows all that still name it."""
    gone = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules()
        for name in _NAME.findall(path.read_text("utf-8"))
        if not exists(name)
    }
    assert not gone


@pytest.mark.parametrize(
    "name", ["flywheel.evaluation.verdicts", "flywheel.evaluation.verdict.adjudicate"]
)
def test_a_name_is_gone_when_no_module_has_it(name: str) -> None:
    """A module that is not there, and a function that is not in its module."""
    assert not exists(name)
