"""The model operations, over HTTP."""

import pytest
from botocore.exceptions import ClientError

from engine_testing.rig import ROLE, Rig


def test_a_model_is_described_when_an_iteration_has_trained_it(rig: Rig) -> None:
    """The response has counts, metrics, times and the flywheel."""
    flywheel, arn = rig.trained()
    seen = rig.comprehend.describe_document_classifier(DocumentClassifierArn=arn)[
        "DocumentClassifierProperties"
    ]
    assert (seen["Status"], seen["FlywheelArn"], seen["Mode"]) == (
        "TRAINED",
        flywheel,
        "MULTI_CLASS",
    )
    assert seen["VersionName"].startswith("Comprehend-Generated-v1-")
    assert arn.endswith(f"/version/{seen['VersionName']}")
    metadata = seen["ClassifierMetadata"]
    assert metadata["NumberOfLabels"] == 2
    assert metadata["NumberOfTrainedDocuments"] == 24
    assert metadata["NumberOfTestDocuments"] == 10
    assert metadata["EvaluationMetrics"]["F1Score"] > 0.9
    assert seen["SubmitTime"] <= seen["TrainingStartTime"] <= seen["TrainingEndTime"]
    assert seen["DataAccessRoleArn"] == ROLE


def test_a_model_is_in_error_when_its_iteration_failed(rig: Rig) -> None:
    """It is listed under its flywheel's name and can never become active."""
    flywheel = rig.flywheel()
    rig.iterated(flywheel)
    name = flywheel.rsplit("/", 1)[-1]
    (model,) = rig.comprehend.list_document_classifiers(Filter={"DocumentClassifierName": name})[
        "DocumentClassifierPropertiesList"
    ]
    assert model["Status"] == "IN_ERROR"
    with pytest.raises(ClientError, match="must be TRAINED"):
        rig.comprehend.update_flywheel(
            FlywheelArn=flywheel, ActiveModelArn=model["DocumentClassifierArn"]
        )


def test_models_are_filtered_when_a_status_is_asked(rig: Rig) -> None:
    """One filter member at a time, as documented."""
    _, arn = rig.trained()
    trained = rig.comprehend.list_document_classifiers(Filter={"Status": "TRAINED"}, MaxResults=500)
    listed = [item["DocumentClassifierArn"] for item in trained["DocumentClassifierPropertiesList"]]
    assert arn in listed
    with pytest.raises(ClientError, match="InvalidFilterException"):
        rig.comprehend.list_document_classifiers(
            Filter={"Status": "TRAINED", "DocumentClassifierName": "a"}
        )
