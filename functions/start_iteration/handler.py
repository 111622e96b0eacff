"""StartIteration: tell people, then start the flywheel's iteration, once.

Read next: `application.batches.start`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.batches.start import start

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start the iteration of an execution's batch."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    return start(
        services("start_iteration"), event["flywheel"], event["batch"], event.get("looks_left")
    )
