"""Which tests run in one process, where they run in several."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests together that share a conftest: what it starts is started once, and theirs."""
    for item in items:
        folder = next(folder for folder in item.path.parents if (folder / "conftest.py").exists())
        item.add_marker(pytest.mark.xdist_group(str(folder.relative_to(_TESTS))))


_TESTS = Path(__file__).parent
