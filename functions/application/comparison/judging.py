"""The verdict on one batch's iteration, which may need both models' answers first.

Decides when they are asked for, and that what cannot be had holds the challenger. Read next:
`application.comparison.answers`, `flywheel.evaluation.verdict`.
"""

from dataclasses import dataclass, replace
from typing import Any

from application.comparison.answers import BatchPredictions
from application.comparison.gathering import evidence_of
from application.comparison.judgement import store_verdict
from application.comparison.kept_answers import AnswersMissingError
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.service_values import Iteration, is_detection
from application.services import Services
from flywheel.errors import ServiceRefusedError
from flywheel.evaluation.verdict import Verdict, decide, wants_answers


@dataclass(slots=True)
class VerdictMaker:
    """Makes a verdict and stores it.

    Parameters
    ----------
    services : Services
    known : KnownFlywheel
    row : FlywheelRow
    batch : BatchRow
    """

    services: Services
    known: KnownFlywheel
    row: FlywheelRow
    batch: BatchRow

    def verdict(self, *, is_waited_for: bool) -> Verdict | None:
        """Return the verdict; None where jobs must end before it can be made."""
        policy = self.known.settings.policy
        iteration = self._iteration()
        evidence = evidence_of(self.services, self.known, self.row, iteration, self.batch)
        verdict = decide(evidence, policy)
        if not wants_answers(verdict, policy):
            return verdict
        answers = BatchPredictions(self.services, self.known, self.row, self.batch)
        try:
            if not self.batch.answer_jobs and (jobs := answers.ask(evidence)):
                self.batch = self.services.ledger.batches.note_jobs(self.batch, jobs)
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
        """Return the batch's iteration; what an earlier test set showed is not told of it."""
        iteration = self.services.comprehend(self.row.arn).iteration(self.batch.iteration_id or "")
        if self.batch.rejudges is None:
            return iteration
        return replace(iteration, evaluated_metrics=None, trained_metrics=None)
