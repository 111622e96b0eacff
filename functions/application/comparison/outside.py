"""Judge an iteration that nobody's batch started: a verdict and a notice, and never a promotion.

`reconcile` asks for it, once an iteration of the console has completed. Decides as for a batch;
what would be done is told, with the command by which a person does it.
"""

from typing import Any

from application.comparison.gathering import evidence_of
from application.services import Services
from flywheel.evaluation.verdict import decide
from flywheel.notices.champions import outside_judged


def judge_outside(services: Services, flywheel: str, iteration_id: str) -> dict[str, Any]:
    """Judge an outside iteration, once.

    Returns
    -------
    dict
        ``decision``; None where it was judged before, or belongs to a batch.
    """
    ledger, known = services.ledger, services.flywheel(flywheel)
    if not ledger.flywheels.is_unjudged(flywheel, iteration_id):
        return {"decision": None}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    evidence = evidence_of(services, known, row, comprehend.iteration(iteration_id))
    verdict = decide(evidence, known.settings.policy)
    notice = outside_judged(
        services.configuration.environment,
        flywheel,
        iteration_id,
        verdict,
        comprehend.describe().active_model,
    )
    ledger.flywheels.judge_outside_iteration(
        flywheel, iteration_id, verdict, notice, services.now()
    )
    services.notices.publish(flywheel, notice)
    return {"decision": verdict.decision}
