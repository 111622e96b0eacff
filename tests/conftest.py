"""Which tests run in one process, where they run in several."""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_ROOT = Path(__file__).parents[1]
_FUNCTIONS = _ROOT / "tests" / "functions"
"""The longest room: its files are shared among the processes. Each starts one engine for them."""

_SWEEP = _FUNCTIONS / "test_crashes.py"
"""The longest file: its tests are shared among the processes."""


class ByConftest(LoadScopeScheduling):  # type: ignore[misc] # xdist tells no types
    """Keeps tests in one process that share a conftest, so that what it starts is started once."""

    def _split_scope(self, nodeid: str) -> str:
        file = _ROOT / nodeid.split("::", 1)[0]
        if file == _SWEEP:
            return nodeid
        if _FUNCTIONS in file.parents:
            return str(file)
        return str(next(folder for folder in file.parents if (folder / "conftest.py").exists()))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give each process the tests of one conftest after the other."""
    return ByConftest(config, log)
