"""CompareModels: judge the challenger, then carry the verdict out, in two transactions.

Where the averages leave it open, both models are first asked to answer the test set, and the state
machine comes back when they have. The verdict and the intent are stored first, and the verdict's
document is kept; only then is the
world read again and, for PROMOTE, the active model changed and verified. A stored verdict is never
made again.
"""

from dataclasses import dataclass, replace
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.answer_jobs import is_detection
from adapters.answers import Answers, AnswersMissingError
from adapters.comprehend import Iteration
from adapters.configuration import KnownFlywheel
from adapters.crash_points import crash_point
from adapters.judgement import keep_document, record_outcome, store_verdict
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from adapters.ledger.flywheel_rows import FlywheelRow
from adapters.ports import FlywheelService
from adapters.services import Services, services
from flywheel.batches import BatchOutcome, BatchState
from flywheel.errors import ConcurrentChangeError, ServiceRefusedError
from flywheel.evidence import Evidence, TestSet, averages
from flywheel.test_documents import kind_of
from flywheel.verdict import Decision, Verdict, decide, wants_answers

logger = Logger()
tracer = Tracer()

_OUTCOMES = {Decision.REJECT: BatchOutcome.REJECTED, Decision.HOLD: BatchOutcome.HELD}


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the models of an execution's iteration and act on the verdict."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    return compare(
        services("compare_models"),
        event["flywheel"],
        event["batch"],
        is_waited_for=event.get("is_waited_for", False),
    )


def compare(
    services: Services, flywheel: str, number: int, *, is_waited_for: bool = False
) -> dict[str, Any]:
    """Judge a batch's iteration and act, from whatever state the ledger has it in.

    Parameters
    ----------
    is_waited_for : bool
        Whether jobs that still run have had all the time that they get.

    Returns
    -------
    dict
        ``outcome``; None where ``jobs`` must be waited for first.
    """
    ledger = services.ledger
    batch = ledger.batches.get(flywheel, number)
    if batch.state in {BatchState.JUDGED, BatchState.CLOSED}:
        return {"outcome": batch.outcome}
    known = services.flywheel(flywheel)
    row = ledger.flywheels.ensure(flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    stored = ledger.batches.verdict(batch)
    if stored is None:
        judging = _Judging(services, comprehend, known, row, batch)
        verdict = judging.verdict(is_waited_for=is_waited_for)
        if verdict is None:
            return {"outcome": None, "jobs": judging.jobs()}
        stored = judging.store(verdict)
    crash_point("compare_models.verdict_stored")
    keep_document(services, batch, stored)
    crash_point("compare_models.document_kept")
    outcome, is_changed_outside = _carry_out(comprehend, stored)
    crash_point("compare_models.carried_out")
    record_outcome(services, batch, row, stored, outcome, is_changed_outside=is_changed_outside)
    return {"outcome": outcome}


@dataclass(slots=True)
class _Judging:
    """Makes the verdict on one batch's iteration, which may need both models' answers first."""

    services: Services
    comprehend: FlywheelService
    known: KnownFlywheel
    row: FlywheelRow
    batch: BatchRow

    def verdict(self, *, is_waited_for: bool) -> Verdict | None:
        """Return the verdict; None where jobs must end before it can be made."""
        policy, evidence = self.known.settings.policy, self._evidence()
        verdict = decide(evidence, policy)
        if not wants_answers(verdict, policy):
            return verdict
        answers = Answers(self.services, self.known, self.row, self.batch)
        try:
            if not self.batch.answer_jobs and (jobs := answers.ask(evidence)):
                self.batch = self.services.ledger.batches.note_jobs(self.batch, jobs)
                crash_point("compare_models.jobs_noted")
                return None
            if not is_waited_for and answers.are_coming():
                return None
            paired = answers.collect(evidence, policy)
        except (AnswersMissingError, ServiceRefusedError) as error:
            # What cannot be had is named, holds the challenger, and keeps nobody waiting.
            return decide(replace(evidence, paired_missing=str(error)), policy)
        return decide(replace(evidence, paired=paired), policy)

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs as the state machine looks at them."""
        return [
            {"id": arn.rsplit("/", 1)[-1], "is_detection": is_detection(arn)}
            for arn in self.batch.answer_jobs.values()
        ]

    def store(self, verdict: Verdict) -> StoredVerdict:
        """Store the verdict with the champion that a promotion expects."""
        return store_verdict(
            self.services,
            self.batch,
            self.row,
            self._iteration(),
            verdict=verdict,
            policy=self.known.settings.policy,
            champion=verdict.evidence.champion_arn,
        )

    def _iteration(self) -> Iteration:
        return self.comprehend.iteration(self.batch.iteration_id or "")

    def _evidence(self) -> Evidence:
        iteration = self._iteration()
        champion = _champion(self.comprehend, iteration)
        shape = self.services.shape(self.known, self.row.arn)
        frozen = self.row.test_set
        return Evidence(
            champion_arn=champion,
            champion=averages(iteration.evaluated_metrics) if champion else None,
            challenger_arn=iteration.trained_model,
            challenger=averages(iteration.trained_metrics),
            has_test_set=self.comprehend.has_test_dataset(),
            kind=kind_of(shape),
            test_set=None
            if frozen is None
            else TestSet(frozen.sha256, frozen.documents, frozen.label_counts, frozen.looks),
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
