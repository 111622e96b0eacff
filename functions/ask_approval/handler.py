"""AskApproval: ask people whether a challenger goes live, and keep the task's token.

Read next: `application.approvals`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.approvals import ask

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask about the verdict of an execution's batch."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    return ask(
        services("ask_approval"),
        event["flywheel"],
        event["batch"],
        attempt=event["attempt"],
        token=event["token"],
    )
