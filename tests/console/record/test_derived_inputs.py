"""A replay takes no number from the verdict that it can derive: a forged one shows."""

import json
from typing import Any

import pytest

from application.comparison.stored_answers import AnswersMissingError
from flywheel.evaluation.evidence import TestSetFacts
from flywheel.settings.data_format import DataFormat
from tests.console.verdict_records import GROUPS, Record, rows_of


def judged(shape: DataFormat | None = None) -> Record:
    """Return the record of two verdicts, the second on a test set with added rows."""
    record = Record(shape)
    record.seal(1, rows_of("A", 20))
    record.freeze(1)
    record.judge(1, is_bootstrap=True)
    record.seal(2, rows_of("B", 20))
    record.freeze(2)
    record.judge(2)
    return record


@pytest.fixture
def record() -> Record:
    """Have two verdicts."""
    return judged()


def document_of(record: Record, number: int = 2) -> dict[str, Any]:
    """Return a verdict's document."""
    document: dict[str, Any] = json.loads(record.documents[f"verdicts/tickets/{number}.json"])
    return document


def test_set_of(record: Record, document: dict[str, Any]) -> TestSetFacts:
    """Return the test set that a verdict's follows to be."""
    test_set = record.derived(document).test_set
    assert test_set is not None
    return test_set


test_set_of.__test__ = False  # type: ignore[attr-defined] # for pytest, which takes the name for a test's


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sha256", "0" * 64),
        ("label_counts", {"A": 4000}),
        ("groups", 4000),
        ("label_groups", {"A": 4000}),
        ("grouping", "near duplicates"),
        ("documents", 4000),
        ("looks", 0.5),
        ("generation_looks", 7),
        ("pair_looks", 7),
    ],
)
def test_a_forged_number_is_not_believed_when_rows_are_kept(
    record: Record, name: str, value: object
) -> None:
    """Counts are those of the rows, whatever the document says."""
    document = document_of(record)
    document["evidence"]["test_set"][name] = value
    document["inputs"]["test_set"][name] = value
    derived = record.derived(document)
    assert getattr(derived.test_set, name) != value
    assert derived.checked == (
        "task",
        "manifest",
        "looks (verdicts before: 1)",
        "label counts and groups of 40 test rows",
    )
    assert derived.not_checked == (
        "the models and the averages that the service named",
        "when test rows were frozen, which the audit says",
    )


@pytest.mark.parametrize("is_frozen", [True, False])
def test_a_test_set_is_there_when_one_was_frozen(is_frozen: bool) -> None:
    """Whether the document has one does not matter."""
    record = Record()
    record.seal(1, rows_of("A", 20) if is_frozen else ())
    if is_frozen:
        record.freeze(1)
    document = record.judge(1)
    document["evidence"]["test_set"] = None if is_frozen else {"sha256": "0" * 64, "documents": 9}
    assert (record.derived(document).test_set is not None) is is_frozen


def test_the_task_is_the_services_when_a_document_says_another(record: Record) -> None:
    """DescribeFlywheel says what the flywheel's models do."""
    document = document_of(record)
    document["evidence"]["kind"] = "entities"
    assert record.derived(document).kind == "multi-class"


def test_entries_are_counted_when_entities_come_from_a_list() -> None:
    """They are no mentions, so that groups of them are none."""
    record = Record(DataFormat(task="entities", entities_from="list"))
    record.seal(1, rows_of("PERSON", 20))
    record.freeze(1, without=GROUPS)
    document = record.judge(1)
    test_set = test_set_of(record, document)
    assert (test_set.label_counts, test_set.groups) == ({"PERSON": 20}, None)
    assert "label counts of 20 test rows" in record.derived(document).checked
    assert not any("groups" in words for words in record.derived(document).not_checked)


def test_rows_of_a_failed_batch_are_not_counted_when_the_hash_has_them() -> None:
    """They are known from its seal on, and counted once it is retried."""
    record = judged()
    record.seal(3, rows_of("C", 20))
    record.seal(4, rows_of("D", 20))
    record.freeze(4)
    found = test_set_of(record, record.judge(4))
    assert (found.documents, found.label_counts) == (60, {"A": 20, "B": 20, "D": 20})
    assert (found.groups, found.sha256) == (80, record.seals[4][0])
    record.retry(3, freezes_late=True)
    found = test_set_of(record, record.judge(3))
    assert (found.documents, found.label_counts["C"], found.groups) == (80, 20, 80)


def test_rows_are_not_in_the_hash_when_the_service_never_had_them() -> None:
    """The test set lets go of them; groups are counted without them, looks are as before."""
    record = judged()
    record.seal(3, rows_of("C", 20))
    record.seal(4, rows_of("D", 20))
    record.freeze(4)
    before = test_set_of(record, record.judge(4))
    record.let_go(3)
    record.seal(5)
    found = test_set_of(record, record.judge(5))
    assert (before.groups, found.groups) == (80, 60)
    assert (found.documents, found.label_counts) == (before.documents, before.label_counts)
    assert (found.looks, found.generation_looks) == (2, 2)


def test_rows_are_those_of_the_last_seal_when_a_batch_was_sealed_again() -> None:
    """Its first datasets were lost, and one of its uploads was withdrawn."""
    record = judged()
    record.seal(3, rows_of("C", 20))
    record.seal(4, rows_of("D", 20))
    record.freeze(4)
    record.judge(4)
    record.let_go(3)
    record.retry(3)
    record.seal(3, rows_of("C", 10))
    record.freeze(3)
    found = test_set_of(record, record.judge(3))
    assert (found.documents, found.label_counts["C"], found.groups) == (70, 10, 70)


def test_label_counts_are_not_checked_when_too_many_batches_failed() -> None:
    """Which of their rows are in the hash would take too long to find."""
    record = judged()
    for number in range(3, 12):
        record.seal(number, rows_of(f"C{number}", 1))
    record.seal(12, rows_of("D", 20))
    record.freeze(12)
    derived = record.derived(record.judge(12))
    assert derived.not_checked[-1] == "label counts and groups, since too many batches failed"


def test_rows_wait_for_nothing_when_they_are_counted() -> None:
    """Ten batches added test rows; one of another is in the hash alone."""
    record = judged()
    record.seal(3, rows_of("C", 20))
    for number in range(4, 13):
        record.seal(number, rows_of("D" * number, 1))
        record.freeze(number)
    document = record.judge(12)
    found = test_set_of(record, document)
    assert (found.documents, found.groups) == (49, 69)
    assert "label counts and groups of 49 test rows" in record.derived(document).checked


def test_rows_are_those_of_the_last_freezing_when_a_retry_has_an_earlier_manifest() -> None:
    """Batch 3 goes on with its first manifest, which knows nothing of batch 4."""
    record = judged()
    record.seal(3, rows_of("C", 20))
    record.freeze(3)
    record.seal(4, rows_of("D", 20))
    record.freeze(4)
    record.judge(4)
    record.retry(3)
    found = test_set_of(record, record.judge(3))
    assert (found.documents, sorted(found.label_counts)) == (80, ["A", "B", "C", "D"])


def test_imported_rows_are_counted_when_no_batch_brought_them() -> None:
    """Their segment is named after their upload."""
    record = judged()
    record.load("0123456789abcdef0123", rows_of("C", 20))
    record.seal(3)
    assert test_set_of(record, record.judge(3)).label_counts == {"A": 20, "B": 20, "C": 20}


def test_groups_are_not_counted_when_an_older_release_froze_the_test_set() -> None:
    """It counted none, and judges by none until rows are added; the reader is told."""
    record = judged()
    record.seal(3, rows_of("C", 20))
    record.freeze(3, without=GROUPS)
    document = record.judge(3)
    derived = record.derived(document)
    found = test_set_of(record, document)
    assert (found.groups, found.label_groups, found.documents) == (None, None, 60)
    assert derived.not_checked[-1] == "groups, which an older release did not count"
    assert "label counts of 60 test rows" in derived.checked


def test_the_audits_numbers_count_when_rows_are_not_kept(record: Record) -> None:
    """An earlier release kept hashes alone; the reader is told."""
    for key in [key for key in record.staging.objects if key.endswith(".csv")]:
        del record.staging.objects[key]
    document = document_of(record)
    derived = record.derived(document)
    assert test_set_of(record, document).label_counts == {"A": 20, "B": 20}
    assert derived.not_checked[-1] == "label counts and groups, since not all test rows are kept"
    assert not any("label counts" in words for words in derived.checked)


@pytest.mark.parametrize("number", [1, 2])
def test_other_rows_are_refused_when_they_were_changed(record: Record, number: int) -> None:
    """The test set's hash is over them."""
    key = f"known/tickets/g1/{number}-test.csv"
    record.staging.objects[key] = record.staging.objects[key].partition("\n")[2]
    with pytest.raises(AnswersMissingError, match="not those of the test set"):
        record.derived(document_of(record))


def test_the_manifest_is_named_when_it_was_changed(record: Record) -> None:
    """Its hash is in the verdict."""
    key = "manifests/tickets/2.json"
    record.staging.objects[key] += " "
    with pytest.raises(AnswersMissingError, match=f"{key} was changed: its sha256 is"):
        record.derived(document_of(record))
    del record.staging.objects[key]
    with pytest.raises(AnswersMissingError, match=f"{key} is not there"):
        record.derived(document_of(record))


def test_the_manifest_is_named_when_the_verdict_names_another(record: Record) -> None:
    """A forged hash shows."""
    document = document_of(record)
    document["inputs"]["manifest_sha256"] = "0" * 64
    with pytest.raises(AnswersMissingError, match="the verdict names 0000"):
        record.derived(document)


def test_the_manifest_is_an_earlier_attempts_when_a_retry_went_on_with_it() -> None:
    """Its datasets were complete, so that nothing was sealed anew."""
    record = judged()
    record.seal(3)
    record.retry(3)
    assert "manifest" in record.derived(record.judge(3)).checked


def test_the_manifest_is_not_checked_when_the_verdict_names_none(record: Record) -> None:
    """The reader is told."""
    document = document_of(record)
    document["inputs"]["manifest_sha256"] = None
    derived = record.derived(document)
    assert "manifest" not in derived.checked
    assert "manifest, whose hash an older release did not name" in derived.not_checked
