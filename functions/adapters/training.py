"""The training that a flywheel's iteration has under way, and its stop by a person.

There is no call that stops an iteration: what can be stopped is the training of its model, and the
iteration ends STOPPED with it. While it trains, only the lists of models tell which model that is.
"""

from typing import TYPE_CHECKING

from adapters.service_errors import translate_aws_errors

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient


def model_in_training(client: "ComprehendClient", flywheel_arn: str) -> str | None:
    """Return the model that a flywheel's iteration trains now, if one does."""
    with translate_aws_errors("comprehend:DescribeFlywheel"):
        answer = client.describe_flywheel(FlywheelArn=flywheel_arn)
    if answer["FlywheelProperties"].get("ModelType") == "ENTITY_RECOGNIZER":
        return _recognizer_in_training(client, flywheel_arn)
    with translate_aws_errors("comprehend:ListDocumentClassifiers"):
        pages = client.get_paginator("list_document_classifiers").paginate(
            Filter={"Status": "TRAINING"}
        )
        for page in pages:
            for model in page["DocumentClassifierPropertiesList"]:
                if model.get("FlywheelArn") == flywheel_arn:
                    return model["DocumentClassifierArn"]
    return None


def _recognizer_in_training(client: "ComprehendClient", flywheel_arn: str) -> str | None:
    with translate_aws_errors("comprehend:ListEntityRecognizers"):
        pages = client.get_paginator("list_entity_recognizers").paginate(
            Filter={"Status": "TRAINING"}
        )
        for page in pages:
            for model in page["EntityRecognizerPropertiesList"]:
                if model.get("FlywheelArn") == flywheel_arn:
                    return model["EntityRecognizerArn"]
    return None


def stop_training(client: "ComprehendClient", model_arn: str) -> None:
    """Ask for the stop; the model and its iteration are STOP_REQUESTED, then STOPPED."""
    if ":entity-recognizer/" in model_arn:
        with translate_aws_errors("comprehend:StopTrainingEntityRecognizer"):
            client.stop_training_entity_recognizer(EntityRecognizerArn=model_arn)
    else:
        with translate_aws_errors("comprehend:StopTrainingDocumentClassifier"):
            client.stop_training_document_classifier(DocumentClassifierArn=model_arn)
