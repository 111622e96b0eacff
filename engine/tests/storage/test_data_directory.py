"""Whose the engine's data directory is."""

import os
from pathlib import Path

import pytest

from comprehend_engine.storage.data_directory import (
    DataDirectory,
    DirectoryInUseError,
    DirectoryNotPrivateError,
)


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


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_it_is_refused_when_others_may_write_there(tmp_path: Path, mode: int) -> None:
    """Whoever writes a model decides its predictions; the message has a remedy."""
    place = tmp_path / "state"
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(DirectoryNotPrivateError, match=f"chmod go-w {place} "):
        DataDirectory(place)
    assert not (place / "engine.lock").exists()


def test_it_is_refused_when_a_folder_in_it_is_everybodys(tmp_path: Path) -> None:
    """For example the folder of the models."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models").chmod(0o777)
    with pytest.raises(DirectoryNotPrivateError, match="models"):
        DataDirectory(tmp_path)


@pytest.mark.parametrize("whose", [".", "models", "models/a.model"])
def test_it_is_refused_when_it_is_another_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """It, or anything in it."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.model").touch()
    lstat, place = Path.lstat, tmp_path / whose

    def of_another_user(path: Path) -> os.stat_result:
        status = lstat(path)
        return os.stat_result((*status[:4], status.st_uid + (path == place), *status[5:]))

    monkeypatch.setattr(Path, "lstat", of_another_user)
    with pytest.raises(DirectoryNotPrivateError, match="belongs to user"):
        DataDirectory(tmp_path)


def test_it_is_accepted_when_its_files_are_its_users_groups(tmp_path: Path) -> None:
    """Many users have a group of their own, and a umask that lets it write."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models").chmod(0o775)
    DataDirectory(tmp_path).release()
