"""Which InputDataConfig fits which task."""

from collections.abc import Callable
from typing import Any

import pytest

from comprehend_engine.documents.input_data import check_input_data
from comprehend_engine.errors import ServiceError
from engine_testing.rig import csv_at, entities_at, manifest_at

CSV = csv_at("s3://data/a.csv")
MULTI = csv_at("s3://data/a.csv", LabelDelimiter="~")
MANIFEST = manifest_at("s3://data/a.manifest", "labels")
ANNOTATED = entities_at("s3://data/d.txt", Annotations="s3://data/a.csv")
LISTED = entities_at("s3://data/d.txt", "ONE_DOC_PER_FILE", EntityList="s3://data/e.csv")


@pytest.mark.parametrize(
    ("config", "task"),
    [
        (CSV, "MULTI_CLASS"),
        (CSV, "MULTI_LABEL"),
        (MULTI, "MULTI_LABEL"),
        (ANNOTATED, "ENTITIES"),
        (LISTED, "ENTITIES"),
        *((MANIFEST, task) for task in ("MULTI_CLASS", "MULTI_LABEL", "ENTITIES")),
        ({"DocumentClassifierInputDataConfig": {"S3Uri": "s3://data/a.csv"}}, "MULTI_CLASS"),
    ],
)
def test_a_config_is_taken_when_it_fits_the_task(config: dict[str, Any], task: str) -> None:
    """CSV is the default format."""
    check_input_data(config, task)


def manifests(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return a config with a manifest that was changed."""
    config = manifest_at("s3://data/a.manifest", "labels")
    change(config["AugmentedManifests"][0])
    return config


@pytest.mark.parametrize(
    ("config", "task", "expected"),
    [
        (ANNOTATED, "MULTI_CLASS", "EntityRecognizerInputDataConfig does not fit"),
        (CSV, "ENTITIES", "DocumentClassifierInputDataConfig does not fit"),
        ({**CSV, **MANIFEST}, "MULTI_CLASS", "DocumentClassifierInputDataConfig does not fit"),
        (
            {**MANIFEST, "DataFormat": "COMPREHEND_CSV"},
            "ENTITIES",
            "AugmentedManifests does not fit: DataFormat COMPREHEND_CSV of a flywheel whose task "
            "is ENTITIES takes EntityRecognizerInputDataConfig",
        ),
        ({}, "MULTI_LABEL", "DocumentClassifierInputDataConfig is missing"),
        ({"DataFormat": "AUGMENTED_MANIFEST"}, "ENTITIES", "AugmentedManifests is missing"),
        (MULTI, "MULTI_CLASS", "LabelDelimiter does not fit"),
        (
            entities_at("s3://data/d.txt"),
            "ENTITIES",
            "takes one of Annotations and EntityList; it has neither",
        ),
        (
            entities_at("s3://data/d", Annotations="s3://data/a", EntityList="s3://data/e"),
            "ENTITIES",
            "it has Annotations and EntityList",
        ),
        (
            {**MANIFEST, "AugmentedManifests": MANIFEST["AugmentedManifests"] * 6},
            "MULTI_CLASS",
            "AugmentedManifests has 6 items; it takes 1 to 5",
        ),
        (
            manifests(lambda item: item.update(AttributeNames=[])),
            "MULTI_CLASS",
            "AugmentedManifests.1.AttributeNames has 0 names; it takes 1 to 5",
        ),
        (
            manifests(lambda item: item.update(DocumentType="SEMI_STRUCTURED_DOCUMENT")),
            "ENTITIES",
            "AugmentedManifests.1.DocumentType must be PLAIN_TEXT_DOCUMENT",
        ),
    ],
)
def test_a_config_is_refused_with_the_member_when_it_does_not_fit(
    config: dict[str, Any], task: str, expected: str
) -> None:
    """The message begins with where the problem is."""
    with pytest.raises(ServiceError) as refusal:
        check_input_data(config, task)
    assert refusal.value.code == "InvalidRequestException"
    assert refusal.value.message.startswith("InputDataConfig.")
    assert expected in refusal.value.message
