"""No text of a document leaves by what people are sent, whatever is wrong with its file."""

import pytest

from flywheel.intake.candidates import Stream
from flywheel.intake.labeled_documents import Allowance, LabeledDocuments, Report
from flywheel.notices.notice import upload_digest
from flywheel.notices.uploads import accepted_in_part, refused
from tests.flywheel.intake.malformed_files import CANARY, MalformedFile, malformed_files

SEEDS = range(6)


def report(file: MalformedFile, allowance: Allowance) -> Report:
    """Return what is found in a file as its flywheel reads it."""
    companion = None if file.companion is None else Stream("d.csv", [file.companion])
    documents = LabeledDocuments(
        [file.data],
        file.labels,
        allowance,
        shape=file.shape,
        name=file.name,
        companion=companion,
    )
    return documents.read_through()


@pytest.mark.parametrize("allowance", [Allowance(), Allowance(1000, 1.0)])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_text_is_sent_when_a_file_is_malformed(seed: int, allowance: Allowance) -> None:
    """Every way in which a file can be wrong ends in words that quote no document."""
    for file in malformed_files(seed):
        found = report(file, allowance)
        words = found.lines() + found.repair_lines() + [found.one_label_line() or ""]
        assert not any(CANARY in line for line in words), (file.what, words)
        for news in (refused("tickets/train/weekly.csv", found), accepted_in_part("weekly", found)):
            if news is not None:
                notice = upload_digest("prod", "tickets", [news], "digest")
                assert CANARY not in notice.subject + notice.body, (file.what, notice)
        for label in found.label_counts if file.labels else ():
            assert CANARY not in label


def test_texts_are_quoted_when_whoever_has_the_file_looks() -> None:
    """The canaries are where they belong: most malformed files show them to their owner."""
    files = list(malformed_files(1))
    quoting = [
        file
        for file in files
        if any(CANARY in line for line in report(file, Allowance()).lines(quotes_values=True))
    ]
    assert len(quoting) > len(files) / 4
