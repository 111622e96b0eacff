"""A job's states: SUBMITTED -> IN_PROGRESS -> COMPLETED, or FAILED, or STOPPED.

Decides how files are split into documents, and the form and place of the output. Knows no request
and no model. Read next: `comprehend_engine.inference.worker` and
`comprehend_engine.storage.data_lake`.

Notes
-----
*Source*: developer guide, "Outputs for asynchronous analysis jobs" of custom classification (one
line per document: File, Line as text, Classes or Labels) and of custom entity recognition (Line as
a number, Entities), and "Async analysis" (line ends); AWS CLI examples
start-document-classification-job (``predictions.jsonl`` in ``output.tar.gz``) and
describe-document-classification-job, describe-entities-detection-job (the archive's place).
botocore, StopEntitiesDetectionJob: "any documents already processed are written".
"""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from comprehend_engine.clock import Clock
from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.inference.worker import InferenceWorker, entity_entries, label_entries
from comprehend_engine.lifecycles.background_work import BackgroundWork, failure_message
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.data_lake import DataLake
from comprehend_engine.storage.records import JobRecord, ModelRecord
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import MULTI_LABEL

if TYPE_CHECKING:
    from comprehend_engine.storage.data_lake import S3ClientForRole

_FILE_OF_KIND = {"CLN": "predictions.jsonl", "NER": "output"}
_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class JobDocument:
    """A document of a job: `line` counts from 0, None where a file is one document."""

    file: str
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class JobRun:
    """Runs jobs in the background."""

    settings: EngineSettings
    store: Store
    clock: Clock
    background: BackgroundWork
    inference: InferenceWorker
    s3_client_for_role: "S3ClientForRole"

    def start(self, job: JobRecord) -> None:
        """Start, or restart, a job that is recorded as active."""
        self.background.run(f"job {job.job_id}", lambda: self.run(job.arn))

    def resume(self) -> None:
        """Restart the jobs that a stop or a kill interrupted."""
        for job in self.store.all(JobRecord):
            if job.is_active:
                self.start(job)

    def run(self, arn: str) -> None:
        """Run a job and record its final state."""
        job = self.store.find(JobRecord, arn)
        if job is None or not job.is_active:
            return
        try:
            self.background.hold(job.submit_time)
            entered = self._enter(job)
            self._perform(job)
            if not self._is_stop_requested(job):
                self.background.hold(entered)
            self._end(job, "COMPLETED", None)
        except Exception as error:  # a job must not be IN_PROGRESS forever
            self._end(job, "FAILED", failure_message(error, f"job {arn}"))

    def _enter(self, job: JobRecord) -> float:
        """Record that a job is IN_PROGRESS, unless a stop was requested; return the time."""
        with self.store.transaction():
            if not self._is_stop_requested(job):
                self.store.save(replace(job, status="IN_PROGRESS"))
        return self.clock.now()

    def _end(self, job: JobRecord, status: str, message: str | None) -> None:
        latest = self.store.find(JobRecord, job.arn) or job
        if latest.stop_requested_time is not None:
            self.background.hold(latest.stop_requested_time)
        self._save_ended(job, status, message)

    def _save_ended(self, job: JobRecord, status: str, message: str | None) -> None:
        with self.store.transaction():
            latest = self.store.find(JobRecord, job.arn) or job
            is_stopped = latest.stop_requested_time is not None and status == "COMPLETED"
            ended = "STOPPED" if is_stopped else status
            now = self.clock.now()
            self.store.save(replace(latest, status=ended, message=message, end_time=now))

    def _is_stop_requested(self, job: JobRecord) -> bool:
        latest = self.store.find(JobRecord, job.arn)
        return latest is not None and latest.stop_requested_time is not None

    def _perform(self, job: JobRecord) -> None:
        lake = DataLake(self.s3_client_for_role, job.request["DataAccessRoleArn"])
        lines = io.BytesIO()
        for documents in _batches(_documents(lake, job)):
            self.background.check_running()
            if self._is_stop_requested(job):
                break
            for line in self._output_lines(job, documents):
                lines.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        lake.write(job.output_s3_uri, _archive(_FILE_OF_KIND[job.kind], lines))

    def _output_lines(
        self, job: JobRecord, documents: Sequence[JobDocument]
    ) -> Iterator[dict[str, Any]]:
        """Give one line of output per document."""
        if job.kind == "NER":
            return self._entity_lines(job, documents)
        return self._classification_lines(job, documents)

    def _entity_lines(
        self, job: JobRecord, documents: Sequence[JobDocument]
    ) -> Iterator[dict[str, Any]]:
        texts = [document.text for document in documents]
        predicted = self.inference.detect(self.settings.model_file(job.model_arn), texts)
        for document, mentions in zip(documents, predicted, strict=True):
            line = {} if document.line is None else {"Line": document.line}
            entities = entity_entries(document.text, mentions)
            yield {"File": document.file, **line, "Entities": entities}

    def _classification_lines(
        self, job: JobRecord, documents: Sequence[JobDocument]
    ) -> Iterator[dict[str, Any]]:
        model = self.store.find(ModelRecord, job.model_arn)
        is_multi_label = model is not None and model.task == MULTI_LABEL
        predicted = self.inference.classify(
            self.settings.model_file(job.model_arn),
            [document.text for document in documents],
            most=None if is_multi_label else self.settings.returned_classes,
        )
        member = "Labels" if is_multi_label else "Classes"
        for document, labels in zip(documents, predicted, strict=True):
            line = {} if document.line is None else {"Line": str(document.line)}
            yield {"File": document.file, **line, member: label_entries(labels)}


def _documents(lake: DataLake, job: JobRecord) -> Iterator[JobDocument]:
    config = job.request["InputDataConfig"]
    objects = lake.objects(config["S3Uri"])
    if not objects:
        message = f"There is no object whose key begins with {config['S3Uri']}"
        raise DatasetRefusedError(message)
    for entry in objects:
        name = entry.key.rsplit("/", 1)[-1]
        try:
            text = lake.read(entry.uri).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            message = f"{entry.uri} is not UTF-8"
            raise DatasetRefusedError(message) from error
        if config.get("InputFormat") == "ONE_DOC_PER_FILE":
            yield JobDocument(name, None, text)
            continue
        for number, line in enumerate(io.StringIO(text, newline=None)):
            yield JobDocument(name, number, line.removesuffix("\n"))


def _batches(documents: Iterator[JobDocument]) -> Iterator[list[JobDocument]]:
    """Give small batches: endpoints share the inference process, and a stop takes effect soon."""
    batch: list[JobDocument] = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


def _archive(name: str, content: IO[bytes]) -> bytes:
    """Return a gzipped archive of one file."""
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = size
        tar.addfile(member, content)
    return archive.getvalue()
