"""The recognizer operations, and the summaries of both kinds of models: describe and list.

Decides how a recognizer is told: its metrics from 0 to 100, where a flywheel's are parts of 1.
Knows no flywheel's rules. Read next: `local.comprehend.models` (classifiers) and
`local.comprehend.entity_evaluation`.

Notes
-----
*Source*: botocore, DescribeEntityRecognizer, ListEntityRecognizers, ListEntityRecognizerSummaries,
ListDocumentClassifierSummaries, EntityRecognizerEvaluationMetrics ("For plain text entity
recognizer models, the range is 0 to 100"); AWS CLI example describe-entity-recognizer, where the
metrics of each type have that range, too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from local.comprehend.errors import ServiceError
from local.comprehend.listing import created_within, page, single_filter
from local.comprehend.naming import model_name, name_of
from local.comprehend.records import Model
from local.comprehend.store import Store
from local.comprehend.tasks import ENTITIES


@dataclass(frozen=True, slots=True)
class RecognizerOperations:
    """The operations on recognizers, and the summaries of models."""

    store: Store

    def describe_entity_recognizer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEntityRecognizer."""
        arn = request["EntityRecognizerArn"]
        model = self.store.find(Model, arn)
        if model is None or model.task != ENTITIES:
            raise ServiceError("ResourceNotFoundException", f"There is no recognizer {arn}.")
        return {"EntityRecognizerProperties": _properties(model)}

    def list_entity_recognizers(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEntityRecognizers, newest first."""
        chosen = single_filter(request)
        name = chosen.get("RecognizerName")
        matching = [
            model
            for model in self.store.all(Model)
            if model.task == ENTITIES
            and chosen.get("Status", model.status) == model.status
            and name in (None, model_name(model.arn))
            and created_within(chosen, model.submit_time, time="SubmitTime")
        ]
        shown, token = page(request, matching, lambda item: (item.submit_time, item.arn))
        return {
            "EntityRecognizerPropertiesList": [_properties(item) for item in shown],
            "NextToken": token,
        }

    def list_entity_recognizer_summaries(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEntityRecognizerSummaries, newest first."""
        recognizers = (model for model in self.store.all(Model) if model.task == ENTITIES)
        shown, token = _summaries(request, recognizers, "RecognizerName")
        return {"EntityRecognizerSummariesList": shown, "NextToken": token}

    def list_document_classifier_summaries(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListDocumentClassifierSummaries, newest first."""
        classifiers = (model for model in self.store.all(Model) if model.task != ENTITIES)
        shown, token = _summaries(request, classifiers, "DocumentClassifierName")
        return {"DocumentClassifierSummariesList": shown, "NextToken": token}


def _summaries(
    request: Mapping[str, Any], models: Iterable[Model], name_member: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of models with the same name as one, and the token of the next."""
    by_name = sorted(models, key=lambda model: (model_name(model.arn), model.submit_time))
    versions = [
        list(group) for _, group in groupby(by_name, key=lambda model: model_name(model.arn))
    ]
    shown, token = page(request, versions, lambda item: (item[-1].submit_time, item[-1].arn))
    return [
        {
            name_member: model_name(latest.arn),
            "NumberOfVersions": len(group),
            "LatestVersionCreatedAt": latest.submit_time,
            "LatestVersionName": name_of(latest.arn),
            "LatestVersionStatus": latest.status,
        }
        for group in shown
        for latest in group[-1:]
    ], token


def _properties(model: Model) -> dict[str, Any]:
    return {
        "EntityRecognizerArn": model.arn,
        "LanguageCode": model.language_code,
        "Status": model.status,
        "Message": model.message,
        "SubmitTime": model.submit_time,
        "EndTime": model.end_time,
        "TrainingStartTime": model.training_start_time,
        "TrainingEndTime": model.training_end_time,
        "InputDataConfig": {
            "DataFormat": "COMPREHEND_CSV",
            "EntityTypes": [{"Type": kind} for kind in model.labels],
        },
        "RecognizerMetadata": {
            "NumberOfTrainedDocuments": model.trained_documents,
            "NumberOfTestDocuments": model.test_documents,
            "EvaluationMetrics": _percentages(model.metrics),
            "EntityTypes": _types(model),
        },
        "DataAccessRoleArn": model.data_access_role_arn,
        "VersionName": name_of(model.arn),
        "FlywheelArn": model.flywheel_arn,
        "OutputDataConfig": {"FlywheelStatsS3Prefix": model.statistics_s3_uri},
    }


def _types(model: Model) -> list[dict[str, Any]] | None:
    """Return what is known of each type, once the model is trained."""
    if model.train_mentions is None:
        return None
    metrics = model.label_metrics or {}
    return [
        {
            "Type": kind,
            "EvaluationMetrics": _percentages(metrics.get(kind)),
            "NumberOfTrainMentions": model.train_mentions.get(kind, 0),
        }
        for kind in model.labels
    ]


def _percentages(metrics: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if metrics is None else {name: 100 * part for name, part in metrics.items()}
