"""What one iteration shows, gathered from the service for `flywheel.verdict.decide`.

Decides who the champion is; judges nothing.
"""

from adapters.comprehend import Iteration
from adapters.ports import FlywheelService
from flywheel.verdict import Evidence, averages


def evidence_of(comprehend: FlywheelService, iteration: Iteration) -> Evidence:
    """Return the evidence of an iteration that has ended."""
    champion = _champion(comprehend, iteration)
    return Evidence(
        champion_arn=champion,
        champion=averages(iteration.evaluated_metrics) if champion else None,
        challenger_arn=iteration.trained_model,
        challenger=averages(iteration.trained_metrics),
        has_test_set=comprehend.has_test_dataset(),
    )


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
