r"""Augmented manifests; every fixture is written by hand from the format's rules."""

import json
from typing import Any

import pytest

from comprehend_engine.documents.augmented_manifests import (
    ManifestRow,
    labels_of,
    manifest_rows,
    spans_of,
)
from comprehend_engine.errors import DatasetRefusedError

MULTI_CLASS = {
    "source": "I was charged twice",
    "topic": 3,
    "topic-metadata": {
        "class-name": "billing",
        "confidence": 0.6,
        "human-annotated": "yes",
        "type": "groundtruth/text-classification",
        "creation-date": "2020-05-21T17:36:45",
        "job-name": "labeling-job/topics",
    },
}
MULTI_LABEL = {
    "source": "Charged, and still not here",
    "topics": [0, 2],
    "topics-metadata": {
        "class-map": {"0": "billing", "2": "delivery"},
        "confidence-map": {"0": 0.9, "2": 0.7},
        "type": "groundtruth/text-classification-multilabel",
    },
}
ENTITIES = {
    "source": "Mary lives in Rome",
    "names": {
        "annotations": {
            "entities": [
                {"startOffset": 0, "endOffset": 4, "label": "PERSON"},
                {"startOffset": 14, "endOffset": 18, "label": "CITY"},
            ],
            "labels": [{"label": "PERSON", "shortDisplayName": "P"}, {"label": "CITY"}],
        }
    },
    "names-metadata": {"type": "groundtruth/text-span", "human-annotated": "yes"},
}


def read(*documents: Any, names: tuple[str, ...] = ("topic",)) -> list[ManifestRow]:
    """Read a manifest of these rows."""
    content = "".join(f"{json.dumps(document)}\n" for document in documents)
    return list(manifest_rows(content.encode(), "a.manifest", names))


def test_a_document_has_one_label_when_its_metadata_has_a_class_name() -> None:
    """The number in the attribute itself is ignored."""
    (row,) = read(MULTI_CLASS)
    assert (labels_of(row), row.text) == (("billing",), "I was charged twice")


def test_a_document_has_the_chosen_labels_when_its_metadata_has_a_class_map() -> None:
    """The attribute lists what was chosen; the map may name more."""
    several = {**MULTI_LABEL, "topics": [2]}
    first, second = read(MULTI_LABEL, several, names=("topics",))
    assert labels_of(first) == ("billing", "delivery")
    assert labels_of(second) == ("delivery",)


def test_a_document_has_annotations_when_its_attribute_has_entities() -> None:
    """Offsets are characters, ends exclusive."""
    (row,) = read(ENTITIES, names=("names",))
    assert spans_of(row) == [(0, 4, "PERSON"), (14, 18, "CITY")]


def test_attributes_are_added_up_when_several_are_named() -> None:
    """Chained jobs write one each; a label of both counts once."""
    again = {"again": 1, "again-metadata": {"class-name": "delivery"}}
    (row,) = read({**MULTI_CLASS, **again}, names=("topic", "again", "absent"))
    assert labels_of(row) == ("billing", "delivery")


def test_a_row_is_no_document_when_it_was_not_labeled() -> None:
    """The job did not reach it, or failed on it."""
    failed = {**MULTI_CLASS, "topic-metadata": {"failure-reason": "no consolidation"}}
    assert read({"source": "not reached"}, failed) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"source": "a"', "a.manifest, line 1: not a JSON object"),
        (b"\n[1]\n", "a.manifest, line 2: not a JSON object"),
        (b'{"topic": 1}\n', "a.manifest, line 1: no source"),
        (b'{"source-ref": "s3://data/1.txt", "topic": 1}\n', "line 1: .* is in s3://data/1.txt"),
        (b'{"source": "\xff"}', "line 1: the file is not UTF-8"),
        (b'{"source": "\\ud800", "topic": 1}', "line 1: the source is not valid text"),
    ],
)
def test_a_manifest_is_refused_with_its_line_when_it_is_not_in_the_format(
    content: bytes, expected: str
) -> None:
    """The message names file and line."""
    with pytest.raises(DatasetRefusedError, match=expected):
        list(manifest_rows(content, "a.manifest", ["topic"]))


def test_an_answer_is_refused_when_it_is_one_of_another_task() -> None:
    """The message names line and attribute."""
    (entities,) = read(ENTITIES, names=("names",))
    (classified,) = read(MULTI_CLASS)
    with pytest.raises(DatasetRefusedError, match="line 1: names has no class-name"):
        labels_of(entities)
    with pytest.raises(DatasetRefusedError, match=r"line 1: topic has no annotations\.entities"):
        spans_of(classified)
