"""The model operations: describe and list the classifiers that iterations have trained.

Decides how a model is told. Knows no flywheel's rules. Read next: `local.comprehend.iteration_run`,
which makes models,
and `local.comprehend.recognizers` for the other kind.

Notes
-----
*Source*: botocore, DescribeDocumentClassifier, ListDocumentClassifiers,
DocumentClassifierProperties.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.comprehend.errors import ServiceError
from local.comprehend.listing import created_within, page, single_filter
from local.comprehend.naming import model_name, name_of
from local.comprehend.records import Model
from local.comprehend.store import Store
from local.comprehend.tasks import ENTITIES, MULTI_LABEL, lake_delimiter


@dataclass(frozen=True, slots=True)
class ModelOperations:
    """The operations on classifiers; each takes a validated request and returns a response."""

    store: Store

    def describe_document_classifier(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeDocumentClassifier."""
        arn = request["DocumentClassifierArn"]
        model = self.store.find(Model, arn)
        if model is None or model.task == ENTITIES:
            raise ServiceError("ResourceNotFoundException", f"There is no classifier {arn}.")
        return {"DocumentClassifierProperties": _properties(model)}

    def list_document_classifiers(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListDocumentClassifiers, newest first."""
        chosen = single_filter(request)
        name = chosen.get("DocumentClassifierName")
        matching = [
            model
            for model in self.store.all(Model)
            if model.task != ENTITIES
            and chosen.get("Status", model.status) == model.status
            and name in (None, model_name(model.arn))
            and created_within(chosen, model.submit_time, time="SubmitTime")
        ]
        shown, token = page(request, matching, lambda item: (item.submit_time, item.arn))
        return {
            "DocumentClassifierPropertiesList": [_properties(item) for item in shown],
            "NextToken": token,
        }


def _properties(model: Model) -> dict[str, Any]:
    return {
        "DocumentClassifierArn": model.arn,
        "LanguageCode": model.language_code,
        "Status": model.status,
        "Message": model.message,
        "SubmitTime": model.submit_time,
        "EndTime": model.end_time,
        "TrainingStartTime": model.training_start_time,
        "TrainingEndTime": model.training_end_time,
        "InputDataConfig": {
            "DataFormat": "COMPREHEND_CSV",
            "LabelDelimiter": (lake_delimiter(model.labels) if model.task == MULTI_LABEL else None),
        },
        "OutputDataConfig": {"FlywheelStatsS3Prefix": model.statistics_s3_uri},
        "ClassifierMetadata": {
            "NumberOfLabels": len(model.labels),
            "NumberOfTrainedDocuments": model.trained_documents,
            "NumberOfTestDocuments": model.test_documents,
            "EvaluationMetrics": model.metrics,
        },
        "DataAccessRoleArn": model.data_access_role_arn,
        "Mode": model.task,
        "VersionName": name_of(model.arn),
        "FlywheelArn": model.flywheel_arn,
    }
