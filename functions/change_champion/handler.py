"""ChangeChampion: a person's rollback or promotion, from intent to notice.

Read next: `application.champion_changes`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.caller_identity import actor_of
from adapters.wiring import services
from application.chain_heads import write_head
from application.champion_changes import change
from application.error_handling import answer_refusals
from flywheel.errors import UnprovenIdentityError

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context(log_event=False, clear_state=True)
@tracer.capture_lambda_handler
@answer_refusals(UnprovenIdentityError)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Change a flywheel's champion, or carry a change on that was cut off."""
    logger.set_correlation_id(f"{event['flywheel']}-champion")
    own_services = services("change_champion")
    if "act" in event:
        actor = actor_of(event, context.invoked_function_arn, own_services.now())
        event = {**event, "actor": actor}
    answer = change(own_services, event)
    write_head(own_services, event["flywheel"])
    return answer
