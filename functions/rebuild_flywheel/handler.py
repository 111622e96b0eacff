"""RebuildFlywheel: the next generation of a flywheel, from all accepted, not withdrawn rows.

Read next: `application.rebuilds.rebuild`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.rebuilds.rebuild import rebuild
from flywheel.errors import ConcurrentChangeError

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry a flywheel's rebuild on as far as it goes now."""
    logger.set_correlation_id(f"{event['flywheel']}-rebuild")
    own_services, flywheel = services("rebuild_flywheel"), event["flywheel"]
    try:
        return rebuild(own_services, flywheel)
    except ConcurrentChangeError as error:
        # A person and the schedule call at the same time: whoever was first has carried it on.
        logger.info("another call was first", extra={"reason": str(error)})
        row = own_services.ledger.flywheels.get(flywheel)
        return {"step": row.rebuild.step if row and row.rebuild else None}
