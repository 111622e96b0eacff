"""The record is verified from the ledger and offline: whatever is changed, the entry is named."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.clients import client
from adapters.table import Table
from application.ledger.audit import Audit, VerdictLink, entry_key
from application.ledger.ledger import Ledger
from console.record.audit_record import AuditRecord
from console.record.offline_verifier import RecordBrokenError, canonical, entry_hash, verify_folder
from tests.functions.cloud import TABLE, running_cloud

NAME = "tickets"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HEAD = f"chain/{NAME}/00000003.json"
DAY = f"chain/{NAME}/2026-01-02.json"
"""As an earlier release named a head."""


@pytest.fixture(scope="module")
def record() -> Iterator[AuditRecord]:
    """Have a chain of six entries with two verdicts among them, and a head of its third."""
    with running_cloud():
        table = Table(TABLE, client("dynamodb"))
        ledger = Ledger(table, actor="somebody")
        audit, documents, before = Audit(table, "compare_models"), {}, "0" * 64
        heads: dict[str, bytes] = {}
        for batch in (1, 2):
            audit.act(NAME, "batch opened", {"batch": batch, "share": 1.0}, now=NOW)
            document = canonical({"batch": batch, "previous_sha256": before})
            link = VerdictLink(before, sha256(document).hexdigest())
            path = f"verdicts/{NAME}/{batch}.json"
            details = {"batch": batch, "document": path, "document_sha256": link.after}
            audit.act(NAME, "verdict", details, now=NOW, verdict=link)
            documents[path], before = document, link.after
            audit.act(NAME, "batch closed", {"batch": batch, "why": "grüße"}, now=NOW)
            head = audit.head(NAME)
            assert head is not None
            if batch == 1:
                heads[HEAD] = head_of(head.seq, head.hash)
        yield AuditRecord(NAME, head, documents, heads, ledger)


def head_of(seq: int, entry: str, **more: Any) -> bytes:
    """Return a head as the functions write it."""
    return canonical({"at": NOW.isoformat(), "flywheel": NAME, "hash": entry, "seq": seq, **more})


@pytest.fixture
def export(record: AuditRecord, tmp_path: Path) -> Path:
    """Have an export, unpacked."""
    record.export(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "out")
    return tmp_path / "out"


def verify_offline(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what is in an export, with the standard library alone and in no folder of ours."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def problem(record: AuditRecord) -> str:
    """Return what is wrong with a record."""
    with pytest.raises(RecordBrokenError) as broken:
        record.verify()
    return str(broken.value)


class Forged(Ledger):
    """A ledger whose entries somebody changed."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._entries = entries

    @property
    def audit(self) -> Any:
        """The ledger itself, which stands for its own audit."""
        return self

    def chain(self, flywheel: str, last: int) -> Iterator[dict[str, Any]]:
        """Give the entries up to a number."""
        for entry in self._entries:
            if entry["seq"] <= last:
                key = entry_key(flywheel, entry["seq"])
                yield {"pk": key.pk, "sk": key.sk, **entry}


def forged(record: AuditRecord, seq: int, **changes: Any) -> list[dict[str, Any]]:
    """Return the entries with one of them changed, and every hash from there on made anew."""
    entries = list(record.entries())
    entries[seq - 1] |= changes
    before = entries[seq - 2]["hash"] if seq > 1 else "0" * 64
    for entry in entries[seq - 1 :]:
        entry["previous"] = before
        before = entry["hash"] = entry_hash(entry)
    return entries


def test_the_record_is_unbroken_when_nobody_touched_it(record: AuditRecord) -> None:
    """Floats, text and all; the counts are told."""
    counts = record.verify()
    assert counts.words() == "6 entries, 2 verdicts, heads cover up to entry 3: unbroken"
    assert counts.beyond() == "Entries 4 to 6 are younger than the last head."


@pytest.mark.parametrize(
    ("seq", "covered", "words", "younger"),
    [
        (None, 0, "no head", "No head covers any of them yet."),
        (5, 5, "heads cover up to entry 5", "Entry 6 is younger than the last head."),
        (6, 6, "heads cover up to entry 6", None),
    ],
)
def test_the_counts_tell_what_no_head_covers_when_a_chain_is_unbroken(
    record: AuditRecord, seq: int | None, covered: int, words: str, younger: str | None
) -> None:
    """What is younger than the last head is proven by the ledger alone."""
    hashes = {entry["seq"]: entry["hash"] for entry in record.entries()}
    heads = {} if seq is None else {f"chain/{NAME}/{seq:08}.json": head_of(seq, hashes[seq])}
    counts = replace(record, heads={**record.heads, **heads} if seq else {}).verify()
    assert (counts.covered, counts.beyond()) == (covered, younger)
    assert counts.words() == f"6 entries, 2 verdicts, {words}: unbroken"


def test_a_head_of_a_day_counts_when_an_earlier_release_wrote_it(record: AuditRecord) -> None:
    """It names its entry by its body alone."""
    body = record.heads[HEAD]
    assert replace(record, heads={DAY: body}).verify().covered == 3
    forgery = head_of(3, "0" * 64)
    assert f"differs from {DAY}" in problem(replace(record, heads={DAY: forgery}))


@pytest.mark.parametrize(
    ("path", "changes", "words"),
    [
        (f"chain/{NAME}/00000004.json", {}, "was changed: it is the head of another moment"),
        (f"chain/{NAME}/3.json", {}, "was added: tickets has no head of that name"),
        ("chain/others/00000003.json", {}, "was added: tickets has no head of that name"),
        (f"chain/{NAME}/today.json", {}, "was added: tickets has no head of that name"),
        (HEAD, {"flywheel": "others"}, "was changed: it is of others, not of tickets"),
        (HEAD, {"more": 1}, "was changed: its field more was added"),
    ],
)
def test_the_head_is_named_when_it_is_not_one_that_was_written(
    record: AuditRecord, path: str, changes: dict[str, Any], words: str
) -> None:
    """Its path says what it names, and its body is canonical."""
    entry = list(record.entries())[2]
    body = head_of(3, entry["hash"], **changes)
    assert problem(replace(record, heads={path: body})) == f"{path} {words}"


@pytest.mark.parametrize(
    ("seq", "name", "words"),
    [
        (2, "actor", "entry 2 (verdict of batch 1) was changed"),
        (4, "hash", "entry 4 (batch opened of batch 2) was changed"),
        (6, "at", "entry 6 (batch closed of batch 2) was changed"),
    ],
)
def test_the_entry_is_named_when_it_was_changed(
    record: AuditRecord, seq: int, name: str, words: str
) -> None:
    """Its hash no longer fits."""
    entries = list(record.entries())
    entries[seq - 1] = {**entries[seq - 1], name: "forged"}
    assert words in problem(replace(record, ledger=Forged(entries)))


def test_the_neighbours_are_named_when_an_entry_has_a_new_hash(record: AuditRecord) -> None:
    """The next one does not follow from it any more."""
    entries = list(record.entries())
    entries[3]["actor"] = "somebody else"
    entries[3]["hash"] = entry_hash(entries[3])
    words = "entry 5 (verdict of batch 2) does not follow entry 4"
    assert words in problem(replace(record, ledger=Forged(entries)))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pk": "AUDIT#other#2"}, "its number is not that of its row's key"),
        ({"pk": f"AUDIT#{NAME}#3"}, "its number is not that of its row's key"),
        ({"sk": "OTHER"}, "its number is not that of its row's key"),
        ({"note": "approved"}, "its field note was added"),
        ({"flywheel": "other"}, "its content has another hash"),
        ({"details": {"binary": b"x"}}, "not all of it can be JSON"),
        ({"details": {"set": {1}}}, "not all of it can be JSON"),
    ],
)
def test_the_row_is_refused_when_it_is_not_what_was_written(
    record: AuditRecord, values: dict[str, Any], words: str
) -> None:
    """Under another key, with more in it, or with what no function writes."""
    entries = list(record.entries())
    entries[1] |= values
    assert words in problem(replace(record, ledger=Forged(entries)))


@pytest.mark.parametrize("seq", [1, 3, 6])
def test_the_entry_is_named_when_it_is_missing(record: AuditRecord, seq: int) -> None:
    """In the middle or at the end."""
    entries = [entry for entry in record.entries() if entry["seq"] != seq]
    assert f"entry {seq} is missing" in problem(replace(record, ledger=Forged(entries)))


def test_the_head_tells_when_a_chain_was_written_anew(record: AuditRecord) -> None:
    """Every hash of it fits, and the ledger's head too; what stands outside does not."""
    entries = forged(record, 2, actor="somebody else")
    assert record.head is not None
    head = replace(record.head, hash=entries[-1]["hash"])
    words = f"entry 3 (batch closed of batch 1) differs from {HEAD}"
    assert words in problem(replace(record, ledger=Forged(entries), head=head))


def test_the_ledgers_head_tells_when_the_last_entries_were_written_anew(
    record: AuditRecord,
) -> None:
    """It names another hash."""
    entries = forged(record, 6, actor="somebody else")
    assert "the head names entry 6" in problem(replace(record, ledger=Forged(entries)))


def test_the_documents_tell_when_the_end_was_cut_off(record: AuditRecord) -> None:
    """A document is written after its entry, so one without an entry had one."""
    assert record.head is not None
    entries = list(record.entries())[:4]
    head = replace(record.head, seq=4, hash=entries[-1]["hash"])
    cut = replace(record, ledger=Forged(entries), head=head)
    assert problem(cut) == f"an entry is missing: none names verdicts/{NAME}/2.json"
    shorter = replace(cut, head=replace(head, seq=2, hash=entries[1]["hash"]))
    assert problem(shorter) == f"entry 3 is missing: {HEAD} knows 3 of them"


def test_the_verdict_is_named_when_its_document_is_another(record: AuditRecord) -> None:
    """Changed, or gone."""
    path = f"verdicts/{NAME}/1.json"
    changed = replace(record, documents={**record.documents, path: b"{}"})
    assert problem(changed) == f"entry 2 (verdict of batch 1): its document {path} was changed"
    without = {key: body for key, body in record.documents.items() if key != path}
    words = f"entry 2 (verdict of batch 1): its document {path} is missing"
    assert problem(replace(record, documents=without)) == words


def test_a_document_may_be_on_its_way_when_its_entry_is_the_last(record: AuditRecord) -> None:
    """It is written a moment later; then it is no verdict that was verified."""
    assert record.head is not None
    entries = list(record.entries())[:5]
    head = replace(record.head, seq=5, hash=entries[-1]["hash"])
    path = f"verdicts/{NAME}/1.json"
    young = replace(record, head=head, documents={path: record.documents[path]})
    counts = replace(young, ledger=Forged(entries)).verify()
    assert counts.words() == "5 entries, 1 verdict, heads cover up to entry 3: unbroken"
    assert "entry 5 (verdict of batch 2)" in (counts.pending or "")


def test_an_export_verifies_offline_when_it_is_unpacked(export: Path) -> None:
    """With nothing but Python; what it says is what the command says."""
    done = verify_offline(export)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "6 entries, 2 verdicts, heads cover up to entry 3: unbroken\n"
        "Entries 4 to 6 are younger than the last head.\n"
    )
    assert {path.name for path in export.iterdir()} == {
        "entries.jsonl",
        "head.json",
        "files.json",
        "verify.py",
        "verdicts",
        "chain",
    }


def test_the_export_is_broken_when_any_byte_of_its_data_is_another(export: Path) -> None:
    """One byte, anywhere; in an entry or a verdict, that entry is the one that is named."""
    data = [path for path in export.rglob("*") if path.is_file() and path.name != "verify.py"]
    assert len(data) == 6
    for path in data:
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(RecordBrokenError) as broken:
                verify_folder(export)
            line = whole[:at].count(b"\n") + 1
            if path.name == "entries.jsonl" and whole[at : at + 1] != b"\n":
                numbers = set(re.findall(r"entry (\d)", str(broken.value)))
                assert numbers & {str(line), str(line + 1)}, (at, broken.value)
            if path.parent.name == NAME and path.parent.parent.name == "verdicts":
                assert f"(verdict of batch {path.stem})" in str(broken.value)
        path.write_bytes(whole)
    assert verify_folder(export).entries == 6


@pytest.mark.parametrize("name", ["entries.jsonl", f"verdicts/{NAME}/2.json"])
def test_the_export_says_so_offline_when_a_byte_is_another(export: Path, name: str) -> None:
    """Its own program ends with 1 and names the entry."""
    whole = (export / name).read_bytes()
    at = whole.index(b'"batch":2') + len('"batch":')
    (export / name).write_bytes(whole[:at] + b"3" + whole[at + 1 :])
    done = verify_offline(export)
    assert (done.returncode, done.stdout) == (1, "")
    entry = 4 if name == "entries.jsonl" else 5
    assert done.stderr.startswith(f"BROKEN: entry {entry} (")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda folder: (folder / "head.json").unlink(), "head.json is missing"),
        (lambda folder: (folder / HEAD).unlink(), f"{HEAD} is missing"),
        (lambda folder: (folder / "more.txt").write_text("x"), "more.txt was added"),
        (
            lambda folder: (folder / "verify.py").write_bytes(
                (folder / "verify.py").read_bytes() + b"# more\n"
            ),
            "verify.py or its line in files.json was changed",
        ),
    ],
    ids=["no head", "no head of the bucket", "one more", "another program"],
)
def test_the_file_is_named_when_an_export_was_tampered_with(
    export: Path, act: Any, words: str
) -> None:
    """What is not an entry is named as a file."""
    act(export)
    assert words in verify_offline(export).stderr


def test_an_export_is_canonical_when_it_is_written(export: Path) -> None:
    """Any program can compute the hashes from its lines."""
    lines = (export / "entries.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all(canonical(json.loads(line)) == line for line in lines)
