"""The domain is pure: it reads no clock, no environment, no file, no chance and no network."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

DOMAIN = Path(__file__).resolve().parents[2] / "functions" / "flywheel"
FILES = sorted(DOMAIN.rglob("*.py"))
DENIED_MODULES = {
    "http",
    "os",
    "pathlib",
    "random",
    "socket",
    "sqlite3",
    "subprocess",
    "time",
    "urllib",
}
DENIED_CALLS = {"now", "open"}


def effects(source: str) -> Iterator[str]:
    """Give what reaches outside, by line: imports of denied modules and denied calls."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module="random", names=[ast.alias(name="Random")]):
                # Chance that a seed decides is none; without a seed it is, below.
                continue
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case ast.Call(func=ast.Name(id="Random"), args=[]):
                yield f"{node.lineno}: Random() without a seed"
                continue
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                if name in DENIED_CALLS:
                    yield f"{node.lineno}: {name}()"
                continue
            case _:
                continue
        yield from (
            f"{node.lineno}: {module}"
            for module in modules
            if module.split(".")[0] in DENIED_MODULES
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_domain_reaches_nothing_outside_when_it_is_read(path: Path) -> None:
    """Times, texts and names come as arguments, so that every rule can be tried with any."""
    assert not list(effects(path.read_text("utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import os.path",
        "from urllib.parse import quote",
        "def late():\n    import time",
        "from random import Random, shuffle",
        "Random()",
        "datetime.now(UTC)",
        "open('labels.txt')",
        "path.open()",
    ],
)
def test_an_effect_is_found_when_a_source_has_one(source: str) -> None:
    """The check sees imports anywhere and calls on anything."""
    assert len(list(effects(source))) == 1
