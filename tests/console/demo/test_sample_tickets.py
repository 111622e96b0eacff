"""Sample tickets: reproducible, distinct, and with something left to learn from more data."""

from collections import Counter

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from console.demo.sample_tickets import LABELS, broken_sample, generate_tickets, sample_parts
from console.demo.tasks import DemoParts, Row
from flywheel.intake.labeled_documents import Allowance, LabeledDocuments, UploadFault
from flywheel.intake.labeled_rows import LabeledRow as Document
from flywheel.intake.labeled_rows import csv_line


@pytest.fixture(scope="module")
def parts() -> DemoParts:
    """Make the sample files once."""
    return sample_parts()


def _macro_f1(train: tuple[Row, ...], test: tuple[Row, ...]) -> float:
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
    model.fit([text for _, text in train], [label for label, _ in train])
    predicted = model.predict([text for _, text in test])
    return float(f1_score([label for label, _ in test], predicted, average="macro"))


def test_tickets_are_the_same_when_the_seed_is_the_same() -> None:
    """A seed decides the tickets, and more of them begin with the same ones."""
    assert generate_tickets(50, seed=3) == generate_tickets(80, seed=3)[:50]
    assert generate_tickets(50, seed=3) != generate_tickets(50, seed=4)


def test_tickets_are_distinct_single_lines_when_many_are_made() -> None:
    """No text comes twice, holds a line break or a placeholder that was not filled."""
    texts = [text for _, text in generate_tickets(5000, seed=5)]
    assert len(set(texts)) == 5000
    assert all(text == text.strip() and "  " not in text and text.isprintable() for text in texts)
    assert not any(mark in text for text in texts for mark in "{}|()")


def test_labels_are_uneven_when_tickets_are_counted() -> None:
    """The most frequent label has several times the rows of the rarest, at most ten times."""
    counts = Counter(label for label, _ in generate_tickets(5000, seed=6))
    assert set(counts) == set(LABELS)
    assert 2 < max(counts.values()) / min(counts.values()) < 10


def test_parts_hold_every_label_when_the_seed_is_the_default(parts: DemoParts) -> None:
    """The test set and each file have rows enough of each label for the service's minimum."""
    assert [len(rows) for rows in (parts.test, parts.first, parts.more, parts.mislabeled)] == [
        400,
        300,
        1500,
        900,
    ]
    for rows in (parts.test, parts.first, parts.more, parts.mislabeled):
        counts = Counter(label for label, _ in rows)
        assert set(counts) == set(LABELS)
        assert min(counts.values()) >= 10


def test_parts_share_no_text_when_they_are_made(parts: DemoParts) -> None:
    """A test set row never comes again in a training file."""
    every = [*parts.test, *parts.first, *parts.more, *parts.mislabeled]
    assert len({text for _, text in every}) == len(every)


def test_every_label_is_wrong_when_rows_are_mislabeled(parts: DemoParts) -> None:
    """The third file holds the generator's rows, none with the label it was made for."""
    made = {text: label for label, text in generate_tickets(3106, seed=8)}
    assert all(made[text] != label for label, text in parts.mislabeled)


@pytest.mark.slow
def test_scores_rise_and_fall_when_files_are_added(parts: DemoParts) -> None:
    """A second file makes a simple model clearly better, the mislabeled third clearly worse."""
    first = _macro_f1(parts.first, parts.test)
    more = _macro_f1(parts.first + parts.more, parts.test)
    worse = _macro_f1(parts.first + parts.more + parts.mislabeled, parts.test)
    assert 0.72 <= first <= 0.82
    assert more >= first + 0.05
    assert worse <= more - 0.05


def test_good_files_pass_the_validator_when_they_are_written(parts: DemoParts) -> None:
    """Nothing of the good files is refused or left out."""
    for rows in (parts.test, parts.first, parts.more, parts.mislabeled):
        data = "".join(csv_line(Document(label, text)) for label, text in rows).encode()
        documents = LabeledDocuments([data], labels=LABELS)
        assert len(list(documents)) == len(rows)
        assert documents.report.problem_count == 0


def test_refusal_names_lines_when_the_broken_file_is_read() -> None:
    """The validator finds each planted fault on its own line."""
    documents = LabeledDocuments([broken_sample()], labels=LABELS, allowance=Allowance())
    list(documents)
    assert documents.report.is_refused
    found = {problem.fault: problem.line for problem in documents.report.problems}
    assert found == {
        UploadFault.HEADER: 1,
        UploadFault.COLUMN_COUNT: 4,
        UploadFault.UNKNOWN_LABEL: 6,
        UploadFault.EMPTY_TEXT: 8,
    }
