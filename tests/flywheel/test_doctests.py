import doctest
import importlib
import pkgutil

import pytest

import flywheel

MODULES = sorted(module.name for module in pkgutil.walk_packages(flywheel.__path__, "flywheel."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold_when_docstrings_are_run(name: str) -> None:
    """Every example in a docstring of the domain gives what it says."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_domain_has_examples_when_docstrings_are_read() -> None:
    """The run of the examples above does find examples."""
    finder = doctest.DocTestFinder()
    found = [
        test
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        if test.examples
    ]
    assert len(found) >= 8
