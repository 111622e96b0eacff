"""The life of the training process."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from comprehend_engine.errors import EngineStopping, IterationFailedError, WorkerDiedError
from comprehend_engine.training.worker import TaskData, TrainingWorker
from engine_testing.rig import rows


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[TrainingWorker]:
    """Start a training process; end it."""
    worker = TrainingWorker(tmp_path / "training.log")
    worker.warm()
    yield worker
    worker.stop()


@pytest.fixture
def data(tmp_path: Path) -> list[Path]:
    """Write a small file of training data."""
    file = tmp_path / "a.csv"
    file.write_text("".join(f"{label},{text}\n" for label, text in rows(20)))
    return [file]


@pytest.mark.slow
def test_a_model_is_trained_and_tested_when_the_process_is_asked(
    worker: TrainingWorker, data: list[Path], tmp_path: Path
) -> None:
    """Documents are counted on both sides."""
    model = tmp_path / "m.model"
    trained = worker.train(TaskData(data, holds_out=True), model, seed=0)
    tested = worker.evaluate(TaskData(data, holds_out=True), model)
    assert trained.documents + tested.documents == 40
    assert sum(count for *_, count in tested.counts) == tested.documents
    assert worker.evaluate(TaskData(data), model).documents == 40


@pytest.mark.slow
def test_a_recognizer_is_trained_and_tested_when_the_process_is_asked(
    worker: TrainingWorker, tmp_path: Path
) -> None:
    """Annotations lie beside the documents; mentions are counted by type."""
    file = tmp_path / "documents.txt"
    file.write_text("Mary sings\nNobody does\nMary left\n")
    annotations = "File,Line,Begin Offset,End Offset,Type\n" + "".join(
        f"documents.txt,{line},0,4,PERSON\n" for line in (0, 2)
    )
    (tmp_path / "annotations.csv").write_text(annotations)
    model = tmp_path / "m.model"
    trained = worker.train(TaskData([file], "ENTITIES"), model, seed=0)
    assert (trained.documents, trained.mentions) == (3, {"PERSON": 2})
    tested = worker.evaluate(TaskData([file], "ENTITIES"), model)
    assert (tested.documents, [row[0] for row in tested.counts]) == (3, ["PERSON"])


@pytest.mark.slow
def test_the_next_task_gets_a_new_process_when_one_is_killed(
    worker: TrainingWorker, data: list[Path], tmp_path: Path
) -> None:
    """The task in progress gets the error."""
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="code -9; the next task starts a new one"):
        worker.train(TaskData(data), tmp_path / "m.model", seed=0)
    trained = worker.train(TaskData(data), tmp_path / "m.model", seed=0)
    assert trained.documents == 40


@pytest.mark.slow
def test_the_process_lives_on_when_a_task_fails(
    worker: TrainingWorker, data: list[Path], tmp_path: Path
) -> None:
    """A failure and a defect have different messages."""
    before = worker.process_id
    with pytest.raises(IterationFailedError, match=r"none\.model is missing"):
        worker.evaluate(TaskData(data), tmp_path / "none.model")
    with pytest.raises(IterationFailedError, match="FileNotFoundError"):
        worker.train(TaskData([tmp_path / "absent.csv"]), tmp_path / "m", seed=0)
    assert worker.process_id == before
    assert "FileNotFoundError" in (tmp_path / "training.log").read_text()


@pytest.mark.slow
def test_the_waiting_task_gives_way_when_the_worker_is_stopped(
    worker: TrainingWorker, tmp_path: Path
) -> None:
    """A stop does not wait for the training, and no task starts afterwards."""
    pipe = tmp_path / "never.csv"
    os.mkfifo(pipe)
    outcome: list[type[BaseException]] = []

    def ask() -> None:
        try:
            worker.train(TaskData([pipe]), tmp_path / "m.model", seed=0)
        except EngineStopping as stopping:
            outcome.append(type(stopping))

    asking = threading.Thread(target=ask)
    asking.start()
    # Opening a pipe to write waits for its reader: from here on the process is at work.
    with pipe.open("wb"):
        worker.stop()
        asking.join()
    assert outcome == [EngineStopping]
    with pytest.raises(EngineStopping):
        worker.warm()
