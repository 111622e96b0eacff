"""Executions that began before a deploy: their events are those of an earlier definition.

`test_written` plays every story with the recorded definition. Here a definition of an earlier
release is played, whose payloads have less in them.
"""

import copy
from collections.abc import Iterator

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from flywheel.batches.batches import BatchOutcome
from flywheel.errors import FlywheelLoopError
from tests.functions.world import NAME
from tests.stored.pinned import SteadyClock, running_engine
from tests.stored.samples import as_stored, recorded
from tests.stored.stage import Document, stage_of
from tests.stored.stories import better, live

_NEWER = {"attempt.$", "looks_left.$", "is_waited_for.$"}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteadyClock]:
    """Run an engine of its own."""
    with running_engine(tmp_path_factory.mktemp("engine")) as clock:
        yield clock


@pytest.fixture(scope="module")
def workflow() -> Document:
    """Return the recorded definition."""
    (definition,) = as_stored(recorded("deployed")["workflow"])
    found: Document = definition
    return found


@pytest.mark.slow
def test_an_execution_ends_well_when_its_payloads_are_of_an_earlier_release(
    clock: SteadyClock, workflow: Document
) -> None:
    """Without the attempt, the looks that are left, and whether answers are waited for."""
    earlier = copy.deepcopy(workflow)
    for state in earlier["States"].values():
        for name in _NEWER & state.get("Parameters", {}).keys():
            del state["Parameters"][name]
    with stage_of("earlier", clock, earlier) as stage:
        live(stage)
        better(stage)
        assert stage.executed() == ""
        batches = stage.services.ledger.batches
        assert [batches.get(NAME, number).outcome for number in (1, 2)] == [
            BatchOutcome.PROMOTED,
            BatchOutcome.PROMOTED,
        ]


@pytest.mark.slow
@pytest.mark.parametrize("function", sorted(recorded("tasks")))
def test_a_function_takes_an_event_when_it_was_recorded(
    clock: SteadyClock, workflow: Document, function: str
) -> None:
    """In an account without batches it may refuse, by an error of ours and by no other."""
    with stage_of(f"events-{function}", clock, workflow) as stage:
        for sample in as_stored(recorded("tasks")[function]):
            try:
                stage.call(function, sample["event"])
            except (FlywheelLoopError, BatchProcessingError) as refusal:
                assert "KeyError" not in str(refusal)
