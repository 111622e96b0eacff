"""Both models' answers to the frozen test set: asked for once a model and test set, then kept.

Decides where the documents, the jobs' output and the answers lie in the staging bucket, and what
keeps a comparison from being made. Nothing here waits: the state machine looks at the jobs. Used by
`compare_models`. Read next: `flywheel.test_documents` (forms), `adapters.answer_jobs` (the calls).
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.answer_jobs import AnswerJob
from adapters.configuration import KnownFlywheel
from adapters.crash_points import crash_point
from adapters.ledger.batch_rows import BatchRow
from adapters.ledger.flywheel_rows import FlywheelRow
from adapters.services import Services
from flywheel.errors import FlywheelLoopError
from flywheel.evidence import Evidence, PairedEvidence, Predictions, paired_evidence
from flywheel.known_rows import content_hash, record, rows_key
from flywheel.labeled_documents import Row, rows_of
from flywheel.policy import error_of
from flywheel.policy_settings import Policy
from flywheel.shapes import Shape, described_labels
from flywheel.test_documents import Said, answers_of, cost, kind_of, one_line, scored
from flywheel.uploads import DatasetKind
from flywheel.verdict import measured_by


class AnswersMissingError(FlywheelLoopError):
    """A comparison by both models' answers cannot be made; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Answers:
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
        """Start a job for each model whose answers are not kept; returns the jobs by model.

        Raises
        ------
        AnswersMissingError
            The test set's rows are not all here, or a job cannot be started.
        """
        rows = self._rows(evidence)
        staging, sha256 = self.services.staging, _test_set(evidence)
        folder = f"test-sets/{self.known.settings.name}/{sha256}"
        lines = "".join(f"{one_line(row.text)}\n" for row in rows)
        staging.create(f"{folder}/documents.txt", lines.encode())
        crash_point("compare_models.documents_written")
        service, jobs = self.services.answer_jobs(self.row.arn), {}
        for model in _models(evidence):
            if staging.text(self._key(model, sha256)) is None:
                jobs[model] = service.start(
                    model,
                    f"s3://{staging.bucket}/{folder}/documents.txt",
                    f"s3://{staging.bucket}/job-output/{self.known.settings.name}/",
                    self.batch.name.token(f"answers of {model}", self.row.arn),
                )
                crash_point("compare_models.job_started")
        return jobs

    def are_coming(self) -> bool:
        """Say whether a job that was asked for still runs."""
        service = self.services.answer_jobs(self.row.arn)
        return any(service.describe(job).is_running for job in self.batch.answer_jobs.values())

    def collect(self, evidence: Evidence, policy: Policy) -> PairedEvidence:
        """Return what both models' answers show, once their jobs have ended.

        Raises
        ------
        AnswersMissingError
            A job failed or did not end in time, or its output cannot be read.
        """
        rows = self._rows(evidence)
        shape = self.services.shape(self.known, self.row.arn)
        kept = {model: self._kept(model, evidence, rows) for model in _models(evidence)}
        champion = kept.get(evidence.champion_arn or "")
        (challenger, _) = kept[evidence.challenger_arn or ""]
        labels = described_labels(self.services.task_config(self.row.arn))
        return paired_evidence(
            list(scored(rows, champion[0] if champion else None, challenger, shape)),
            measured_by(policy),
            kind=kind_of(shape),
            labels=len(labels),
            error=error_of(policy),
            test_set_sha256=_test_set(evidence),
            predictions=tuple(predictions for _, predictions in kept.values()),
        )

    def _rows(self, evidence: Evidence) -> list[Row]:
        """Return the test set's rows, checked to be those that its hash is of."""
        shape: Shape = self.services.shape(self.known, self.row.arn)
        if shape.task == "entities" and shape.entities_from == "list":
            raise AnswersMissingError("a list of entities says nothing of single documents")
        staging, name = self.services.staging, self.known.settings.name
        segments = self.services.ledger.holdings.segments(name, self.row.generation)
        rows: list[Row] = []
        for segment in segments[DatasetKind.TEST]:
            written = staging.text(rows_key(segment))
            if written is None:
                raise AnswersMissingError(
                    f"the test rows of {rows_key(segment)} are not kept: they were frozen by an "
                    "earlier release; freeze a new test set"
                )
            rows += rows_of(io.StringIO(written, newline=""))
        if content_hash(map(record, rows)) != _test_set(evidence):
            raise AnswersMissingError("the rows that are kept are not those of the test set")
        return rows

    def _kept(
        self, model: str, evidence: Evidence, rows: Sequence[Row]
    ) -> tuple[list[Said], Predictions]:
        """Return a model's answers, kept under its name and the test set's hash."""
        staging, key = self.services.staging, self._key(model, _test_set(evidence))
        written, was_kept = staging.text(key), True
        if written is None:
            job_arn = self.batch.answer_jobs.get(model)
            if job_arn is None:
                raise AnswersMissingError(f"no job was started for {model}")
            job = self.services.answer_jobs(self.row.arn).describe(job_arn)
            written, was_kept = _document(model, job, self._output(job, len(rows)), rows), False
            staging.create(key, written.encode())
            crash_point("compare_models.answers_kept")
        head, *answers = written.splitlines()
        facts = json.loads(head)
        is_asked_for_now = not was_kept or model in self.batch.answer_jobs
        predictions = Predictions(
            model=model,
            key=key,
            sha256=hashlib.sha256(written.encode()).hexdigest(),
            job=facts["job"],
            seconds=facts["seconds"] if is_asked_for_now else 0.0,
            usd=facts["usd"] if is_asked_for_now else 0.0,
        )
        return [json.loads(answer) for answer in answers], predictions

    def _output(self, job: AnswerJob, documents: int) -> list[Said]:
        if job.status != "COMPLETED":
            reason = job.message or "the service gives no reason"
            if job.is_running:
                reason = "it still ran when the deadline was over"
            raise AnswersMissingError(f"the job of {job.model} is {job.status}: {reason}")
        bucket, _, key = job.output_uri.removeprefix("s3://").partition("/")
        if bucket != self.services.staging.bucket:
            raise AnswersMissingError(f"the job of {job.model} wrote to {job.output_uri}")
        try:
            archive = b"".join(self.services.staging.chunks(key))
            return answers_of(_lines(archive), documents)
        except (ValueError, tarfile.TarError) as error:
            raise AnswersMissingError(f"the output of {job.model}: {error}") from error

    def _key(self, model: str, sha256: str) -> str:
        named = hashlib.sha256(model.encode()).hexdigest()[:32]
        return f"answers/{self.known.settings.name}/{sha256}/{named}.jsonl"


def _models(evidence: Evidence) -> list[str]:
    return [model for model in (evidence.champion_arn, evidence.challenger_arn) if model]


def _test_set(evidence: Evidence) -> str:
    if evidence.test_set is None:
        raise AnswersMissingError("the rows of the test set did not come through this system")
    return evidence.test_set.sha256


def _document(model: str, job: AnswerJob, answers: Sequence[Said], rows: Sequence[Row]) -> str:
    """Return answers as they are kept: a line of facts, then one line a document."""
    facts: Mapping[str, object] = {
        "model": model,
        "job": job.arn,
        "seconds": job.seconds,
        "usd": round(cost(one_line(row.text) for row in rows), 6),
    }
    lines = (json.dumps(each, ensure_ascii=False) for each in (facts, *answers))
    return "".join(f"{line}\n" for line in lines)


def _lines(archive: bytes) -> Iterator[str]:
    """Give the lines of every file in a job's ``output.tar.gz``."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for member in files:
            file = files.extractfile(member)
            if file is not None:
                for line in file:
                    yield line.decode()
