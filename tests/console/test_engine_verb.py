"""The words for what keeps the engine from starting; engine/tests has the processes."""

import errno
from pathlib import Path

import pytest

from console.engine_verb import EngineChoice, _explained, run_engine
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.terminal import Terminal

CHOICE = EngineChoice(4577, Path("state"), None, 0.2, allows_faults=False)


def test_a_full_disk_is_told_in_a_sentence_when_the_engine_starts() -> None:
    """What is full, and what to do."""
    error = _explained(CHOICE, OSError(errno.ENOSPC, "No space left on device", "state/x"))
    assert error.code is ExitCode.CLOUD
    assert str(error) == "--data state: its disk is full. Make room on it."


def test_the_reason_is_the_systems_when_it_is_another() -> None:
    """Such as a directory that nobody may write."""
    error = _explained(CHOICE, PermissionError(errno.EACCES, "Permission denied", "state"))
    assert error.code is ExitCode.USAGE
    assert str(error) == "--data state: Permission denied. Choose a directory that can be written."


def test_the_command_that_helps_is_named_when_others_may_write_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is wrong usage, and nothing is started."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "here")
    tmp_path.chmod(0o777)
    choice = EngineChoice(0, tmp_path, "http://127.0.0.1:1", 0.2, allows_faults=False)
    with pytest.raises(CommandError, match=f"chmod go-w {tmp_path} ") as refused:
        run_engine(Terminal(is_json=False), choice)
    assert refused.value.code is ExitCode.USAGE


def test_the_option_is_named_when_the_address_of_s3_is_no_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is wrong usage, and nothing is started."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "here")
    choice = EngineChoice(0, tmp_path / "state", "nonsense", 0.2, allows_faults=False)
    with pytest.raises(CommandError, match="--s3-endpoint nonsense: it is no URL") as told:
        run_engine(Terminal(is_json=False), choice)
    assert told.value.code is ExitCode.USAGE
    assert not choice.data.exists()
