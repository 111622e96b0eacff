"""Models' answers to the frozen test set: requested once per model and test set, then stored.

Decides where the documents and the jobs' output lie in the staging bucket, and what keeps a
comparison from being made. Nothing here waits: the state machine looks at the jobs. Used by
`compare_models`. Read next: `application.comparison.stored_answers` (forms), `adapters.answer_jobs`
(the calls).
"""

import io
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from application.comparison.stored_answers import (
    AnswersMissingError,
    ModelAnswers,
    StoredAnswers,
    compared,
)
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.port_values import AnswerJob
from application.services import Services
from application.staged_rows import stored_rows
from flywheel.batches.known_rows import rows_key
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.paired_evidence import PairedEvidence, Predictions
from flywheel.evaluation.predictions import Prediction, answers_of, cost, one_line
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.settings.data_format import DataFormat, described_labels
from flywheel.settings.policy import Policy


@dataclass(frozen=True, slots=True)
class BatchPredictions:
    """The test set of one flywheel and its models' answers.

    Parameters
    ----------
    services : Services
    known : KnownFlywheel
    row : FlywheelRow
    batch : BatchRow
        Whose iteration is judged.
    """

    services: Services
    known: KnownFlywheel
    row: FlywheelRow
    batch: BatchRow

    def ask(self, evidence: Evidence) -> dict[str, str]:
        """Start a job for each model whose answers are not stored; returns the jobs by model.

        Raises
        ------
        AnswersMissingError
            The test set's rows are not all here, or a job cannot be started.
        """
        staging, stored = self.services.staging, self._stored_for(evidence)
        folder = f"test-sets/{self.known.settings.name}/{stored.test_set_sha256}"
        stored.keep_rows(self._rows(evidence))
        # In the order in which they were stored first: a rebuild may hold the same rows in another.
        lines = "".join(f"{one_line(row.text)}\n" for row in stored.rows())
        staging.create(f"{folder}/documents.txt", lines.encode())
        service, jobs = self.services.answer_jobs(self.row.arn), {}
        for model in _models(evidence):
            if stored.text(model) is None:
                jobs[model] = service.start(
                    model,
                    f"s3://{staging.bucket}/{folder}/documents.txt",
                    f"s3://{staging.bucket}/job-output/{self.known.settings.name}/",
                    self.batch.name.token(f"answers of {model}", self.row.arn),
                )
        return jobs

    def are_coming(self) -> bool:
        """Say whether a job that was asked for still runs."""
        service = self.services.answer_jobs(self.row.arn)
        return any(service.describe(job).is_running for job in self.batch.answer_jobs.values())

    def collect(self, evidence: Evidence, policy: Policy) -> PairedEvidence:
        """Return what the models' answers show, once their jobs have ended.

        Raises
        ------
        AnswersMissingError
            A job failed or did not end in time, or its output cannot be read.
        """
        stored = self._stored_for(evidence)
        rows = stored.rows()
        by_model = {model: self._answers(model, stored, rows) for model in _models(evidence)}
        champion = by_model.get(evidence.champion_arn or "")
        anchor = by_model.get(evidence.anchor_arn or "")
        (challenger, _) = by_model[evidence.challenger_arn or ""]
        return compared(
            rows,
            champion[0] if champion else None,
            challenger,
            policy,
            error=evidence.error(policy),
            anchor=anchor[0] if anchor else None,
            shape=self.services.shape(self.known, self.row.arn),
            labels=len(described_labels(self.services.task_config(self.row.arn))),
            test_set_sha256=stored.test_set_sha256,
            predictions=tuple(predictions for _, predictions in by_model.values()),
        )

    def _rows(self, evidence: Evidence) -> list[LabeledRow]:
        """Return the test set's rows, checked to be those that its hash is of."""
        shape: DataFormat = self.services.shape(self.known, self.row.arn)
        if shape.task == "entities" and shape.entities_from == "list":
            raise AnswersMissingError("a list of entities says nothing of single documents")
        staging, name = self.services.staging, self.known.settings.name
        segments = self.services.ledger.holdings.segments(name, self.row.generation)
        rows: list[LabeledRow] = []
        for segment in segments[DatasetKind.TEST]:
            stored = stored_rows(staging, segment)
            if stored is None:
                raise AnswersMissingError(
                    f"the test rows of {rows_key(segment)} are not kept: they were frozen by an "
                    "earlier release; freeze a new test set"
                )
            rows += stored
        return self._stored_for(evidence).checked(rows)

    def _answers(
        self, model: str, stored: StoredAnswers, rows: Sequence[LabeledRow]
    ) -> tuple[ModelAnswers, Predictions]:
        """Return a model's answers, stored under its name and the test set's hash."""
        written, job_arn = stored.text(model), self.batch.answer_jobs.get(model)
        if written is None:
            if job_arn is None:
                raise AnswersMissingError(f"no job was started for {model}")
            job = self.services.answer_jobs(self.row.arn).describe(job_arn)
            facts = {
                "model": model,
                "job": job.arn,
                "seconds": job.seconds,
                "usd": round(cost(one_line(row.text) for row in rows), 6),
            }
            written = stored.keep(model, facts, self._output(job, len(rows)))
        answers = ModelAnswers.of(written)
        return answers, stored.predictions(model, answers, is_paid=job_arn is not None)

    def _output(self, job: AnswerJob, documents: int) -> list[Prediction]:
        if job.status != "COMPLETED":
            reason = job.message or "the service gives no reason"
            if job.is_running:
                reason = "it still ran when the deadline was over"
            raise AnswersMissingError(f"the job of {job.model} is {job.status}: {reason}")
        bucket, _, key = job.output_uri.removeprefix("s3://").partition("/")
        if bucket != self.services.staging.bucket:
            raise AnswersMissingError(f"the job of {job.model} wrote to {job.output_uri}")
        archive = b"".join(self.services.staging.chunks(key))
        try:
            return answers_of(_lines(archive), documents)
        except (ValueError, EOFError, OSError, zlib.error, tarfile.TarError) as error:
            raise AnswersMissingError(f"the output of {job.model}: {error}") from error

    def _stored_for(self, evidence: Evidence) -> StoredAnswers:
        if evidence.test_set is None:
            raise AnswersMissingError("the rows of the test set did not come through this system")
        name = self.known.settings.name
        return StoredAnswers(self.services.staging, name, evidence.test_set.sha256)


def _models(evidence: Evidence) -> list[str]:
    """Return the models whose answers are compared; the challenger is the last."""
    models = (evidence.champion_arn, evidence.anchor_arn, evidence.challenger_arn)
    return [model for model in models if model]


def _lines(archive: bytes) -> Iterator[str]:
    """Give the lines of every file in a job's ``output.tar.gz``."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for member in files:
            file = files.extractfile(member)
            if file is not None:
                for line in file:
                    yield line.decode()
