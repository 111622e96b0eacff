"""Write down a verdict and what came of it: both transactions, the document and the notice.

Used by the function that carries verdicts out, and by the one that closes batches where the first
died after it had acted. Decides nothing. Read next: `flywheel.evaluation.verdict_document` and
`flywheel.notices.batches`.
"""

from collections import Counter
from dataclasses import replace

from aws_lambda_powertools import Logger

from application.comparison.next_step import VerdictOutcome
from application.ledger.approvals import Question
from application.ledger.audit import FIRST_SHA256
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ledger.verdicts import CarriedOut
from application.notices import batch_facts, followers
from application.port_values import Iteration
from application.rebuilds.provenance import taint_of_return, withdrawn_from
from application.services import Services
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import PromotionMode, promotion_mode
from flywheel.evaluation.verdict import Decision, Verdict, can_be_judged_again
from flywheel.evaluation.verdict_document import (
    IterationNumbers,
    JudgedTestSet,
    VerdictFacts,
    VerdictInputs,
)
from flywheel.notices.notice import Notice
from flywheel.notices.verdicts import judged, not_carried_out_reason
from flywheel.settings.policy import Policy
from flywheel.version import PRODUCT_VERSION

logger = Logger(child=True)

_BATCHES_LOOKED_AT = 50
"""As many as a generation may have datasets of a kind."""


def store_verdict(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    iteration: Iteration,
    *,
    verdict: Verdict,
    policy: Policy,
) -> StoredVerdict:
    """Transaction 1: the verdict, the policy, and the champion that a promotion would replace.

    Whether a person is asked is decided with it, and by when the answer must be there.
    """
    ledger, now = services.ledger, services.now()
    head = ledger.audit.head(batch.flywheel)
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
        expected_champion=verdict.evidence.champion_arn,
        inputs=_inputs(batch, row, iteration),
        policy=policy.document(),
        previous_sha256=head.verdict_sha256 if head else FIRST_SHA256,
        product_version=PRODUCT_VERSION,
    )
    course, question = PromotionMode.ACT, None
    if verdict.decision is Decision.PROMOTE:
        course = _course(ledger, batch, row, policy)
    if course is PromotionMode.ASK:
        challenger = verdict.evidence.challenger_arn or ""
        question = Question.of(challenger, policy, now)
    return ledger.verdicts.store(batch, row, verdict, facts, now, course=course, question=question)


def _inputs(batch: BatchRow, row: FlywheelRow, iteration: Iteration) -> VerdictInputs:
    """Return what a verdict on a batch's iteration was made from."""
    frozen = row.test_set
    return VerdictInputs(
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
        rejudges=batch.rejudges,
    )


def _course(ledger: Ledger, batch: BatchRow, row: FlywheelRow, policy: Policy) -> PromotionMode:
    """Return how a PROMOTE is carried out.

    A model that people were asked about goes live by their answer alone, also where the execution
    that asked them ended first and the question counts as one of the policy's.
    """
    course = promotion_mode(policy, row.promote_verdicts)
    if course is PromotionMode.ACT:
        judged = ledger.batches.judged_again(batch)
        if ledger.approvals.is_yes_missing(batch, judged):
            return PromotionMode.ASK
    return course


def keep_document(services: Services, batch: BatchRow, stored: StoredVerdict) -> None:
    """Write a stored verdict's document, unless it is there.

    After transaction 1 and before anything is done. So an entry of the audit names each document
    that this product wrote, and each verdict that was acted on has its document.
    """
    if stored.document is not None:
        services.ports.verdicts.create(batch.name.verdict_key, stored.document.encode())


def record_outcome(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
    result: VerdictOutcome,
) -> None:
    """Record an outcome with the model that is live now, and publish its notice."""
    comprehend = services.comprehend(row.arn)
    iteration = comprehend.iteration(batch.iteration_id or "")
    live_model = comprehend.describe().active_model
    policy = services.flywheel(batch.flywheel).settings.policy
    carried_out = CarriedOut(
        result.outcome,
        live_model,
        stored.expected_champion,
        iteration_seconds=iteration.seconds if batch.rejudges is None else None,
        is_gain=_is_gain(policy, stored.verdict, live_model),
        kept=result.kept,
        because=None if result.kept is None else not_carried_out_reason(result.kept, result.detail),
    )
    notice = _outcome_notice(services, batch, row, stored.verdict, carried_out, policy=policy)
    services.ledger.verdicts.judge(
        batch,
        row,
        carried_out,
        notice=notice,
        now=services.now(),
        is_asked=stored.course is PromotionMode.ASK,
    )
    services.notices.publish(batch.flywheel, notice)


def _outcome_notice(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    verdict: Verdict,
    result: CarriedOut,
    *,
    policy: Policy,
) -> Notice:
    """Return the notice of what came of a verdict."""
    ledger, live_model = services.ledger, result.live_model
    facts = replace(
        batch_facts(services, batch, row, live_model),
        label_counts=batch.label_counts,
        earlier_counts=earlier_counts(ledger, batch),
    )
    if facts.is_rebuilt and row.rebuild is not None:
        is_tainted = bool(taint_of_return(ledger, row, row.rebuild))
        withdrawn = withdrawn_from(ledger, row, live_model)
        facts = replace(facts, is_return_tainted=is_tainted, live_trained_on=withdrawn)
    held = ledger.batches.judged_again(batch)
    return judged(
        facts,
        verdict,
        result.outcome,
        can_be_judged_again=can_be_judged_again(verdict, policy),
        trained_by=held[-1].batch if held else None,
        kept=result.kept,
        because=result.because,
        followers=followers(services, row, result.expected_champion, live_model)
        if result.is_promoted and live_model
        else (),
    )


def _is_gain(policy: Policy, verdict: Verdict, live_model: str | None) -> bool:
    """Say whether what is live after a verdict is more than a model that is no worse.

    A first model is, and so is what somebody made active instead of the challenger.
    """
    if policy.comparison == "superiority" or verdict.is_bootstrap:
        return True
    return live_model != verdict.evidence.challenger_arn or verdict.shows_gain


def earlier_counts(ledger: Ledger, batch: BatchRow) -> Counter[str]:
    """Return the documents of each label that earlier batches of the generation brought."""
    counts: Counter[str] = Counter()
    first = max(1, batch.batch - _BATCHES_LOOKED_AT)
    for earlier in ledger.batches.get_many(batch.flywheel, range(first, batch.batch)):
        has_rows = earlier.outcome not in {None, BatchOutcome.FAILED, BatchOutcome.EMPTY}
        if has_rows and earlier.generation == batch.generation:
            counts.update(earlier.label_counts)
    return counts
