"""The rendered workflow, played from its input to its end with tasks that answer as they are told.

What the simulator's interpreter runs is the synthesized definition. A case says what tasks answer
where it is not the usual thing, and what was called then.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from application.batches.workflow import execution_input
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from flywheel.batches.batches import BatchState
from flywheel.settings.environment import ReceivedSettings
from tests.infra.synthesis import Synthesized
from tests.simulation.simulator import Simulator
from tests.simulation.state_machine import Document, StateFailedError, StateMachine

JOB = "describeDocumentClassificationJob"
DETECTION = "describeEntitiesDetectionJob"
ITERATION = "describeFlywheelIteration"
BUSY = StateFailedError("Comprehend.TooManyRequestsException", "slow down")
LOOKS = 5

SETTINGS = ReceivedSettings.from_document(
    {
        "name": "tickets",
        "batch": {
            "quiet_seconds": 60,
            "max_gather_minutes": 3,
            "poll_seconds": 720,
            "iteration_deadline_hours": 1,
        },
    }
)
"""Five looks for an iteration, two more at what is registered."""

BATCH = BatchRow("tickets", 1, BatchState.OPEN, 1, "2026-01-01T00:00:00+00:00", 7)


def dataset(status: str, **more: str) -> Document:
    """Return what DescribeDataset answers."""
    return {"DatasetProperties": {"Status": status, **more}}


def iteration(status: str, **more: str) -> Document:
    """Return what DescribeFlywheelIteration answers."""
    return {"FlywheelIterationProperties": {"Status": status, **more}}


def job(status: str) -> Document:
    """Return what DescribeDocumentClassificationJob answers."""
    return {"DocumentClassificationJobProperties": {"JobStatus": status}}


USUAL: dict[str, list[Any]] = {
    "getItem": [{"Item": {"registrations": {"N": "7"}}}],
    "SealBatch": [{"is_empty": False, "datasets": ["train", "test"]}],
    "describeDataset": [dataset("COMPLETED")],
    "StartIteration": [
        {"is_started": True, "iteration_id": "i", "wait_seconds": 9, "looks_left": LOOKS}
    ],
    ITERATION: [iteration("COMPLETED")],
    "CompareModels": [{"outcome": "PROMOTED"}],
    "AskApproval": [{}],
    JOB: [job("COMPLETED")],
    DETECTION: [{"EntitiesDetectionJobProperties": {"JobStatus": "COMPLETED"}}],
    "CloseBatch": [{"outcome": "PROMOTED"}],
}
"""What each task answers, one after the other; the last answer is given again and again."""

_TASKS = {
    "getItem": "dynamodb:getItem",
    "AskApproval": "lambda:invoke.waitForTaskToken",
    **{name: f"aws-sdk:comprehend:{name}" for name in (JOB, DETECTION, ITERATION)},
    "describeDataset": "aws-sdk:comprehend:describeDataset",
}


@dataclass(slots=True)
class Played:
    """An execution that was played.

    Parameters
    ----------
    calls : list of tuple
        Task and what it was given, in order.
    error, cause : str
        How it ended; empty where it succeeded.
    took : timedelta
    """

    calls: list[tuple[str, Document]] = field(default_factory=list)
    error: str = ""
    cause: str = ""
    took: timedelta = timedelta()

    def given(self, task: str) -> list[Document]:
        """Return what a task was given, each time."""
        return [given for name, given in self.calls if name == task]

    @property
    def functions(self) -> list[str]:
        """The functions that were called, in order."""
        return [name for name, _ in self.calls if name[0].isupper()]

    @property
    def failure(self) -> Any:
        """What CloseBatch was told went wrong, the last time."""
        return self.given("CloseBatch")[-1]["execution"].get("failure")


def play(stack: Synthesized, **answers: Sequence[Any]) -> Played:
    """Play an execution; tasks that are not named answer as usual."""
    simulator, played = Simulator(0, is_calm=True), Played()
    left = {name: list(given) for name, given in {**USUAL, **answers}.items()}

    def task(name: str) -> Any:
        def answer(given: Document) -> Any:
            played.calls.append((name, given))
            found = left[name].pop(0) if len(left[name]) > 1 else left[name][0]
            if isinstance(found, BaseException):
                raise found
            return found

        return answer

    tasks = {_TASKS.get(name, name): task(name) for name in USUAL}
    machine = StateMachine(simulator, tasks, {"StateMachine": {"Id": "arn:machine"}})

    def run() -> None:
        known = KnownFlywheel("arn:flywheel", SETTINGS)
        document = execution_input(known, "arn:flywheel", BATCH)
        began = simulator.now
        try:
            machine.run(stack.workflow(), json.loads(document))
        except StateFailedError as error:
            played.error, played.cause = error.name, error.cause
        played.took = simulator.now - began

    simulator.later(0, run)
    simulator.agenda.run(simulator.now + timedelta(days=30))
    return played


def test_the_batch_is_closed_when_all_goes_well(dev: Synthesized) -> None:
    """Each function once, and CloseBatch is told of no failure."""
    played = play(dev)
    assert played.functions == ["SealBatch", "StartIteration", "CompareModels", "CloseBatch"]
    assert (played.error, played.failure) == ("", None)
    assert played.given("CompareModels")[0]["is_waited_for"] is False
    assert played.given("CloseBatch")[0]["state_machine_arn"] == "arn:machine"


def test_nothing_is_started_when_the_batch_is_empty(dev: Synthesized) -> None:
    """It is closed at once, without a failure."""
    played = play(dev, SealBatch=[{"is_empty": True, "datasets": []}])
    assert played.functions == ["SealBatch", "CloseBatch"]
    assert (played.error, played.failure) == ("", None)


@pytest.mark.parametrize(
    ("seen", "looks"),
    [
        (["7"], 1),
        (["8", "9", "9"], 3),
        (["8", "9", "10", "11", "12"], 3),
        ([None], 1),
        ([StateFailedError("DynamoDB.SdkClientException", "lost")], 1),
    ],
    ids=["quiet", "then quiet", "never quiet", "no row", "no answer"],
)
def test_the_batch_is_sealed_when_uploads_have_gathered(
    dev: Synthesized, seen: list[Any], looks: int
) -> None:
    """Until nothing comes any more, or `max_gather_minutes` are over; whatever a look says."""

    def row(number: Any) -> Any:
        is_number = isinstance(number, str)
        return {"Item": {"registrations": {"N": number}}} if is_number else number or {}

    played = play(dev, getItem=[row(number) for number in seen])
    assert len(played.given("getItem")) == looks
    assert (played.functions[0], played.error) == ("SealBatch", "")


@pytest.mark.parametrize(
    ("answers", "error", "cause"),
    [
        ({"describeDataset": [dataset("FAILED", Message="bad rows")]}, "DatasetFailed", "bad rows"),
        ({"describeDataset": [dataset("FAILED")]}, "DatasetFailed", "no reason"),
        ({"describeDataset": [dataset("CREATING")]}, "DatasetDeadlineExceeded", "not complete"),
        ({"describeDataset": [BUSY]}, "DatasetDeadlineExceeded", "not complete"),
        ({"StartIteration": [{"is_started": False}]}, "TurnDeadlineExceeded", "Another iteration"),
        ({ITERATION: [iteration("FAILED", Message="no data")]}, "IterationFAILED", "no data"),
        ({ITERATION: [iteration("FAILED")]}, "IterationFAILED", "no reason"),
        ({ITERATION: [iteration("STOPPED", Message="by hand")]}, "IterationSTOPPED", "by hand"),
        ({ITERATION: [iteration("TRAINING")]}, "IterationDeadlineExceeded", "still runs"),
        ({ITERATION: [BUSY]}, "IterationDeadlineExceeded", "still runs"),
    ],
)
def test_the_batch_fails_when_the_service_does_not_do_it(
    dev: Synthesized, answers: dict[str, Any], error: str, cause: str
) -> None:
    """CloseBatch is told what, and the execution ends so; nothing is compared."""
    played = play(dev, **answers)
    assert played.functions[-1] == "CloseBatch"
    assert "CompareModels" not in played.functions
    assert (played.failure["error"], played.error) == (error, error)
    assert cause in played.failure["cause"]


@pytest.mark.parametrize(
    ("task", "before"),
    [
        ("SealBatch", []),
        ("describeDataset", ["SealBatch"]),
        ("StartIteration", ["SealBatch"]),
        (ITERATION, ["SealBatch", "StartIteration"]),
        ("CompareModels", ["SealBatch", "StartIteration"]),
    ],
)
def test_the_batch_is_closed_when_a_task_is_refused(
    dev: Synthesized, task: str, before: list[str]
) -> None:
    """An error that no retry is for: whatever state it comes from, the batch does not stay open."""
    played = play(dev, **{task: [StateFailedError("ServiceRefusedError", "not allowed")]})
    called = [task] if task[0].isupper() else []
    assert played.functions == [*before, *called, "CloseBatch"]
    assert played.failure == {"error": "ServiceRefusedError", "cause": "not allowed"}
    assert (played.error, played.cause) == ("ServiceRefusedError", "not allowed")


@pytest.mark.parametrize(
    ("name", "tries"),
    [
        ("ServiceBusyError", 8),
        ("ConcurrentChangeError", 8),
        ("Lambda.TooManyRequestsException", 8),
        ("Lambda.SdkClientException", 6),
        ("Lambda.Unknown", 3),
        ("Sandbox.Timedout", 3),
        ("ServiceRefusedError", 0),
    ],
)
@pytest.mark.parametrize("task", ["SealBatch", "StartIteration", "CompareModels", "CloseBatch"])
def test_a_function_is_called_again_when_its_trouble_may_pass(
    dev: Synthesized, task: str, name: str, tries: int
) -> None:
    """So often and not once more; the last one to close a batch has nobody behind it."""
    trouble = StateFailedError(name, "trouble")
    played = play(dev, **{task: [trouble] * tries + USUAL[task]})
    assert (len(played.given(task)), played.error, played.failure) == (tries + 1, "", None)
    played = play(dev, **{task: [trouble] * (tries + 1) + USUAL[task]})
    assert (len(played.given(task)), played.error) == (tries + 1, name)


ANSWERS_WANTED = [
    {"jobs": [{"id": "one", "is_detection": False}, {"id": "two", "is_detection": True}]},
    {"outcome": "PROMOTED"},
]


@pytest.mark.parametrize(
    ("answers", "looks"),
    [
        ([job("COMPLETED")], 1),
        ([job("SUBMITTED"), BUSY, job("COMPLETED")], 3),
        ([job("FAILED")], 1),
        ([job("STOPPED")], 1),
        ([job("IN_PROGRESS")], LOOKS + 1),
        ([BUSY], LOOKS + 1),
    ],
    ids=["completed", "later", "failed", "stopped", "never", "busy"],
)
def test_the_models_are_compared_again_when_their_jobs_have_ended(
    dev: Synthesized, answers: list[Any], looks: int
) -> None:
    """A job that failed, or that never ends, is no failure of the batch: the comparison says so."""
    played = play(dev, CompareModels=ANSWERS_WANTED, **{JOB: answers})
    assert len(played.given(JOB)) == looks
    assert {given["JobId"] for given in played.given(JOB)} == {"one"}
    assert [given["JobId"] for given in played.given(DETECTION)] == ["two"]
    compared = [given["is_waited_for"] for given in played.given("CompareModels")]
    assert (compared, played.error, played.failure) == ([False, True], "", None)


@pytest.mark.parametrize("task", [JOB, DETECTION])
def test_the_batch_is_closed_when_a_job_cannot_be_looked_at(dev: Synthesized, task: str) -> None:
    """It does not stay open, and is not compared by answers that nobody saw end."""
    gone = StateFailedError("Comprehend.JobNotFoundException", "no such job")
    played = play(dev, CompareModels=ANSWERS_WANTED, **{task: [gone]})
    assert len(played.given("CompareModels")) == 1
    assert played.functions[-1] == "CloseBatch"
    assert played.failure == {"error": gone.name, "cause": "no such job"}


ASKED = [{"approval_seconds": 7200}, {"outcome": "HELD"}]


def test_silence_is_no_failure_when_a_person_was_asked(dev: Synthesized) -> None:
    """The comparison looks again, when the time is over, and says what silence means."""
    played = play(dev, CompareModels=ASKED)
    assert played.functions[-4:] == ["CompareModels", "AskApproval", "CompareModels", "CloseBatch"]
    assert (played.error, played.failure) == ("", None)
    assert timedelta(hours=2) <= played.took < timedelta(hours=3)
    (asked,) = played.given("AskApproval")
    assert asked["Payload"]["token"]


def test_the_batch_fails_when_nobody_could_be_asked(dev: Synthesized) -> None:
    """That is told, and is not taken for silence."""
    refused = StateFailedError("ServiceRefusedError", "the topic is gone")
    played = play(dev, CompareModels=ASKED, AskApproval=[refused])
    assert len(played.given("CompareModels")) == 1
    assert played.failure == {"error": "ServiceRefusedError", "cause": "the topic is gone"}
