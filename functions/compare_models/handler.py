"""CompareModels: judge the challenger, then carry the verdict out, in two transactions.

Read next: `application.comparison.compare`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.chain_heads import write_head
from application.comparison.compare import compare, judge_outside
from application.error_handling import quoting_no_document

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the models of an execution's iteration and act, or judge one from outside."""
    own_services = services("compare_models")
    name = event.get("iteration") or f"batch-{event['batch']}"
    logger.set_correlation_id(f"{event['flywheel']}-{name}")
    with quoting_no_document():
        if "iteration" in event:
            answer = judge_outside(own_services, event["flywheel"], event["iteration"])
        else:
            answer = compare(
                own_services,
                event["flywheel"],
                event["batch"],
                is_waited_for=event.get("is_waited_for", False),
            )
    write_head(own_services, event["flywheel"])
    return answer
