import os
import stat
from pathlib import Path

import pytest

from console.environment.running_environment import AlreadyRunningError, LocalFile


def test_the_file_is_for_its_owner_when_it_is_written(tmp_path: Path) -> None:
    """It holds credentials, so nobody else reads it; it is gone at the end."""
    file = LocalFile(tmp_path / ".local")
    with file.held():
        file.write({"AWS_REGION": "eu-west-1"})
        running = file.read()
        assert running is not None
        assert running.pid == os.getpid()
        assert running.variables == {"AWS_REGION": "eu-west-1"}
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert not file.path.exists()


def test_nobody_else_runs_when_it_is_held(tmp_path: Path) -> None:
    """The second one is told, and the first one's file stays."""
    file = LocalFile(tmp_path / ".local")
    with file.held():
        file.write({})
        with pytest.raises(AlreadyRunningError), file.held():
            raise AssertionError("held twice")
        assert file.read() is not None


def test_a_stale_file_is_replaced_when_its_process_was_killed(tmp_path: Path) -> None:
    """What a killed process left is in nobody's way."""
    file = LocalFile(tmp_path / ".local")
    file.folder.mkdir()
    file.path.write_text('{"pid": 999999999, "variables": {}}')
    assert file.read() is None
    with file.held():
        assert not file.path.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x", "variables": {}}'])
def test_nothing_runs_when_the_file_is_not_ours(tmp_path: Path, content: str) -> None:
    """A damaged file counts as none."""
    file = LocalFile(tmp_path)
    file.path.write_text(content)
    assert file.read() is None
