"""What the product writes as datasets is what the engine takes, task by task."""

from typing import Any

import pytest

from adapters.comprehend import Comprehend
from engine_testing.rig import BUCKET, Rig, classifier_task, entity_task
from flywheel.batches.dataset_files import dataset_files
from flywheel.batches.uploads import DatasetKind
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.settings.data_format import DataFormat

CLASSES = classifier_task("MULTI_CLASS", ["hot, dry", "wet"])
SEVERAL = classifier_task("MULTI_LABEL", ["hot, dry", "wet|cold"])
TYPES = entity_task(["CITY"])
SINGLE = [LabeledRow(label, f'"{label}" {n}') for n in range(30) for label in ("hot, dry", "wet")]
ANNOTATED = [LabeledRow('[[0,4,"CITY"]]', f"Rome, for the {n}th time") for n in range(60)]
LISTED = [
    *(LabeledRow("", f"It is {n} km to Rome, and no way to Łódź") for n in range(120)),
    *(LabeledRow("CITY", city) for city in ("Rome", "Łódź")),
]


@pytest.mark.parametrize(
    ("task", "shape", "rows", "documents"),
    [
        (CLASSES, DataFormat(), SINGLE, 60),
        (
            SEVERAL,
            DataFormat(mode="multi-label", delimiter="~"),
            [LabeledRow("hot, dry~wet|cold", f"text, {n}") for n in range(60)],
            60,
        ),
        (TYPES, DataFormat(task="entities"), [*ANNOTATED, LabeledRow("[]", "nowhere")], 61),
        (TYPES, DataFormat(task="entities", entities_from="list"), LISTED, 120),
    ],
    ids=["multi-class", "multi-label", "annotations", "entity list"],
)
def test_the_engine_takes_a_dataset_when_the_product_has_written_it(
    rig: Rig, task: dict[str, Any], shape: DataFormat, rows: list[LabeledRow], documents: int
) -> None:
    """Files of a few rows each, under a prefix, and the request that names them."""
    flywheel = rig.flywheel(**task)
    prefix = f"written/{shape.mode}-{shape.task}-{shape.entities_from}/"
    files = list(dataset_files(rows, shape, most_bytes=1000))
    assert len(files) > 1
    for name, body in files:
        rig.put_text(f"{prefix}{name}", body.decode())
    arn = Comprehend(flywheel, rig.comprehend, rig.s3).create_dataset(
        "written",
        DatasetKind.TRAIN,
        f"s3://{BUCKET}/{prefix}",
        shape=shape,
        token="token",
        description="written by the product",
    )
    seen = rig.ended_dataset(arn)
    assert (seen["Status"], seen.get("Message")) == ("COMPLETED", None)
    assert seen["NumberOfDocuments"] == documents
