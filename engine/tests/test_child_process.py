"""The life of a process that answers for the engine."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import comprehend_engine
from comprehend_engine.child_process import ChildProcess
from comprehend_engine.errors import EngineError, WorkCancelledError

MODULE = "comprehend_engine.inference.process"
PACKAGE = Path(comprehend_engine.__path__[0]).parent


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    """Have a process that reads models."""
    child = ChildProcess("test process", MODULE, tmp_path / "child.log")
    yield child
    child.stop()


def held_up(child: ChildProcess, file: Path, owner: str, outcomes: list[str]) -> threading.Thread:
    """Start a task on a model whose file is a pipe without a writer."""

    def ask() -> None:
        try:
            child.ask({"do": "warm", "model_file": str(file), "texts": []}, owner=owner)
        except EngineError as error:
            outcomes.append(f"{owner}: {type(error).__name__}")

    asking = threading.Thread(target=ask)
    asking.start()
    return asking


def test_work_ends_in_the_middle_when_it_is_cancelled(child: ChildProcess, tmp_path: Path) -> None:
    """What waits for its turn gives way without it; others get a new process."""
    pipe, outcomes = tmp_path / "model", list[str]()
    os.mkfifo(pipe)
    first = held_up(child, pipe, "first", outcomes)
    # Opening a pipe to write waits for its reader: from here on the process is at work.
    with pipe.open("wb"):
        before = child.process_id
        second = held_up(child, pipe, "second", outcomes)
        child.cancel("second")
        second.join()
        assert outcomes == ["second: WorkCancelledError"]
        child.cancel("first")
        first.join()
    assert outcomes == ["second: WorkCancelledError", "first: WorkCancelledError"]
    child.warm()
    assert child.process_id not in (None, before)
    with pytest.raises(WorkCancelledError):
        child.ask({"do": "warm", "model_file": "any", "texts": []}, owner="first")


def test_nothing_happens_when_what_is_cancelled_is_not_at_work(child: ChildProcess) -> None:
    """The process lives on for those who are."""
    child.warm()
    before = child.process_id
    child.cancel("nobody")
    assert child.process_id == before


def test_the_child_imports_what_its_engine_imports_when_another_copy_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paths are those of this process, in their order."""
    (tmp_path / "answering.py").write_text(
        "for line in iter(input, None): print(line, flush=True)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    child = ChildProcess("test process", "answering", tmp_path / "child.log")
    try:
        assert child.ask({"do": "warm"}) == {"do": "warm"}
    finally:
        child.stop()


def test_the_child_ends_in_the_middle_when_its_engine_is_gone(tmp_path: Path) -> None:
    """A killed engine cannot send anything: the end of the input suffices."""
    pipe = tmp_path / "model"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-m", MODULE],
        cwd=PACKAGE,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdin is not None
        child.stdin.write(f'{{"do": "warm", "model_file": "{pipe}", "texts": []}}\n')
        child.stdin.flush()
        with pipe.open("wb"):
            child.stdin.close()
            assert child.wait(timeout=30) == 0
