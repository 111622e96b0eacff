"""CloseBatch: both ends of the workflow meet here; the batch ends and the flywheel goes on.

Read next: `application.batches.close`.
"""

import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.batches.close import close
from application.chain_heads import write_head

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close an execution's batch; ``failure`` holds what went wrong, if anything did."""
    execution = event["execution"]
    logger.set_correlation_id(f"{execution['flywheel']}-batch-{execution['batch']}")
    failure = execution.get("failure") or {}
    # The state machine passes its own ARN: the stack cannot name it here, since it names this
    # function.
    own_services = services("close_batch", state_machine_arn=event["state_machine_arn"])
    answer = close(
        own_services,
        execution["flywheel"],
        execution["batch"],
        attempt=execution.get("attempt"),
        error=str(failure.get("error", "")),
        cause=_plain(str(failure.get("cause", ""))),
    )
    write_head(own_services, execution["flywheel"])
    return answer


def _plain(cause: str) -> str:
    """Return the message of a function that failed, without its stack trace."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
