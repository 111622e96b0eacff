"""CompareModels: judge the challenger, then carry the verdict out, in two transactions.

The verdict and the intent are stored first; only then is the world read again and, for PROMOTE,
the active model changed and verified. A stored verdict is never made again.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.comprehend import Iteration
from adapters.crash_points import crash_point
from adapters.judgement import record_outcome
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from adapters.ports import FlywheelService
from adapters.services import Services, services
from flywheel.batches import BatchOutcome, BatchState
from flywheel.errors import ConcurrentChangeError
from flywheel.evidence import Evidence, averages
from flywheel.policy_settings import Policy
from flywheel.verdict import Decision, decide

logger = Logger()
tracer = Tracer()

_OUTCOMES = {Decision.REJECT: BatchOutcome.REJECTED, Decision.HOLD: BatchOutcome.HELD}


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the models of an execution's iteration and act on the verdict."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    return compare(services("compare_models"), event["flywheel"], event["batch"])


def compare(services: Services, flywheel: str, number: int) -> dict[str, Any]:
    """Judge a batch's iteration and act, from whatever state the ledger has it in."""
    ledger = services.ledger
    batch = ledger.batches.get(flywheel, number)
    if batch.state in {BatchState.JUDGED, BatchState.CLOSED}:
        return {"outcome": batch.outcome}
    known = services.flywheel(flywheel)
    row = ledger.flywheels.ensure(flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    stored = ledger.batches.verdict(batch) or _judge(
        services, comprehend, batch, known.settings.policy
    )
    crash_point("compare_models.verdict_stored")
    outcome, is_changed_outside = _carry_out(comprehend, stored)
    crash_point("compare_models.carried_out")
    record_outcome(services, batch, row, stored, outcome, is_changed_outside=is_changed_outside)
    return {"outcome": outcome}


def _judge(
    services: Services, comprehend: FlywheelService, batch: BatchRow, policy: Policy
) -> StoredVerdict:
    """Transaction 1: the verdict, the policy's hash and the champion that a promotion expects."""
    iteration = comprehend.iteration(batch.iteration_id or "")
    champion = _champion(comprehend, iteration)
    evidence = Evidence(
        champion_arn=champion,
        champion=averages(iteration.evaluated_metrics) if champion else None,
        challenger_arn=iteration.trained_model,
        challenger=averages(iteration.trained_metrics),
        has_test_set=comprehend.has_test_dataset(),
    )
    verdict = decide(evidence, policy)
    return services.ledger.batches.store_verdict(batch, verdict, champion, services.now())


def _champion(comprehend: FlywheelService, iteration: Iteration) -> str | None:
    """Return the model that the challenger must beat; None only where none is active.

    An iteration may leave out what it evaluated. Then an active model is the champion all the
    same, without metrics, so that the verdict is HOLD and not that of a first model. The service
    may make a first model active by itself: that is no champion.
    """
    if iteration.evaluated_model is not None:
        return iteration.evaluated_model
    active = comprehend.describe().active_model
    return None if active == iteration.trained_model else active


def _carry_out(comprehend: FlywheelService, stored: StoredVerdict) -> tuple[BatchOutcome, bool]:
    """Do what the verdict says; returns the outcome and whether the champion changed outside.

    UpdateFlywheel is a blind write, so the active model is read before and after it. A challenger
    that is active already is our own write of an earlier try, or the service's after a first
    iteration; either way there is nothing left to do.
    """
    if stored.verdict.decision is not Decision.PROMOTE:
        return _OUTCOMES[stored.verdict.decision], False
    challenger = stored.verdict.evidence.challenger_arn or ""
    active = comprehend.describe().active_model
    if active == challenger:
        return BatchOutcome.PROMOTED, False
    if active != stored.expected_champion:
        return BatchOutcome.HELD, True
    comprehend.make_active(challenger)
    crash_point("compare_models.made_active")
    if comprehend.describe().active_model != challenger:
        raise ConcurrentChangeError("UpdateFlywheel was accepted, but the active model is another")
    return BatchOutcome.PROMOTED, False
