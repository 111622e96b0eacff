"""Whose the engine's data directory is."""

from pathlib import Path

import pytest

from local.comprehend.data_directory import DataDirectory, DirectoryInUseError


def test_it_is_its_owners_alone_when_it_is_made(tmp_path: Path) -> None:
    """Nobody else may read documents there, or put a model there to be loaded."""
    place = tmp_path / "above" / "state"
    DataDirectory(place).release()
    assert place.stat().st_mode & 0o777 == 0o700


def test_it_is_free_again_when_its_engine_has_released_it(tmp_path: Path) -> None:
    """One engine at a time; the refusal names the process that has it."""
    first = DataDirectory(tmp_path)
    with pytest.raises(DirectoryInUseError, match=r"another engine \(process \d+\)"):
        DataDirectory(tmp_path)
    first.release()
    DataDirectory(tmp_path).release()
