"""The job operations: start, describe, list; entities jobs can also be stopped.

Decides which models a job may use and the form of the responses. Knows no documents. Read next:
`comprehend_engine.lifecycles.job_run` (what follows).

Notes
-----
*Source*: botocore, StartDocumentClassificationJob ... StopEntitiesDetectionJob; AWS CLI examples
describe-document-classification-job and describe-entities-detection-job (OutputDataConfig has the
archive, ``<account>-CLN-<job id>/output/output.tar.gz`` or ``-NER-``). No call stops a
classification job. In those examples, a job that was started without an InputFormat has
ONE_DOC_PER_LINE. The operations do not declare ResourceLimitExceededException: one job too many is
a TooManyRequestsException.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comprehend_engine.api.shapes import problem
from comprehend_engine.clock import Clock
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.job_run import JobRun
from comprehend_engine.operations.listing import created_within, page, single_member_filter
from comprehend_engine.operations.request_checks import (
    check_keys,
    record_response,
    recorded_response,
    served_model,
)
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import JobRecord
from comprehend_engine.storage.resource_names import job_arn
from comprehend_engine.storage.store import Store

MAX_S3_URI = 1024
"""Longest URI in a response, characters."""

_DEFAULT_FORMAT = "ONE_DOC_PER_LINE"
_RESOURCE_OF_KIND = {"CLN": "document-classification-job", "NER": "entities-detection-job"}
_OPERATION = {"CLN": "StartDocumentClassificationJob", "NER": "StartEntitiesDetectionJob"}
_MODEL_MEMBER = {"CLN": "DocumentClassifierArn", "NER": "EntityRecognizerArn"}
_ECHOED_MEMBERS = (
    *("JobName", "LanguageCode", "DataAccessRoleArn"),
    *("VolumeKmsKeyId", "VpcConfig", "FlywheelArn"),
)


@dataclass(frozen=True, slots=True)
class JobOperations:
    """The operations on jobs; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    running: JobRun

    def start_document_classification_job(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StartDocumentClassificationJob."""
        return self._start("CLN", request)

    def start_entities_detection_job(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StartEntitiesDetectionJob, only with a custom recognizer."""
        return self._start("NER", request)

    def describe_document_classification_job(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeDocumentClassificationJob."""
        job = self._the_job("CLN", request)
        return {"DocumentClassificationJobProperties": _properties(job)}

    def describe_entities_detection_job(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEntitiesDetectionJob."""
        return {"EntitiesDetectionJobProperties": _properties(self._the_job("NER", request))}

    def list_document_classification_jobs(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListDocumentClassificationJobs, newest first."""
        shown, token = self._listed("CLN", request)
        return {"DocumentClassificationJobPropertiesList": shown, "NextToken": token}

    def list_entities_detection_jobs(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEntitiesDetectionJobs, newest first."""
        shown, token = self._listed("NER", request)
        return {"EntitiesDetectionJobPropertiesList": shown, "NextToken": token}

    def stop_entities_detection_job(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StopEntitiesDetectionJob: a repeated call has no effect, a job that ended is refused."""
        with self.store.transaction():
            job = self._the_job("NER", request)
            if job.status in ("COMPLETED", "FAILED"):
                message = f"Job {job.job_id} is {job.status}; it cannot be stopped."
                raise ServiceError("InvalidRequestException", message)
            if job.stop_requested_time is None:
                now = self.clock.now()
                job = replace(job, status="STOP_REQUESTED", stop_requested_time=now)
                self.store.save(job)
        return {"JobId": job.job_id, "JobStatus": job.status}

    def _start(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        with self.store.transaction():
            arn = recorded_response(self.store, _OPERATION[kind], request)
            job = self.store.find(JobRecord, arn) if arn else None
            if job is None:
                job = self._new(kind, request)
                self.store.save(job)
                record_response(self.store, _OPERATION[kind], job.arn, request, job.arn)
                self.running.start(job)
        return {
            "JobId": job.job_id,
            "JobArn": job.arn,
            "JobStatus": job.status,
            _MODEL_MEMBER[kind]: job.model_arn,
        }

    def _new(self, kind: str, request: Mapping[str, Any]) -> JobRecord:
        if "DocumentReaderConfig" in request["InputDataConfig"]:
            message = "InputDataConfig has DocumentReaderConfig; the engine only reads plain text."
            raise ServiceError("InvalidRequestException", message)
        check_keys(request)
        model_arn = self._model_of(kind, request)
        self._check_room(kind)
        job_id = secrets.token_hex(16)
        return JobRecord(
            job_id=job_id,
            arn=job_arn(self.settings, _RESOURCE_OF_KIND[kind], job_id),
            kind=kind,
            status="SUBMITTED",
            model_arn=model_arn,
            output_s3_uri=self._archive(kind, job_id, request),
            request=dict(request),
            submit_time=self.clock.now(),
        )

    def _check_room(self, kind: str) -> None:
        limit = self.settings.quotas.active_jobs_per_kind
        if sum(job.kind == kind and job.is_active for job in self.store.all(JobRecord)) >= limit:
            message = f"The limit of active jobs of {_OPERATION[kind]} is {limit}."
            raise ServiceError("TooManyRequestsException", message)

    def _archive(self, kind: str, job_id: str, request: Mapping[str, Any]) -> str:
        """Return the URI of a job's output; refuse one that is too long for a response."""
        output = request["OutputDataConfig"]["S3Uri"].rstrip("/")
        archive = f"{output}/{self.settings.account_id}-{kind}-{job_id}/output/output.tar.gz"
        if len(archive) > MAX_S3_URI:
            constraint = f"Member must leave room for {len(archive) - len(output)} characters more"
            message = problem(output, "OutputDataConfig.S3Uri", constraint)
            raise ServiceError("InvalidRequestException", message)
        return archive

    def _model_of(self, kind: str, request: Mapping[str, Any]) -> str:
        member = _MODEL_MEMBER[kind]
        model_arn = served_model(self.store, request, member)
        if model_arn is None:
            message = f"Give one of {member} and FlywheelArn; neither is there."
            raise ServiceError("InvalidRequestException", message)
        if (":entity-recognizer/" in model_arn) != (kind == "NER"):
            message = f"Model {model_arn} is of another kind than the job needs."
            raise ServiceError("InvalidRequestException", message)
        return model_arn

    def _the_job(self, kind: str, request: Mapping[str, Any]) -> JobRecord:
        arn = job_arn(self.settings, _RESOURCE_OF_KIND[kind], request["JobId"])
        job = self.store.find(JobRecord, arn)
        if job is None:
            raise ServiceError("JobNotFoundException", f"There is no job {arn}.")
        return job

    def _listed(
        self, kind: str, request: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], str | None]:
        chosen = single_member_filter(request)
        matching = [
            job
            for job in self.store.all(JobRecord)
            if job.kind == kind
            and chosen.get("JobStatus", job.status) == job.status
            and chosen.get("JobName", job.request.get("JobName")) == job.request.get("JobName")
            and created_within(chosen, job.submit_time, time="SubmitTime")
        ]
        shown, token = page(request, matching, lambda item: (item.submit_time, item.arn))
        return [_properties(job) for job in shown], token


def _properties(job: JobRecord) -> dict[str, Any]:
    return {
        "JobId": job.job_id,
        "JobArn": job.arn,
        "JobStatus": job.status,
        "Message": job.message,
        "SubmitTime": job.submit_time,
        "EndTime": job.end_time,
        _MODEL_MEMBER[job.kind]: job.model_arn,
        "InputDataConfig": {"InputFormat": _DEFAULT_FORMAT, **job.request["InputDataConfig"]},
        "OutputDataConfig": {**job.request["OutputDataConfig"], "S3Uri": job.output_s3_uri},
        **{name: job.request[name] for name in _ECHOED_MEMBERS if name in job.request},
    }
