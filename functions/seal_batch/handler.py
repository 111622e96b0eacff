"""SealBatch: decide once what a batch holds, and hand it to the service as datasets.

Read next: `application.batches.seal`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.batches.seal import seal
from application.error_handling import quoting_no_document

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Seal the batch of an execution and create its datasets."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    with quoting_no_document():
        return seal(services("seal_batch"), event["flywheel"], event["batch"])
