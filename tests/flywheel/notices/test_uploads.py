from collections.abc import Callable

import pytest

from flywheel.intake.labeled_documents import LabeledDocuments, Report
from flywheel.notices.notice import Notice, UploadNews, upload_digest
from flywheel.notices.uploads import accepted_in_part, gone, misplaced, refused

KEY = "tickets/train/weekly.csv"
HOSTILE_KEY = "tickets/train/http://evil.example/\u202egnp.exe\nLive now: evil" + "x" * 300


def report(data: bytes) -> Report:
    """Return what is found in a file of a flywheel with two labels."""
    documents = LabeledDocuments([data], ["BILLING", "SHIPPING"])
    assert all(row.text for row in documents)
    return documents.report


def digest(news: UploadNews | None) -> Notice:
    """Return the notice of one upload."""
    assert news is not None
    return upload_digest("prod", "tickets", [news], "digest-1")


GOOD = b"".join(b"BILLING,text %d\n" % number for number in range(200))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (GOOD + b"BILING,x\nSHIPPING,\n,x\nBILLING,text 7x\nSHIPPING,text 7\n", "refused_bad_rows"),
        (b"label,text\n" + GOOD, "refused_header"),
        (GOOD + b"BILLING,caf\xe9\n" + b'BILLING,"open\n', "refused_two_faults"),
        (b"", "refused_empty"),
        (b"PK\x03\x04rest", "refused_spreadsheet"),
        (b"NONE,x\n" * 500, "refused_many_problems"),
    ],
)
def test_a_refusal_says_what_to_repair_when_a_file_is_refused(
    data: bytes, name: str, same_as_golden: Callable[[Notice, str], None]
) -> None:
    """The subject has the fault in few words, the body the lines and what to do."""
    found = report(data)
    assert found.is_refused
    same_as_golden(digest(refused(KEY, found)), name)


def test_left_out_rows_are_told_when_the_file_was_taken(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """The rows that were left out are named; the others are staged."""
    found = report(GOOD + b"BILING,x\nSHIPPING,text 7\n")
    same_as_golden(digest(accepted_in_part(KEY, found)), "accepted_in_part")


def test_there_is_no_news_when_a_file_was_taken_whole() -> None:
    """An upload without faults is told by the notice of its batch, duplicates or not."""
    assert accepted_in_part(KEY, report(GOOD + b"BILLING,text 1\n")) is None


def test_the_right_places_are_told_when_no_flywheel_looks_there(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """The places that work are named."""
    message = "there is no flywheel 'ticket' (known: tickets): put it under tickets/train/"
    same_as_golden(digest(misplaced("ticket/train/weekly.csv", message)), "misplaced")


def test_a_deleted_object_is_told_when_it_could_not_be_read(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """A version that is gone counts for nothing, and people hear of it."""
    same_as_golden(digest(gone(KEY)), "gone")


def test_nothing_gets_through_when_names_and_labels_are_hostile(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """Line breaks, direction marks and links of a name or a label stay visible characters."""
    label = "\u202eevil http://x.example/" + "y" * 500
    data = f'{label},text\n"A\nLive now: evil",text\nBILLING,text\n'.encode()
    same_as_golden(digest(refused(HOSTILE_KEY, report(data))), "hostile_upload")


def test_no_text_of_a_document_is_told_when_rows_are_bad() -> None:
    """What customers wrote never leaves by e-mail or chat."""
    secret = "my-card-number"
    rows = [f"NONE,{secret}", f"SHIPPING,{secret}", f"BILLING,{secret}", f"BILLING,a,{secret}"]
    rows += [f'BILLING,"{secret}" {secret}', f'BILLING,"{secret}']
    found = report("\n".join(rows).encode() + b"\nBILLING,\xff" + secret.encode())
    assert found.problem_count >= 6
    assert secret not in digest(refused(KEY, found)).body
