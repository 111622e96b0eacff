"""The model operations: describe and list the classifiers and recognizers of iterations.

Decides the form of a model in a response: a recognizer's metrics are between 0 and 100, those of a
flywheel's iterations between 0 and 1. Knows no flywheel's rules. Read next:
`comprehend_engine.lifecycles.iteration_run`, which makes models, and
`comprehend_engine.operations.model_termination`, which ends them.

Notes
-----
*Source*: botocore, DescribeDocumentClassifier ... ListEntityRecognizerSummaries (the members that
both kinds have share their names), EntityRecognizerEvaluationMetrics ("For plain text entity
recognizer models, the range is 0 to 100"); AWS CLI example describe-entity-recognizer, where the
metrics of each type have that range, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from comprehend_engine.operations.listing import created_within, page, single_member_filter
from comprehend_engine.operations.request_checks import requested_resource
from comprehend_engine.storage.records import ModelRecord
from comprehend_engine.storage.resource_names import model_name, name_of
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import ENTITIES, label_delimiter

_CLASSIFIER, _RECOGNIZER = "DocumentClassifier", "EntityRecognizer"
_NAME_MEMBER = {_CLASSIFIER: "DocumentClassifierName", _RECOGNIZER: "RecognizerName"}


@dataclass(frozen=True, slots=True)
class ModelOperations:
    """The operations on models; each takes a validated request and returns a response."""

    store: Store

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
