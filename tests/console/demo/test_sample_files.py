"""Each flywheel's sample file is one that its environment accepts, whatever its rows look like."""

from pathlib import Path

import pytest

from console.demo.sample_files import write_sample
from console.demo.sample_tickets import LABELS
from console.validate.validating import opened
from flywheel.settings.environment import FlywheelSettings

CLASSES = {"name": "mine", "task": "classification", "mode": "multi-class", "language": "en"}
PEOPLE = {
    "name": "people",
    "task": "entities",
    "language": "en",
    "entity_types": ["PERSON", "BIG_CITY"],
}
ODD = ["hot, dry", 'say "a"', "wet;cold", "Ämter"]


@pytest.mark.parametrize(
    "settings",
    [
        CLASSES | {"labels": list(LABELS)},
        CLASSES | {"labels": ODD},
        CLASSES | {"labels": ODD, "csv": {"sep": ";"}},
        CLASSES | {"labels": ODD, "csv": {"label": 4, "text": 2}},
        CLASSES | {"labels": ODD, "csv": {"header": True, "label": "topic", "text": 1}},
        CLASSES | {"labels": ODD, "csv": {"header": True, "label": "topic", "text": "body"}},
        CLASSES | {"labels": [f"L{number}" for number in range(150)]},
        CLASSES | {"labels": ODD, "mode": "multi-label", "label_delimiter": "~"},
    ],
    ids=["tickets", "odd", "sep", "places", "a name", "names", "150", "several"],
)
def test_every_label_has_documents_when_the_task_is_classification(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    """No row is left out or dropped, and a first model has ten documents a label."""
    flywheel = FlywheelSettings.model_validate(settings)
    path = write_sample(tmp_path, flywheel)
    assert path is not None
    report = opened(path, flywheel.labels, shape=flywheel.shape()).read_through()
    assert not report.problems
    assert not report.duplicates
    assert set(report.label_counts) == set(flywheel.labels or ())
    assert min(report.label_counts.values()) >= 10


@pytest.mark.parametrize("extra", [{}, {"label_attribute": "names"}])
def test_every_type_is_annotated_when_the_task_is_entities(
    tmp_path: Path, extra: dict[str, object]
) -> None:
    """One file, although other uploads of such a flywheel are pairs."""
    flywheel = FlywheelSettings.model_validate(PEOPLE | extra)
    path = write_sample(tmp_path, flywheel)
    assert path is not None
    report = opened(path, flywheel.entity_types, shape=flywheel.shape()).read_through()
    assert not report.problems
    assert set(report.label_counts) == {"PERSON", "BIG_CITY"}


def test_there_is_no_sample_when_an_upload_is_always_two_files(tmp_path: Path) -> None:
    """Documents with a list of entities have no form that is a single file."""
    flywheel = FlywheelSettings.model_validate(PEOPLE | {"entities_from": "list"})
    assert write_sample(tmp_path, flywheel) is None
    assert not list(tmp_path.iterdir())


def test_documents_have_several_labels_when_they_may(tmp_path: Path) -> None:
    """Else a multi-label classifier would be shown nothing of what it is for."""
    flywheel = FlywheelSettings.model_validate(
        CLASSES | {"labels": ODD, "mode": "multi-label", "label_delimiter": "~"}
    )
    path = write_sample(tmp_path, flywheel)
    assert path is not None
    rows = list(opened(path, flywheel.labels, shape=flywheel.shape()))
    assert sum("~" in row.label for row in rows) == len(rows) // 2
