"""What the workflow takes a service's status for, also one that it has never heard of."""

from typing import Any

import pytest

from tests.infra.synthesis import Synthesized


def next_of(state: dict[str, Any], status: str) -> str:
    """Return where a Choice goes at a status, without a message."""
    for choice in state["Choices"]:
        tests = choice.get("Or", [choice])
        if any(test.get("StringEquals") == status for test in tests):
            return str(choice["Next"])
    return str(state["Default"])


@pytest.mark.parametrize(
    "status", ["TRAINING", "EVALUATING", "STOP_REQUESTED", "PAUSED_BY_AWS", ""]
)
def test_it_is_looked_again_when_a_status_is_not_known(dev: Synthesized, status: str) -> None:
    """Never taken for a success, and ended by the deadline if it stays."""
    states = dev.states()
    assert next_of(states["IsIterationOver"], status) == "IsIterationLookLeft"
    assert next_of(states["IsDatasetComplete"], status) == "IsDatasetLookLeft"


def test_models_are_compared_when_the_iteration_is_complete(dev: Synthesized) -> None:
    """And in no other case; one that failed or was stopped ends the batch."""
    over = dev.states()["IsIterationOver"]
    assert next_of(over, "COMPLETED") == "NoAnswersYet"
    assert dev.states()["NoAnswersYet"]["Next"] == "CompareModels"
    assert {next_of(over, status) for status in ("FAILED", "STOPPED")} == {"IsReasonGiven"}
