"""Looks follow from the audit and the verdicts' documents, whatever a verdict says of them."""

import json
from typing import Any

import pytest

from application.comparison.stored_answers import AnswersMissingError
from flywheel.evaluation.verdict_document import document_sha256
from tests.console.verdict_records import GROUPS, Record, rows_of

PAIR = ("m/0", "m/1")


@pytest.fixture
def history() -> Record:
    """Have a first model, two looks, added rows, a re-judging, and a rebuild."""
    history = Record()
    history.seal(1, rows_of("A", 20))
    history.freeze(1)
    history.judge(1, is_bootstrap=True)
    for number in (2, 3):
        history.seal(number)
        history.judge(number)
    history.seal(4, rows_of("B", 20))
    history.freeze(4)
    history.judge(4)
    history.seal(5, rejudges=4)
    history.judge(5, ("m/0", "m/4"), rejudges=4)
    history.switch()
    history.seal(6, rows_of("A", 20))
    history.freeze(6)
    history.judge(6)
    return history


def looks(record: Record, document: dict[str, Any]) -> tuple[int, int, int]:
    """Return the looks at the test set, of the generation and at the pair before a verdict."""
    test_set = record.derived(document).test_set
    assert test_set is not None
    return test_set.looks, test_set.generation_looks, test_set.pair_looks


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, (0, 0, 0)),
        (2, (0, 0, 0)),
        (3, (1, 1, 0)),
        (4, (1, 2, 0)),
        (5, (2, 3, 1)),
        (6, (3, 0, 0)),
    ],
)
def test_looks_follow_from_the_record_when_a_verdict_is_made_again(
    history: Record, number: int, expected: tuple[int, int, int]
) -> None:
    """A first model is none; rows that are added thin looks out; a rebuild begins a budget."""
    document = json.loads(history.documents[f"verdicts/tickets/{number}.json"])
    assert looks(history, document) == expected


def test_looks_of_a_generation_count_for_the_one_before_when_it_is_given_up(
    history: Record,
) -> None:
    """Its test set goes on, and what was looked at meanwhile has some of its rows."""
    history.go_back()
    history.seal(7)
    assert looks(history, history.judge(7)) == (4, 5, 0)


def looked_at(times: int) -> Record:
    """Return the record of a test set of 20 documents that was looked at so often."""
    record = Record()
    record.seal(1, rows_of("A", 20))
    record.freeze(1)
    for number in range(1, times + 1):
        if number > 1:
            record.seal(number)
        record.judge(number)
    return record


def test_each_version_wears_looks_when_no_verdict_saw_one_of_them() -> None:
    """Failed batches froze two versions between: 10 looks of 20 documents are 7, 5, and 3."""
    record = looked_at(10)
    for number, label in ((11, "B"), (12, "C"), (13, "D")):
        record.seal(number, rows_of(label, (10, 15, 30)[number - 11]))
        record.freeze(number)
    # ceil(10 * 20 / 30), ceil(7 * 30 / 45) and ceil(5 * 45 / 75).
    assert looks(record, record.judge(13)) == (3, 10, 0)


def test_looks_count_whole_when_a_failed_batch_froze_rows_to_judge_again() -> None:
    """The next batch stands on its test set, though none of its own rows is in it."""
    record = looked_at(3)
    record.seal(4, rows_of("B", 40), rejudges=3)
    record.freeze(4)
    record.seal(5)
    assert looks(record, record.judge(5)) == (3, 3, 0)


def test_looks_wear_by_all_documents_when_some_were_counted_late() -> None:
    """Late rows wear none; the next version is compared with the set that they are in."""
    record = looked_at(8)
    record.seal(9, rows_of("B", 20))
    record.seal(10, rows_of("C", 20))
    record.freeze(10)
    assert looks(record, record.judge(10)) == (4, 8, 0)
    record.retry(9, freezes_late=True)
    assert looks(record, record.judge(9)) == (5, 9, 0)
    record.seal(11, rows_of("D", 60))
    record.freeze(11)
    assert looks(record, record.judge(11)) == (3, 10, 0)


def test_looks_wear_when_rows_are_imported() -> None:
    """An import freezes them, and no batch does."""
    record = looked_at(4)
    record.load("0123456789abcdef0123", rows_of("B", 20))
    record.seal(5)
    assert looks(record, record.judge(5)) == (2, 4, 0)


def test_a_pair_counts_every_batch_when_a_verdict_hides_that_it_judges_again() -> None:
    """Three looks at the same models are three, whatever ``rejudges`` says."""
    record = looked_at(1)
    for number in (2, 3):
        record.seal(number, rejudges=number - 1)
        record.judge(number, PAIR, rejudges=number - 1)
    record.seal(4, rejudges=3)
    assert looks(record, record.judge(4, PAIR, rejudges=None)) == (3, 3, 3)


def test_a_pair_counts_the_chain_when_a_batch_judges_again() -> None:
    """A held batch may have named another champion."""
    record = looked_at(1)
    record.seal(2, rejudges=1)
    assert looks(record, record.judge(2, ("m/other", "m/1"), rejudges=1)) == (1, 1, 1)


def test_counting_begins_where_an_older_gate_ended_when_it_made_verdicts() -> None:
    """It says how often it looked."""
    record = Record()
    record.seal(1, rows_of("A", 20))
    record.freeze(1)
    record.judge(1, schema_version=1, looks=2)
    record.seal(2)
    assert looks(record, record.judge(2)) == (3, 3, 0)


def test_looks_begin_anew_when_an_older_release_added_rows() -> None:
    """It forgot those at the version before."""
    record = Record()
    record.seal(1, rows_of("A", 20))
    record.freeze(1)
    record.judge(1, schema_version=1, looks=2)
    record.seal(2, rows_of("B", 20))
    record.freeze(2, without=["looks", *GROUPS])
    assert looks(record, record.judge(2)) == (0, 0, 0)


def test_looks_are_not_checked_when_an_older_release_may_have_switched_generations() -> None:
    """Older releases forgot them; which one rebuilt is nowhere written."""
    record = Record()
    record.seal(1, rows_of("A", 20))
    record.freeze(1)
    record.judge(1, schema_version=1, looks=2)
    record.switch()
    record.seal(2, rows_of("A", 20))
    record.freeze(2)
    document = record.judge(2)
    derived = record.derived(document)
    assert derived.test_set is not None
    assert derived.test_set.looks == 40
    assert any(words.startswith("looks, since an older release") for words in derived.not_checked)
    assert not any(words.startswith("looks") for words in derived.checked)


def refused(record: Record, document: dict[str, Any], words: str) -> None:
    """See that a replay of a document is refused, in these words."""
    with pytest.raises(AnswersMissingError, match=words):
        record.derived(document)


def test_both_documents_are_named_when_two_follow_the_same_one(history: Record) -> None:
    """One of them hides the documents between."""
    document = json.loads(history.documents["verdicts/tickets/4.json"])
    other = {**document, "batch": 9, "decision": "HOLD"}
    history.put("verdicts/tickets/9.json", other)
    named = "verdicts/tickets/4.json and verdicts/tickets/9.json name the same document"
    for each in (document, other):
        refused(history, each, named)


def test_a_missing_document_is_named_when_the_chain_has_a_hole(history: Record) -> None:
    """Looks cannot be counted without it."""
    document = json.loads(history.documents["verdicts/tickets/5.json"])
    del history.documents["verdicts/tickets/3.json"]
    refused(history, document, "a document before it is missing")


def test_the_entry_is_named_when_documents_before_were_left_out(history: Record) -> None:
    """Documents 2 and 3 are gone and 4 follows 1: the audit still names them."""
    record = history
    document = json.loads(record.documents["verdicts/tickets/4.json"])
    second = json.loads(record.documents["verdicts/tickets/2.json"])
    document["previous_sha256"] = second["previous_sha256"]
    for number in (2, 3):
        del record.documents[f"verdicts/tickets/{number}.json"]
    record.put("verdicts/tickets/4.json", document)
    refused(record, document, "names verdicts/tickets/2.json, which is not the next document")


def test_the_entry_is_named_when_documents_before_were_written_anew(history: Record) -> None:
    """A whole chain that follows from itself is not the one that the audit names."""
    previous = json.loads(history.documents["verdicts/tickets/2.json"])["previous_sha256"]
    for number in (2, 3, 4):
        key = f"verdicts/tickets/{number}.json"
        document = json.loads(history.documents[key])
        history.put(key, {**document, "is_bootstrap": True, "previous_sha256": previous})
        previous = document_sha256(history.documents[key])
    document = json.loads(history.documents["verdicts/tickets/4.json"])
    for number in (5, 6):
        del history.documents[f"verdicts/tickets/{number}.json"]
    refused(history, document, "names verdicts/tickets/2.json, which is not the next document")


def test_looks_are_not_checked_when_verdicts_have_no_document() -> None:
    """An older release kept none; how often it looked is nowhere written."""
    record = Record()
    record.seal(1, rows_of("A", 20))
    record.freeze(1)
    record.enter("verdict", batch=1, decision="HOLD")
    record.seal(2)
    derived = record.derived(record.judge(2))
    assert derived.not_checked[-1] == "looks, since verdicts before this one have no document"


def test_a_document_is_refused_when_the_audit_does_not_name_it(history: Record) -> None:
    """Nobody of ours wrote it, be it this one or one before."""
    last = json.loads(history.documents["verdicts/tickets/6.json"])
    history.seal(7)
    document = history.judge(7)
    verdict = history.entries.pop()
    refused(history, document, "no entry of the audit names verdicts/tickets/7.json")
    history.seal(8)
    later = history.judge(8)
    refused(history, later, "verdicts/tickets/7.json is before it, but in no entry")
    assert verdict["event"] == "verdict"
    assert looks(history, last) == (3, 0, 0)


@pytest.mark.parametrize("seq", [3, 5])
def test_the_entry_is_named_when_the_audit_was_changed(history: Record, seq: int) -> None:
    """What it says of the test set counts only as far as its entries follow each other."""
    document = json.loads(history.documents["verdicts/tickets/5.json"])
    before = history.entries[seq - 1]
    history.entries[seq - 1] = {**before, "details": {**before["details"], "documents": 9}}
    refused(history, document, f"entry {seq} of the audit is missing or was changed")
    history.entries[seq - 1] = before
    del history.entries[seq - 1]
    refused(history, document, f"entry {seq} of the audit is missing or was changed")


def test_the_entry_is_named_when_it_cannot_be_read(history: Record) -> None:
    """It freezes rows of a batch that none seals."""
    history.enter("test set frozen", batch=70, version=9, documents=1, looks=0)
    history.seal(7)
    refused(history, history.judge(7), "of the audit cannot be read: KeyError\\(70\\)")


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", "[" * 100_000])
def test_the_object_is_named_when_it_is_no_document(history: Record, text: str) -> None:
    """Something else lies beside the verdicts."""
    document = json.loads(history.documents["verdicts/tickets/5.json"])
    history.documents["verdicts/tickets/stray.json"] = text
    refused(history, document, "verdicts/tickets/stray.json is not the document of a verdict")
