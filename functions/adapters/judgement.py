"""Write down a verdict and what came of it: both transactions, the document and the notice.

Used by the function that carries verdicts out, and by the one that closes batches where the first
died after it had acted. Decides nothing. Read next: `flywheel.verdict_document` and
`flywheel.batch_notices`.
"""

from adapters.comprehend import Iteration
from adapters.crash_points import crash_point
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from adapters.ledger.flywheel_rows import FlywheelRow
from adapters.ports import FlywheelService
from adapters.services import Services
from flywheel.batch_notices import BatchFacts, judged
from flywheel.batches import BatchOutcome
from flywheel.policy_settings import Policy
from flywheel.verdict import Verdict
from flywheel.verdict_document import (
    FIRST_SHA256,
    IterationNumbers,
    JudgedTestSet,
    VerdictFacts,
    VerdictInputs,
)
from flywheel.version import PRODUCT_VERSION


def batch_facts(
    services: Services, batch: BatchRow, row: FlywheelRow, live_model: str | None
) -> BatchFacts:
    """Return what every notice about a batch names."""
    return BatchFacts(
        environment=services.configuration.environment,
        flywheel=batch.flywheel,
        batch=batch.batch,
        flywheel_arn=row.arn,
        uploads=batch.uploads,
        upload_count=batch.upload_count,
        live_model=live_model,
        iteration_id=batch.iteration_id,
        attempt=batch.attempt,
        taint=row.taint,
    )


def store_verdict(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    iteration: Iteration,
    *,
    verdict: Verdict,
    policy: Policy,
    champion: str | None,
) -> StoredVerdict:
    """Transaction 1: the verdict, the policy, and the champion that a promotion would replace."""
    ledger, now = services.ledger, services.now()
    head, frozen = ledger.audit.head(batch.flywheel), row.test_set
    facts = VerdictFacts(
        environment=services.configuration.environment,
        flywheel=batch.flywheel,
        flywheel_arn=row.arn,
        generation=row.generation,
        batch=batch.batch,
        attempt=batch.attempt,
        iteration_id=batch.iteration_id,
        decided_at=now.isoformat(),
        actor=services.actor,
        expected_champion=champion,
        inputs=VerdictInputs(
            manifest_key=batch.name.manifest_key,
            manifest_sha256=batch.manifest_sha256,
            datasets=list(batch.datasets),
            test_set=None
            if frozen is None
            else JudgedTestSet(frozen.version, frozen.sha256, frozen.documents),
            iteration=IterationNumbers(
                iteration.evaluated_model,
                iteration.evaluated_metrics,
                iteration.trained_model,
                iteration.trained_metrics,
            ),
        ),
        policy=policy.model_dump(mode="json"),
        previous_sha256=head.verdict_sha256 if head else FIRST_SHA256,
        product_version=PRODUCT_VERSION,
    )
    return ledger.batches.store_verdict(batch, row, verdict, facts, now)


def keep_document(services: Services, batch: BatchRow, stored: StoredVerdict) -> None:
    """Write a stored verdict's document, unless it is there.

    After transaction 1 and before anything is done: a document that no entry of the audit names
    is nobody's of ours, and a verdict that was acted on has its document.
    """
    if stored.document is not None:
        services.ports.verdicts.create(batch.name.verdict_key, stored.document.encode())


def record_outcome(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
    outcome: BatchOutcome,
    *,
    is_changed_outside: bool = False,
) -> None:
    """Record an outcome with the model that is live now, and publish its notice."""
    comprehend: FlywheelService = services.comprehend(row.arn)
    iteration: Iteration = comprehend.iteration(batch.iteration_id or "")
    live_model = comprehend.describe().active_model
    facts = batch_facts(services, batch, row, live_model)
    notice = judged(facts, stored.verdict, outcome, is_changed_outside=is_changed_outside)
    services.ledger.batches.judge(
        batch,
        row,
        outcome=outcome,
        live_model=live_model,
        iteration_seconds=iteration.seconds,
        notice=notice,
        now=services.now(),
    )
    crash_point("compare_models.judged")
    services.notices.publish(batch.flywheel, notice)
