"""Every way a batch may end has its words, looks and exit code."""

import pytest

from console.errors import OF_OUTCOME
from console.views.verdict import OUTCOME_STYLES
from flywheel.batches.batches import BatchOutcome


@pytest.mark.parametrize("table", [OF_OUTCOME, OUTCOME_STYLES], ids=["exit codes", "styles"])
def test_no_outcome_is_left_out_when_one_is_looked_up(table: dict[BatchOutcome, object]) -> None:
    """Also an EMPTY batch, which has no verdict, is shown by the verbs that look."""
    assert set(table) == set(BatchOutcome)
