"""The catalogue is whole: each fault has a test that is there, or a reason."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.fault_catalogue import CATALOGUE, Fault

ROOT = Path(__file__).resolve().parents[1]
_FAULTS = 70
_MOST_REASONS = 8
_FEWEST_WORDS = 8
_NAMED = re.compile(r"^Faults? ([\d, and]+)[:,]")


@cache
def found_in(path: str) -> dict[str, str]:
    """Return the test functions of a file with their docstrings, without importing it."""
    file = ROOT / path
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_number_is_there_when_the_catalogue_is_read() -> None:
    """From 1 to 70, in order, each once."""
    assert [fault.number for fault in CATALOGUE] == list(range(1, _FAULTS + 1))


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: str(fault.number))
def test_a_fault_has_tests_or_a_reason_when_the_catalogue_is_read(fault: Fault) -> None:
    """The tests exist; a reason is a sentence about AWS or about what is not built yet."""
    assert bool(fault.tests) != bool(fault.reason)
    for named in fault.tests:
        path, name = named.split("::")
        assert name in found_in(path), named
    if fault.reason:
        assert fault.reason.endswith(".")
        assert len(fault.reason.split()) >= _FEWEST_WORDS
        assert "AWS" in fault.reason or fault.reason.startswith("No approval exists yet")


def test_reasons_are_few_when_the_catalogue_is_read() -> None:
    """What cannot be shown here stays the exception."""
    assert sum(bool(fault.reason) for fault in CATALOGUE) <= _MOST_REASONS


def test_a_number_is_the_catalogues_when_a_docstring_names_it() -> None:
    """A test that says which fault it is about is about one that there is."""
    files = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py"))
    named = {
        int(number)
        for path in files
        for said in found_in(str(path)).values()
        if (found := _NAMED.match(said)) is not None
        for number in re.findall(r"\d+", found[1])
    }
    assert named <= set(range(1, _FAULTS + 1))
    assert named
