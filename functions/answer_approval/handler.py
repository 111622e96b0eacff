"""AnswerApproval: a person's yes or no to a verdict, written down first and then sent.

Read next: `application.approvals`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.caller_identity import actor_of
from adapters.wiring import services
from application.approvals import answer, send_again
from application.error_handling import answer_refusals
from flywheel.errors import UnprovenIdentityError

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context(log_event=False, clear_state=True)
@tracer.capture_lambda_handler
@answer_refusals(UnprovenIdentityError)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take a person's answer, or send one again that did not reach the workflow."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    own_services = services("answer_approval")
    if "answer" in event:
        actor = actor_of(event, context.invoked_function_arn, own_services.now())
        return answer(own_services, {**event, "actor": actor})
    return send_again(own_services, event["flywheel"], event["batch"])
