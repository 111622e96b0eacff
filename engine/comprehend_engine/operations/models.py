"""The model operations: describe, list, stop the training, delete.

Decides the form of a model in a response: a recognizer's metrics are between 0 and 100, those of a
flywheel's iterations between 0 and 1. Decides when a training may be stopped and a model deleted.
Classifiers and recognizers share these rules: an ARN identifies one record. Read next:
`comprehend_engine.lifecycles.iteration_run`, which makes models and reacts to a requested stop.

Notes
-----
*Source*: botocore, DescribeDocumentClassifier ... ListEntityRecognizerSummaries (the members that
both kinds have share their names), EntityRecognizerEvaluationMetrics ("For plain text entity
recognizer models, the range is 0 to 100"); AWS CLI example describe-entity-recognizer, where the
metrics of each type have that range, too. StopTrainingDocumentClassifier ("put into the
STOP_REQUESTED state ... put into the STOPPED state"), DeleteDocumentClassifier ("Only those
classifiers that are in terminated states", "puts the classifier into a DELETING state"). That the
iteration of the model stops with it is inferred: no other call could make one STOPPED. A model that
is not in training stays as it is: Terraform's provider stops every model before it deletes it, and
fails on any error. The error for a model that cannot be deleted is not documented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from comprehend_engine.clock import Clock
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.model_deletion import ModelDeletion
from comprehend_engine.operations.listing import created_within, page, single_member_filter
from comprehend_engine.operations.request_checks import requested_resource
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import (
    EndpointRecord,
    FlywheelRecord,
    IterationRecord,
    JobRecord,
    ModelRecord,
)
from comprehend_engine.storage.resource_names import model_name, name_of
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import ENTITIES, label_delimiter
from comprehend_engine.training.worker import TrainingWorker

_TERMINAL = frozenset({"TRAINED", "TRAINED_WITH_WARNING", "IN_ERROR", "STOPPED"})
_STOPPED_ALREADY = frozenset({"STOP_REQUESTED", "STOPPED"})
_CLASSIFIER, _RECOGNIZER = "DocumentClassifier", "EntityRecognizer"
_NAME_MEMBER = {_CLASSIFIER: "DocumentClassifierName", _RECOGNIZER: "RecognizerName"}


@dataclass(frozen=True, slots=True)
class ModelOperations:
    """The operations on models; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    deletion: ModelDeletion
    worker: TrainingWorker

    def describe_document_classifier(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeDocumentClassifier."""
        return self._described(_CLASSIFIER, request)

    def describe_entity_recognizer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEntityRecognizer."""
        return self._described(_RECOGNIZER, request)

    def list_document_classifiers(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListDocumentClassifiers, newest first."""
        return self._listed(_CLASSIFIER, request)

    def list_entity_recognizers(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEntityRecognizers, newest first."""
        return self._listed(_RECOGNIZER, request)

    def list_document_classifier_summaries(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListDocumentClassifierSummaries, newest first."""
        return self._summarized(_CLASSIFIER, request)

    def list_entity_recognizer_summaries(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEntityRecognizerSummaries, newest first."""
        return self._summarized(_RECOGNIZER, request)

    def stop_training_document_classifier(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StopTrainingDocumentClassifier."""
        return self._stop(request["DocumentClassifierArn"])

    def stop_training_entity_recognizer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StopTrainingEntityRecognizer."""
        return self._stop(request["EntityRecognizerArn"])

    def delete_document_classifier(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteDocumentClassifier."""
        return self._delete(request["DocumentClassifierArn"])

    def delete_entity_recognizer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEntityRecognizer."""
        return self._delete(request["EntityRecognizerArn"])

    def _described(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        # The request's shape refuses ARNs of the other kind.
        model = requested_resource(self.store, ModelRecord, request[f"{kind}Arn"])
        return {f"{kind}Properties": _properties(model)}

    def _listed(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        chosen = single_member_filter(request)
        name = chosen.get(_NAME_MEMBER[kind])
        matching = [
            model
            for model in self._models(kind)
            if chosen.get("Status", model.status) == model.status
            and name in (None, model_name(model.arn))
            and created_within(chosen, model.submit_time, time="SubmitTime")
        ]
        shown, token = page(request, matching, lambda item: (item.submit_time, item.arn))
        return {
            f"{kind}PropertiesList": [_properties(item) for item in shown],
            "NextToken": token,
        }

    def _summarized(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """List the models of one name as one, by the latest version."""
        models = sorted(
            self._models(kind), key=lambda model: (model_name(model.arn), model.submit_time)
        )
        versions = [list(group) for _, group in groupby(models, lambda it: model_name(it.arn))]
        shown, token = page(request, versions, lambda item: (item[-1].submit_time, item[-1].arn))
        summaries = [
            {
                _NAME_MEMBER[kind]: model_name(latest.arn),
                "NumberOfVersions": len(group),
                "LatestVersionCreatedAt": latest.submit_time,
                "LatestVersionName": name_of(latest.arn),
                "LatestVersionStatus": latest.status,
            }
            for group in shown
            for latest in group[-1:]
        ]
        return {f"{kind}SummariesList": summaries, "NextToken": token}

    def _models(self, kind: str) -> list[ModelRecord]:
        return [model for model in self.store.all(ModelRecord) if _kind(model) == kind]

    def _stop(self, arn: str) -> dict[str, Any]:
        with self.store.transaction():
            model = requested_resource(self.store, ModelRecord, arn)
            iteration = self._iteration_of(model)
            if model.status in _STOPPED_ALREADY or iteration is None:
                return {}
            now = self.clock.now()
            self.store.save(
                replace(model, status="STOP_REQUESTED"),
                replace(iteration, status="STOP_REQUESTED", stop_requested_time=now),
            )
        self.worker.cancel_training(self.settings.model_file(arn))
        return {}

    def _delete(self, arn: str) -> dict[str, Any]:
        with self.store.transaction():
            model = requested_resource(self.store, ModelRecord, arn)
            if model.status not in _TERMINAL:
                allowed = ", ".join(sorted(_TERMINAL))
                message = f"Model {arn} is {model.status}; it must be one of {allowed}."
                raise ServiceError("ResourceUnavailableException", message)
            if users := self._users(arn):
                message = f"Model {arn} is in use: {', '.join(users)}."
                raise ServiceError("ResourceInUseException", message)
            now = self.clock.now()
            deleting = replace(model, status="DELETING", end_time=now)
            self.store.save(deleting)
        self.deletion.start(deleting)
        return {}

    def _users(self, arn: str) -> list[str]:
        """Return the uses of a model that prevent its deletion."""
        flywheels = [
            f"active in {it.arn}" for it in self.store.all(FlywheelRecord) if _serves(it, arn)
        ]
        endpoints = [
            f"endpoint {item.arn}"
            for item in self.store.all(EndpointRecord)
            if arn in (item.model_arn, item.desired_model_arn)
        ]
        jobs = [
            f"job {item.arn}"
            for item in self.store.all(JobRecord)
            if item.is_active and item.model_arn == arn
        ]
        iterations = [
            f"iteration {item.iteration_id} of {item.flywheel_arn}"
            for item in self.store.all(IterationRecord)
            if item.is_active and item.evaluated_model_arn == arn
        ]
        return flywheels + endpoints + jobs + iterations

    def _iteration_of(self, model: ModelRecord) -> IterationRecord | None:
        """Return the iteration that is training a model, if there is one."""
        for iteration in self.store.all(IterationRecord, model.flywheel_arn):
            if iteration.model_arn == model.arn and iteration.is_active:
                return iteration
        return None


def _serves(flywheel: FlywheelRecord, model_arn: str) -> bool:
    return flywheel.active_model_arn == model_arn and flywheel.status != "DELETING"


def _kind(model: ModelRecord) -> str:
    return _RECOGNIZER if model.task == ENTITIES else _CLASSIFIER


def _properties(model: ModelRecord) -> dict[str, Any]:
    security = model.data_security_config or {}
    return {
        f"{_kind(model)}Arn": model.arn,
        "LanguageCode": model.language_code,
        "Status": model.status,
        "Message": model.message,
        "SubmitTime": model.submit_time,
        "EndTime": model.end_time,
        "TrainingStartTime": model.training_start_time,
        "TrainingEndTime": model.training_end_time,
        "OutputDataConfig": {"FlywheelStatsS3Prefix": model.statistics_s3_uri},
        "DataAccessRoleArn": model.data_access_role_arn,
        "VersionName": name_of(model.arn),
        "FlywheelArn": model.flywheel_arn,
        **{name: security.get(name) for name in ("ModelKmsKeyId", "VolumeKmsKeyId", "VpcConfig")},
        **(_recognizer(model) if model.task == ENTITIES else _classifier(model)),
    }


def _classifier(model: ModelRecord) -> dict[str, Any]:
    """Return the members that only classifiers have."""
    delimiter = label_delimiter(model.task, model.labels)
    metadata = {
        "NumberOfLabels": len(model.labels),
        **_documents(model),
        "EvaluationMetrics": model.metrics,
    }
    return {
        "InputDataConfig": {"DataFormat": "COMPREHEND_CSV", "LabelDelimiter": delimiter},
        "ClassifierMetadata": metadata if model.metrics else None,
        "Mode": model.task,
    }


def _recognizer(model: ModelRecord) -> dict[str, Any]:
    """Return the members that only recognizers have."""
    metrics, mentions = model.label_metrics or {}, model.train_mentions or {}
    metadata = {
        **_documents(model),
        "EvaluationMetrics": _percentages(model.metrics),
        "EntityTypes": [
            {
                "Type": kind,
                "EvaluationMetrics": _percentages(metrics.get(kind)),
                "NumberOfTrainMentions": mentions.get(kind, 0),
            }
            for kind in model.labels
        ],
    }
    return {
        "InputDataConfig": {
            "DataFormat": "COMPREHEND_CSV",
            "EntityTypes": [{"Type": kind} for kind in model.labels],
        },
        "RecognizerMetadata": metadata if model.metrics else None,
    }


def _documents(model: ModelRecord) -> dict[str, int | None]:
    return {
        "NumberOfTrainedDocuments": model.trained_documents,
        "NumberOfTestDocuments": model.test_documents,
    }


def _percentages(metrics: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if metrics is None else {name: 100 * value for name, value in metrics.items()}
