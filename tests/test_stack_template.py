"""What the functions take for granted of the stack is what its template says."""

from flywheel.batches.batches import LONGEST_CALL
from flywheel.batches.uploads import MOST_DELIVERIES
from tests.stack_template import function_timeouts, resources


def test_no_function_outlives_the_longest_call_when_the_stack_is_deployed() -> None:
    """After it a dataset that was not created will never be."""
    assert max(function_timeouts().values()) == LONGEST_CALL.total_seconds()


def test_an_upload_is_delivered_as_often_as_is_counted_when_the_stack_is_deployed() -> None:
    """Reconcile refuses an upload whose deliveries are used up."""
    queue = resources("AWS::SQS::Queue")["InboxUploadsQueue"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == MOST_DELIVERIES
