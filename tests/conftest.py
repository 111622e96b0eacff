"""Which tests run in one process, where they run in several."""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_ROOT = Path(__file__).parents[1]
_SPREAD = "tests/functions/test_crashes.py"
"""Takes as long as all others of its folder: each of its tests may run in any process."""


class ByConftest(LoadScopeScheduling):  # type: ignore[misc] # xdist tells no types
    """Keeps tests together that share a conftest: what it starts is started once, and theirs."""

    def _split_scope(self, nodeid: str) -> str:
        file = _ROOT / nodeid.split("::", 1)[0]
        if file == _ROOT / _SPREAD:
            return nodeid
        return str(next(folder for folder in file.parents if (folder / "conftest.py").exists()))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give each process the tests of one conftest after the other."""
    return ByConftest(config, log)
