"""What the service says of a model: its values per label, and the training that is under way.

A recognizer's values per label are in its description. A classifier's are in the archive that its
description names, if it names one: documented for a classifier of its own, and not for versions
that a flywheel trained. The data lake is not searched for it, as its layout may change. No call
stops an iteration: what can be stopped is the training of its model, and the iteration ends STOPPED
with it. Read next: `flywheel.evaluation.label_metrics` (the forms).

Notes
-----
*Source*: botocore, DocumentClassifierOutputDataConfig ("output.tar.gz. It is a compressed archive
that contains the confusion matrix"); developer guide, "Custom classifier training output" and
"Flywheel data lake".
"""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.objects import Objects
from adapters.service_errors import translate_aws_errors
from flywheel.errors import LabelsUnknownError
from flywheel.evaluation.label_metrics import ModelLabels, of_confusion, of_recognizer

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient
    from mypy_boto3_s3 import S3Client


_MATRIX = "confusion_matrix.json"


def labels_of_recognizer(properties: Mapping[str, Any], average_f1: float | None) -> ModelLabels:
    """Read EntityRecognizerProperties."""
    return of_recognizer(properties.get("RecognizerMetadata") or {}, average_f1)


def labels_of_classifier(properties: Mapping[str, Any], s3: "S3Client") -> ModelLabels:
    """Read the archive that DocumentClassifierProperties name.

    Raises
    ------
    LabelsUnknownError
        They name none, or it is of another form.
    ServiceRefusedError
        It may not be read, or is not there.
    """
    uri = (properties.get("OutputDataConfig") or {}).get("S3Uri", "")
    if not uri.endswith(".tar.gz"):
        raise LabelsUnknownError("DescribeDocumentClassifier names no confusion matrix")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    archive = b"".join(Objects(bucket, s3).chunks(key))
    try:
        document = json.loads(_matrix(archive))
    except (KeyError, ValueError, tarfile.TarError, OSError) as error:
        raise LabelsUnknownError(f"{uri} cannot be read: {error}") from error
    return of_confusion(document)


def _matrix(archive: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for member in files:
            if member.isfile() and member.name.rpartition("/")[2] == _MATRIX:
                file = files.extractfile(member)
                if file is not None:
                    return file.read()
    raise KeyError(f"it holds no {_MATRIX}")


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
