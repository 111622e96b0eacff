import json
from typing import Any

import pytest

from flywheel.intake.labeled_documents import Allowance, LabeledDocuments, Report, UploadFault
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.settings.data_format import DataFormat

MULTI = DataFormat(mode="multi-label")
ENTITIES = DataFormat(task="entities")


def read(rows: list[Any], shape: DataFormat = DataFormat()) -> tuple[list[LabeledRow], Report]:  # noqa: B008 - frozen
    """Return the rows and the report of a manifest."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    data = "".join(f"{line}\n" for line in lines).encode()
    types = ["PERSON"] if shape.task == "entities" else ["A", "B"]
    documents = LabeledDocuments(
        [data], types, Allowance(1000, 1.0), shape=shape, name="job.manifest"
    )
    return list(documents), documents.report


def one(name: str = "A", text: str = "one") -> dict[str, Any]:
    """Return a row of a labeling job for one label."""
    return {"source": text, "job": 0, "job-metadata": {"class-name": name, "confidence": 0.9}}


def test_labels_are_read_when_a_job_gave_one_each() -> None:
    """The label is the class name; line breaks of the source become spaces."""
    rows, report = read([one(), one("B", "two\r\nlines")])
    assert rows == [LabeledRow("A", "one"), LabeledRow("B", "two  lines")]
    assert report.repairs == {"line breaks within texts became spaces": 1}


def test_labels_are_read_when_a_job_gave_several() -> None:
    """The labels are the values of the class map, sorted."""
    metadata = {"class-map": {"1": "B", "0": "A"}}
    rows, _ = read([{"source": "one", "job": [1, 0], "job-metadata": metadata}], MULTI)
    assert rows == [LabeledRow("A|B", "one")]


def test_annotations_are_read_when_a_job_gave_entities() -> None:
    """Offsets count the source's characters, line breaks as one each."""
    value = {"annotations": {"entities": [{"startOffset": 3, "endOffset": 7, "label": "PERSON"}]}}
    row = {"source": "a\n Mary", "job": value, "job-metadata": {}}
    rows, report = read([row], ENTITIES)
    assert rows == [LabeledRow('[[3,7,"PERSON"]]', "a  Mary")]
    assert report.label_counts == {"PERSON": 1}


@pytest.mark.parametrize(
    ("row", "fault", "words"),
    [
        (
            {"source": "x", "job-metadata": {"failure-reason": "no answer"}},
            UploadFault.LABELING_FAILED,
            "the labeling job failed",
        ),
        (one("C"), UploadFault.UNKNOWN_LABEL, "unknown label 'C'"),
        ({"source": "x"}, UploadFault.EMPTY_LABEL, "no label attribute"),
        ({"source": "x", "job": 1, "job-metadata": {}}, UploadFault.EMPTY_LABEL, "no class-name"),
        (one(text=" "), UploadFault.EMPTY_TEXT, "empty text"),
    ],
)
def test_a_row_is_left_out_when_its_answer_cannot_be_used(
    row: dict[str, Any], fault: UploadFault, words: str
) -> None:
    """What a labeler did not finish is told with its line, and the others are taken."""
    rows, report = read([one(), row, one("B", "two")])
    assert [found.text for found in rows] == ["one", "two"]
    assert not report.is_refused
    assert (report.problems[0].fault, report.problems[0].line) == (fault, 2)
    assert words in report.lines(quotes_values=True)[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ({"source-ref": "s3://a/b", "job": 0}, "source-ref"),
        ({"job": 0}, "no source"),
        ({**one(), "other": 1, "other-metadata": {}}, "several label attributes"),
    ],
)
def test_a_file_is_refused_when_a_row_is_no_labeled_text(row: Any, words: str) -> None:
    """What is no row of a manifest for this flywheel refuses it."""
    _, report = read([one(), row])
    assert report.is_refused
    assert words in report.lines(quotes_values=True)[0]


def test_an_attribute_is_chosen_when_the_settings_name_it() -> None:
    """Of several jobs in a manifest the flywheel's counts."""
    row = {**one(), "check": 0, "check-metadata": {"class-name": "B"}}
    assert read([row], DataFormat(label_attribute="check"))[0] == [LabeledRow("B", "one")]


@pytest.mark.parametrize(
    ("entity", "fault"),
    [
        ({"startOffset": 0, "endOffset": 4, "label": "PLACE"}, UploadFault.UNKNOWN_LABEL),
        ({"startOffset": 0, "endOffset": 99, "label": "PERSON"}, UploadFault.ANNOTATION),
        ({"startOffset": 0, "label": "PERSON"}, UploadFault.ANNOTATION),
    ],
)
def test_a_document_is_left_out_when_its_annotations_are_wrong(
    entity: dict[str, Any], fault: UploadFault
) -> None:
    """The same rules hold as for a file of annotations."""
    row = {"source": "Mary", "job": {"annotations": {"entities": [entity]}}}
    rows, report = read([row], ENTITIES)
    assert rows == []
    assert report.problem_counts[fault] == 1
