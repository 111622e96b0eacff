"""What the demonstration does with labels of each task."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.demo.data import own_data, sample_data
from console.demo.environment import write_environment
from console.demo.split import DemoDataError, split_for_demo, with_wrong_labels
from console.demo.tasks import broken_pair, moved_annotations, upload_files
from flywheel.intake.labeled_documents import LabeledDocuments, Stream, UploadFault
from flywheel.intake.labeled_rows import spans_of
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment_file import parse_environment

ENTITIES = DataFormat(task="entities")
SEVERAL = DataFormat(mode="multi-label", delimiter="~")


def annotated(count: int, *, first: int = 0) -> list[tuple[str, str]]:
    """Make rows of a person each, and of a city in every second."""
    rows = []
    for number in range(first, first + count):
        text = f"Mary {number} lives in Rome"
        spans = [[0, 4, "PERSON"], *([[len(text) - 4, len(text), "CITY"]] if number % 2 else [])]
        rows.append((str(spans).replace("'", '"').replace(" ", ""), text))
    return rows


def write_pair(folder: Path, rows: list[tuple[str, str]]) -> None:
    """Write documents and annotations under the names that the demonstration looks for."""
    folder.mkdir(parents=True)
    for name, body in upload_files("x", rows, ENTITIES):
        plain = name.replace("-x", "")
        (folder / plain).write_bytes(body.replace(b"documents-x.txt", b"documents.txt"))


def test_the_pairs_are_cut_when_the_data_is_of_entities(tmp_path: Path) -> None:
    """Types are told, every document is used once, and each part has both kinds of rows."""
    write_pair(tmp_path / "train", annotated(60))
    write_pair(tmp_path / "test", annotated(10, first=100))
    data = own_data(tmp_path, ENTITIES)
    assert data.labels == ("CITY", "PERSON")
    assert (len(data.parts.test), len(data.parts.first), len(data.parts.more)) == (10, 18, 30)
    texts = {text for _, text in (*data.parts.first, *data.parts.more, *data.parts.mislabeled)}
    assert texts == {text for _, text in annotated(60)}
    assert any("CITY" not in label for label, _ in data.parts.first)


def test_it_is_said_when_a_folder_has_no_documents(tmp_path: Path) -> None:
    """The message says where they are looked for."""
    with pytest.raises(DemoDataError, match=r"holds no documents\.txt"):
        own_data(tmp_path, ENTITIES)


def test_annotations_are_wrong_when_they_are_moved() -> None:
    """As many as before, each on a word that had none; always the same ones."""
    rows = [*annotated(20), ("[]", "Nobody is here")]
    moved = moved_annotations(rows, ["CITY", "PERSON"], seed=1)
    assert moved == moved_annotations(rows, ["CITY", "PERSON"], seed=1)
    for (before, text), (after, same) in zip(rows, moved, strict=True):
        assert same == text
        assert len(spans_of(after)) == max(1, len(spans_of(before)))
        assert not set(spans_of(before)) & set(spans_of(after))


def test_no_label_of_a_row_stays_when_it_gets_a_wrong_one() -> None:
    """With a delimiter a row has several; the wrong one is none of them."""
    rows = [("a~b", "one"), ("b", "two"), ("a~b~c", "three")]
    wrong = with_wrong_labels(rows, ["a", "b", "c"], 1, SEVERAL)
    assert wrong[0] == ("c", "one")
    assert wrong[1][0] in {"a", "c"}
    assert wrong[2][0] in {"a", "b", "c"}


def test_rows_with_the_same_labels_are_spread_when_documents_have_several() -> None:
    """Each combination is in each part as far as it goes."""
    rows = [(label, f"{label} {n}") for label in ("a", "b", "a~b") for n in range(20)]
    parts = split_for_demo(rows, [("a", "tested")], shape=SEVERAL)
    assert [label for label, _ in parts.more].count("a~b") == 10


def test_the_broken_pair_is_refused_when_it_is_read() -> None:
    """Overlap, end behind the text and unknown type are told; the good document is not enough."""
    (companion, annotations), (name, documents) = broken_pair(["CITY"])
    read = LabeledDocuments(
        [documents],
        ["CITY"],
        shape=ENTITIES,
        name=name,
        companion=Stream(companion, [annotations]),
    ).read_through()
    assert read.is_refused
    assert {UploadFault.ANNOTATION, UploadFault.UNKNOWN_LABEL} <= set(read.problem_counts)


@pytest.mark.parametrize(
    ("shape", "labels"), [(SEVERAL, ("a", "b")), (ENTITIES, ("CITY", "PERSON"))]
)
def test_the_flywheel_has_the_task_when_an_environment_is_written(
    tmp_path: Path, shape: DataFormat, labels: tuple[str, ...]
) -> None:
    """What the file says is read back as the shape that was asked for."""
    write_environment(tmp_path, replace(sample_data(), labels=labels, shape=shape, few=None))
    read = parse_environment("local.toml", lambda file: (tmp_path / file).read_text("utf-8"))
    assert read.flywheels[0].shape() == shape
