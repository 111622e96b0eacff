import gzip
from collections.abc import Sequence

import pytest

from flywheel.batches.dataset_files import dataset_files
from flywheel.intake.labeled_documents import (
    Allowance,
    LabeledDocuments,
    Report,
    Stream,
    UploadFault,
)
from flywheel.intake.labeled_rows import LabeledRow, csv_line, rows_of
from flywheel.intake.pairs import Half, UnpairableKeyError, never_came_words, pair_place
from flywheel.settings.data_format import DataFormat

TYPES = ("PERSON", "CITY")
ANNOTATED = DataFormat(task="entities")
LISTED = DataFormat(task="entities", entities_from="list")
HEADER = b"File,Line,Begin Offset,End Offset,Type\n"
DOCUMENTS = b"Mary lives in Rome\nnothing here\nM\xc3\xa4x in Rome, too\n"
ANNOTATIONS = (
    HEADER
    + b"documents.txt, 2, 7, 11, CITY\ndocuments.txt,0,14,18,CITY\ndocuments.txt,0,0,4,PERSON\n"
)
ROWS = [
    LabeledRow('[[0,4,"PERSON"],[14,18,"CITY"]]', "Mary lives in Rome"),
    LabeledRow("[]", "nothing here"),
    LabeledRow('[[7,11,"CITY"]]', "Mäx in Rome, too"),
]


def read(
    documents: bytes,
    companion: bytes,
    shape: DataFormat = ANNOTATED,
    *,
    types: Sequence[str] | None = TYPES,
    name: str = "documents.txt",
) -> tuple[list[LabeledRow], Report]:
    """Return the rows and the report of a pair."""
    found = LabeledDocuments(
        [documents],
        types,
        Allowance(1000, 1.0),
        shape=shape,
        name=name,
        companion=Stream("annotations.csv", [companion]),
    )
    rows = list(rows_of(b"".join(found.canonical_copy()).decode().splitlines(keepends=True)))
    return rows, found.report


def test_documents_become_rows_when_their_annotations_come_in_any_order() -> None:
    """Annotations are found by line, sorted, and counted by type; a document may have none."""
    rows, report = read(DOCUMENTS, ANNOTATIONS)
    assert rows == ROWS
    assert report.label_counts == {"CITY": 2, "PERSON": 1}
    assert (report.documents, report.problem_count) == (3, 0)


def test_a_pair_is_read_when_windows_wrote_it() -> None:
    """Byte order marks and CR LF are repaired in both; offsets do not count them."""
    bom = b"\xef\xbb\xbf"
    documents = bom + DOCUMENTS.replace(b"\n", b"\r\n")
    rows, report = read(documents, bom + ANNOTATIONS.replace(b"\n", b"\r\n"))
    assert rows == ROWS
    assert set(report.repairs) == {
        "byte order mark removed",
        "Windows line ends (CR LF) became LF",
    }


def test_a_pair_is_read_when_its_documents_are_compressed() -> None:
    """The annotations name the documents with or without .gz."""
    assert read(gzip.compress(DOCUMENTS), ANNOTATIONS, name="documents.txt.gz")[0] == ROWS


@pytest.mark.parametrize(
    ("row", "fault", "words"),
    [
        (b"documents.txt,1,0,4,PLACE", UploadFault.UNKNOWN_LABEL, "unknown entity type 'PLACE'"),
        (
            b"documents.txt,1,0,99,CITY",
            UploadFault.ANNOTATION,
            "ends behind the text, which has 12",
        ),
        (b"documents.txt,1,4,4,CITY", UploadFault.ANNOTATION, "is empty"),
        (b"documents.txt,0,2,6,CITY", UploadFault.ANNOTATION, "overlaps"),
    ],
)
def test_a_document_is_left_out_when_an_annotation_of_it_is_wrong(
    row: bytes, fault: UploadFault, words: str
) -> None:
    """A document with one annotation less would teach the wrong thing."""
    rows, report = read(DOCUMENTS, ANNOTATIONS + row + b"\n")
    assert len(rows) == 2
    assert not report.is_refused
    assert report.problems[0].fault is fault
    assert words in report.lines(quotes_values=True)[0]


@pytest.mark.parametrize(
    ("companion", "fault", "words"),
    [
        (HEADER + b"other.txt,0,0,4,PERSON\n", UploadFault.PAIR, "annotates 'other.txt'"),
        (HEADER + b"documents.txt,9,0,4,PERSON\n", UploadFault.PAIR, "annotates line 9 (from 0)"),
        (
            HEADER + b"documents.txt,0,0,PERSON\n",
            UploadFault.COLUMN_COUNT,
            "4 columns instead of 5",
        ),
        (
            HEADER + b"documents.txt,0,-1,4,PERSON\n",
            UploadFault.COLUMN_COUNT,
            "whole numbers from 0",
        ),
        (
            b"documents.txt,0,0,4,PERSON\n",
            UploadFault.HEADER,
            "must begin with the header File,Line",
        ),
        (b"Text,Type\nMary,PERSON\n", UploadFault.HEADER, 'is for entities_from = "list"'),
        (b"", UploadFault.HEADER, "must begin with the header"),
    ],
)
def test_a_pair_is_refused_when_its_files_do_not_belong_together(
    companion: bytes, fault: UploadFault, words: str
) -> None:
    """What cannot be matched refuses both, and says which file is meant."""
    _, report = read(DOCUMENTS, companion)
    assert report.is_refused
    assert report.problems[0].fault is fault
    assert words in report.lines(quotes_values=True)[0]
    assert "annotations.csv" in report.lines()[0]


def test_faults_of_documents_are_told_when_there_are_some() -> None:
    """Broken bytes refuse the file; a document that is too long is left out."""
    _, report = read(b"caf\xe9\n" + b"x" * 5001 + b"\nfine\n", HEADER)
    assert report.problem_counts == {UploadFault.INVALID_UTF8: 1, UploadFault.DOCUMENT_TOO_LONG: 1}
    assert report.lines()[1].startswith("documents.txt line 2: the document has 5,001 bytes")


def test_entries_and_documents_become_rows_when_the_flywheel_takes_lists() -> None:
    """A document has no label, an entry its type; entries are checked as labels are."""
    rows, report = read(
        DOCUMENTS, b"Text,Type\nMary,PERSON\nRome,CITY\nRome,CITY\n,CITY\nx,PLACE\n", LISTED
    )
    assert rows[3:] == [LabeledRow("PERSON", "Mary"), LabeledRow("CITY", "Rome")]
    assert [row.label for row in rows[:3]] == ["", "", ""]
    assert (report.documents, report.duplicates, report.left_out) == (3, 1, 2)
    assert report.label_counts == {"PERSON": 1, "CITY": 1}


def test_an_entity_dataset_is_written_when_rows_are_annotated() -> None:
    """Documents and annotations lie in folders of their own, cut together, never within a row."""
    files = dict(dataset_files(ROWS, ANNOTATED, most_bytes=120))
    assert files == {
        "documents/documents-00001.txt": b"Mary lives in Rome\nnothing here\n",
        "annotations/annotations-00001.csv": HEADER
        + b"documents-00001.txt,0,0,4,PERSON\ndocuments-00001.txt,0,14,18,CITY\n",
        "documents/documents-00002.txt": "Mäx in Rome, too\n".encode(),
        "annotations/annotations-00002.csv": HEADER + b"documents-00002.txt,0,7,11,CITY\n",
    }
    whole = dict(dataset_files(ROWS, ANNOTATED, most_bytes=10_000))
    documents = whole["documents/documents-00001.txt"]
    annotations = whole["annotations/annotations-00001.csv"]
    assert read(documents, annotations, name="documents-00001.txt")[0] == ROWS


def test_an_entity_list_is_written_when_the_flywheel_takes_lists() -> None:
    """Documents and entries lie in folders of their own; each list has its header."""
    rows = [
        LabeledRow("", "Mary sings"),
        LabeledRow("PERSON", "Mary, M."),
        LabeledRow("", "so"),
        LabeledRow("CITY", "Rome"),
    ]
    assert dict(dataset_files(rows, LISTED, most_bytes=28)) == {
        "documents/documents-00001.txt": b"Mary sings\nso\n",
        "entity-list/entity-list-00001.csv": b'Text,Type\n"Mary, M.",PERSON\n',
        "entity-list/entity-list-00002.csv": b"Text,Type\nRome,CITY\n",
    }


@pytest.mark.parametrize("mode", ["multi-class", "multi-label"])
def test_a_dataset_of_labels_is_written_when_the_task_is_classification(mode: str) -> None:
    """Rows are written as canonical lines, in files of at most the bytes that are allowed."""
    shape = DataFormat(mode="multi-label" if mode == "multi-label" else "multi-class")
    rows = [LabeledRow("A|B", "one, 1"), LabeledRow("B", "two")]
    assert list(dataset_files(rows, shape, most_bytes=13)) == [
        ("part-00001.csv", csv_line(rows[0]).encode()),
        ("part-00002.csv", csv_line(rows[1]).encode()),
    ]
    assert list(dataset_files([], shape, most_bytes=13)) == []


@pytest.mark.parametrize(
    ("key", "half", "awaited"),
    [
        ("f/train/documents.txt", Half.DOCUMENTS, "f/train/annotations.csv"),
        ("f/train/annotations.csv", Half.COMPANION, "f/train/documents.txt"),
        ("f/train/a/monday.txt", Half.DOCUMENTS, "f/train/a/monday.csv"),
        ("f/train/monday.csv.gz", Half.COMPANION, "f/train/monday.txt.gz"),
        ("f/train/Documents-May.txt", Half.DOCUMENTS, "f/train/annotations-May.csv"),
        ("f/train/documentary.txt", Half.DOCUMENTS, "f/train/documentary.csv"),
    ],
)
def test_the_other_half_is_named_when_one_came(key: str, half: Half, awaited: str) -> None:
    """Which half an object is and what it waits for follows from its name alone."""
    place = pair_place(key, ANNOTATED)
    assert place is not None
    assert (place.half, place.awaited_key) == (half, awaited)
    other = pair_place(awaited, ANNOTATED)
    assert other is not None
    assert place.belongs_to(other)
    name = key.rsplit("/", 1)[-1]
    assert place.words == f"{name} waits for {awaited.rsplit('/', 1)[-1]} in the same folder"
    assert name in never_came_words(place, 24)


@pytest.mark.parametrize("name", ["entities.csv", "entity-list.csv", "annotations.csv"])
def test_words_are_no_part_of_the_name_when_halves_are_matched(name: str) -> None:
    """Whatever the other half is called after, documents.txt belongs to it; folders count."""
    documents = pair_place("f/train/documents.txt", LISTED)
    companion = pair_place(f"f/train/{name}", LISTED)
    elsewhere = pair_place(f"f/test/{name}", LISTED)
    assert documents is not None
    assert companion is not None
    assert elsewhere is not None
    assert documents.belongs_to(companion)
    assert not documents.belongs_to(elsewhere)


@pytest.mark.parametrize("key", ["f/train/a.manifest", "f/train/a.jsonl.gz"])
def test_an_upload_is_whole_when_it_is_a_manifest(key: str) -> None:
    """A manifest holds texts and annotations; files of labels are whole as well."""
    assert pair_place(key, ANNOTATED) is None
    assert pair_place("f/train/a.csv", DataFormat()) is None


def test_a_name_is_refused_when_it_is_no_half() -> None:
    """The names that are taken are said."""
    with pytest.raises(UnpairableKeyError, match=r"documents\.txt with annotations\.csv"):
        pair_place("f/train/a.docx", ANNOTATED)
