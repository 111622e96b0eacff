"""Multi-label flywheels over HTTP: datasets in each format, the lake, iterations, models."""

import json
from typing import Any

import pytest

from engine_testing.rig import (
    LABELS,
    LabeledRow,
    Rig,
    classifier_task,
    csv_at,
    manifest_at,
    rows,
)


def multi(documents_per_label: int, *, first: int = 0, delimiter: str = "|") -> list[LabeledRow]:
    """Make documents of one label or, every third, of both."""
    single = rows(documents_per_label, first=first)
    pairs = zip(single[::2], single[1::2], strict=True)
    both = [(delimiter.join(LABELS), f"{one} {other}") for (_, one), (_, other) in pairs]
    return [*single, *both]


@pytest.fixture(scope="module")
def flywheel(rig: Rig) -> str:
    """Make a flywheel whose documents may have both labels."""
    return rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))


def dataset(rig: Rig, flywheel: str, documents: list[LabeledRow], **more: Any) -> Any:
    """Create a dataset of labeled documents; return its description once it has ended."""
    delimiter = more.pop("delimiter", None)
    uri = rig.put(f"in/multi/{len(documents)}-{delimiter}.csv", documents)
    config = csv_at(uri, **({"LabelDelimiter": delimiter} if delimiter else {}))
    return rig.ended_dataset(rig.begin_dataset(flywheel, uri, InputDataConfig=config, **more))


def test_documents_have_their_known_labels_in_the_lake_when_a_dataset_is_completed(
    rig: Rig, flywheel: str
) -> None:
    """Unknown labels are ignored in silence; a document with no other is none."""
    documents = [*multi(20), ("billing|praise|billing", "both words"), ("praise", "nice")]
    seen = dataset(rig, flywheel, documents)
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 61)
    (copy,) = rig.in_lake(seen["DatasetS3Uri"]).values()
    assert "billing,both words" in copy
    assert "billing|delivery," in copy
    assert "praise" not in copy


def test_labels_are_divided_by_the_delimiter_when_one_is_told(rig: Rig, flywheel: str) -> None:
    """A wrong delimiter joins the labels into an unknown one."""
    documents = multi(30, delimiter="~")
    assert dataset(rig, flywheel, documents, delimiter="~")["NumberOfDocuments"] == 90
    assert dataset(rig, flywheel, documents)["NumberOfDocuments"] == 60


def test_a_label_may_hold_the_default_delimiter_when_another_divides(rig: Rig) -> None:
    """The lake uses a delimiter that no label contains."""
    labels = ("billing|money", "delivery")
    flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", labels))
    documents = [(";".join(labels), text) for _, text in rows(30)]
    seen = dataset(rig, flywheel, documents, delimiter=";")
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 60)
    (copy,) = rig.in_lake(seen["DatasetS3Uri"]).values()
    assert "billing|money~delivery," in copy


def test_a_manifest_is_read_when_the_format_is_told(rig: Rig, flywheel: str) -> None:
    """Labels come from the class map; rows that were not labeled are no documents."""
    lines = [
        {
            "source": text,
            "kind": list(range(len(label.split("|")))),
            "kind-metadata": {
                "class-map": {str(n): name for n, name in enumerate(label.split("|"))}
            },
        }
        for label, text in multi(20)
    ]
    body = "".join(f"{json.dumps(line)}\n" for line in [*lines, {"source": "not labeled"}])
    uri = rig.put_text("in/multi.manifest", body)
    arn = rig.begin_dataset(flywheel, uri, InputDataConfig=manifest_at(uri, "kind"))
    seen = rig.ended_dataset(arn)
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 60)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        (
            [*rows(60, labels=("billing",)), *rows(3, labels=("delivery",))],
            "at least 10 documents; too few: delivery (3)",
        ),
        (multi(12), "needs at least 50 documents; it has 36: billing (24), delivery (24)"),
        ([("praise|blame", "x")], "labels of the documents: praise (1), blame (1)"),
    ],
)
def test_a_dataset_fails_with_labels_and_counts_when_it_is_too_small(
    rig: Rig, flywheel: str, documents: list[LabeledRow], expected: str
) -> None:
    """Each label has a minimum, and so has the dataset."""
    seen = dataset(rig, flywheel, documents)
    assert seen["Status"] == "FAILED"
    assert expected in seen["Message"]


def test_a_model_is_trained_and_measured_when_an_iteration_completes(rig: Rig) -> None:
    """Accuracy counts decisions; the lake has a matrix per label; the model has its mode."""
    flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS, "de"))
    dataset(rig, flywheel, multi(30))
    dataset(rig, flywheel, multi(6, first=100), DatasetType="TEST")
    seen = rig.iterated(flywheel)
    assert seen["Status"] == "COMPLETED", seen["Message"]
    metrics = seen["TrainedModelMetrics"]
    assert metrics["AverageF1Score"] > 0.9
    place = f"{seen['EvaluationManifestS3Prefix']}{seen['TrainedModelArn'].rsplit('/', 1)[-1]}/"
    files = rig.in_lake(place)
    matrix = json.loads(files["confusion_matrix.json"])
    assert matrix["type"] == "multi_label"
    assert [sum(map(sum, label)) for label in matrix["confusion_matrix"]] == [18, 18]
    right = sum(label[0][0] + label[1][1] for label in matrix["confusion_matrix"])
    assert metrics["AverageAccuracy"] == pytest.approx(right / 36)
    model = rig.comprehend.describe_document_classifier(
        DocumentClassifierArn=seen["TrainedModelArn"]
    )["DocumentClassifierProperties"]
    assert (model["Mode"], model["LanguageCode"]) == ("MULTI_LABEL", "de")
    assert model["InputDataConfig"]["LabelDelimiter"] == "|"
    returned = model["ClassifierMetadata"]
    assert (returned["NumberOfTrainedDocuments"], returned["NumberOfTestDocuments"]) == (90, 18)
    loss = returned["EvaluationMetrics"]["HammingLoss"]
    assert loss == pytest.approx(1 - metrics["AverageAccuracy"])


def test_task_and_data_are_inherited_when_a_flywheel_begins_with_a_model(rig: Rig) -> None:
    """Documents keep their labels; the heir's iteration evaluates that model."""
    flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))
    dataset(rig, flywheel, multi(30))
    dataset(rig, flywheel, multi(6, first=100), DatasetType="TEST")
    model = rig.iterated(flywheel)["TrainedModelArn"]
    heir = rig.flywheel(ActiveModelArn=model)
    returned = rig.described(heir)["TaskConfig"]["DocumentClassificationConfig"]
    assert returned == {"Mode": "MULTI_LABEL", "Labels": list(LABELS)}
    datasets = rig.comprehend.list_datasets(FlywheelArn=heir)["DatasetPropertiesList"]
    assert sorted(item["NumberOfDocuments"] for item in datasets) == [18, 90]
    ended = rig.iterated(heir)
    assert ended["EvaluatedModelMetrics"] == ended["TrainedModelMetrics"]
