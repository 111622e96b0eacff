"""Reconcile: repair what events, crashes and time leave behind.

Read next: `application.reconciliation.reconcile`.
"""

import json
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.error_handling import Failures
from application.reconciliation.reconcile import reconcile, send_digests

logger = Logger()
tracer = Tracer()
metrics = Metrics()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Send the digests that are due, or look at everything."""
    own_services, failures = services("reconcile"), Failures()
    if "Records" in event:
        flywheels = {json.loads(record["body"])["flywheel"] for record in event["Records"]}
        notices = 0
        for flywheel in sorted(flywheels):
            with failures.held_back("digests", flywheel=flywheel):
                notices += send_digests(own_services, flywheel)
        counts = {"notices": notices}
    else:
        counts = reconcile(own_services, failures)
        metrics.add_metric(name="reconciled_runs", unit=MetricUnit.Count, value=1)
    for name, count in counts.items():
        metrics.add_metric(name=f"reconciled_{name}", unit=MetricUnit.Count, value=count)
    logger.info("reconciled", extra={"found": counts})
    # After the metrics: alarms on them must not go blind while one thing keeps failing.
    failures.raise_first()
    return counts
