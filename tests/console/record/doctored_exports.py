"""An export of a small chain, and what a forger could make of it.

A forger is diligent here: whatever is changed, the hashes that follow from it are made anew, up to
``files.json``. What is refused all the same is refused for what it is.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from console.record import offline_verifier
from console.record.offline_verifier import FIRST_HASH, canonical, entry_hash

NAME = "tickets"
AT = "2026-01-02T03:04:05+00:00"
DAY, NUMBERED = f"chain/{NAME}/2026-01-02.json", f"chain/{NAME}/00000006.json"

Files = dict[str, bytes]
Entry = dict[str, Any]
Doctor = Callable[[Files], object]


def verdict_key(batch: int) -> str:
    """Return the key of a batch's document."""
    return f"verdicts/{NAME}/{batch}.json"


def export() -> Files:
    """Return the files of an export: six entries, two verdicts, a head of each form."""
    documents: Files = {}
    entries: list[Entry] = []
    before = FIRST_HASH
    for batch in (1, 2):
        document = canonical({"batch": batch, "previous_sha256": before})
        documents[verdict_key(batch)], before = document, sha256(document).hexdigest()
        named = {"document": verdict_key(batch), "document_sha256": before}
        for event, details in (("opened", {"share": 0.5}), ("verdict", named), ("closed", {})):
            entries.append(
                {"actor": "seal_batch", "at": AT, "details": {"batch": batch, **details}}
                | {"event": event, "flywheel": NAME}
            )
    files = {**documents, "verify.py": Path(offline_verifier.__file__).read_bytes()}
    write_entries(files, entries)
    for path, seq in ((DAY, 3), (NUMBERED, 6)):
        head = {
            "at": AT,
            "flywheel": NAME,
            "seq": seq,
            "hash": read_entries(files)[seq - 1]["hash"],
        }
        files[path] = canonical(head)
    seal(files)
    return files


def read_entries(files: Files) -> list[Entry]:
    """Return the entries of an export."""
    return [json.loads(line) for line in files["entries.jsonl"].splitlines()]


def write_entries(files: Files, entries: list[Entry]) -> None:
    """Write entries with every number and hash made anew, and the head that follows."""
    before = FIRST_HASH
    for seq, entry in enumerate(entries, 1):
        entry |= {"seq": seq, "previous": before}
        before = entry["hash"] = entry_hash(entry)
    files["entries.jsonl"] = b"".join(canonical(entry) + b"\n" for entry in entries)
    files["head.json"] = canonical({"flywheel": NAME, "seq": len(entries), "hash": before})


def seal(files: Files) -> None:
    """Write ``files.json`` anew."""
    hashes = {
        path: sha256(body).hexdigest() for path, body in files.items() if path != "files.json"
    }
    files["files.json"] = canonical(hashes)


def in_entry(number: int, **values: Any) -> Doctor:
    """Change values of an entry; what follows from it is made anew but for what is changed."""

    def doctor(files: Files) -> None:
        entries = read_entries(files)
        entries[number - 1] |= values
        if "hash" not in values:
            entries[number - 1]["hash"] = entry_hash(entries[number - 1])
        files["entries.jsonl"] = b"".join(canonical(entry) + b"\n" for entry in entries)

    return doctor


def added_to_entry(number: int, **values: Any) -> Doctor:
    """Add fields to an entry and leave every hash as it was."""

    def doctor(files: Files) -> None:
        entries = read_entries(files)
        entries[number - 1] |= values
        files["entries.jsonl"] = b"".join(canonical(entry) + b"\n" for entry in entries)

    return doctor


def in_chain(number: int, **values: Any) -> Doctor:
    """Change values of an entry, and all hashes and the head with them."""

    def doctor(files: Files) -> None:
        entries = read_entries(files)
        entries[number - 1] |= values
        write_entries(files, entries)
        for path in (DAY, NUMBERED):
            del files[path]

    return doctor


def in_details(number: int, **values: Any) -> Doctor:
    """Change values in an entry's details, and all hashes and the head with them."""

    def doctor(files: Files) -> None:
        entries = read_entries(files)
        entries[number - 1]["details"] |= values
        write_entries(files, entries)
        for path in (DAY, NUMBERED):
            del files[path]

    return doctor


def without_field(name: str) -> Doctor:
    """Leave a field of entry 2 out."""

    def doctor(files: Files) -> None:
        entries = read_entries(files)
        del entries[1][name]
        if name != "hash":
            entries[1]["hash"] = entry_hash(entries[1])
        files["entries.jsonl"] = b"".join(canonical(entry) + b"\n" for entry in entries)

    return doctor


def with_text(path: str, old: bytes, new: bytes) -> Doctor:
    """Replace the first such bytes of a file."""

    def doctor(files: Files) -> None:
        assert old in files[path]
        files[path] = files[path].replace(old, new, 1)

    return doctor


def with_body(path: str, body: bytes) -> Doctor:
    """Write a file, or another one over it."""

    def doctor(files: Files) -> None:
        files[path] = body

    return doctor


def without(*paths: str) -> Doctor:
    """Leave files out."""

    def doctor(files: Files) -> None:
        for path in paths:
            del files[path]

    return doctor


def in_object(path: str, **values: Any) -> Doctor:
    """Change members of a file that is one object; None removes one."""

    def doctor(files: Files) -> None:
        found = {**json.loads(files[path]), **values}
        files[path] = canonical({name: one for name, one in found.items() if one is not None})

    return doctor


def with_document(body: bytes) -> Doctor:
    """Make another document of verdict 2, and the chain with its hash."""

    def doctor(files: Files) -> None:
        in_details(5, document_sha256=sha256(body).hexdigest())(files)
        files[verdict_key(2)] = body

    return doctor


def moved(path: str, there: str) -> Doctor:
    """Give a file another name."""

    def doctor(files: Files) -> None:
        files[there] = files.pop(path)

    return doctor


def reordered(*numbers: int) -> Doctor:
    """Give the entries in another order, each as it was written."""

    def doctor(files: Files) -> None:
        lines = files["entries.jsonl"].splitlines(keepends=True)
        files["entries.jsonl"] = b"".join(lines[number - 1] for number in numbers)

    return doctor


_ENTRIES = "entries.jsonl"
_SECOND = "entry 2 (verdict of batch 1) was changed: "
_DEEP = b"[" * 100_000 + b"]" * 100_000
_FIELDS = ("flywheel", "seq", "at", "actor", "event", "details", "previous", "hash")

ENTRIES = {
    "key added": (added_to_entry(2, pk="AUDIT#tickets#2"), _SECOND + "its field pk was added"),
    "sort key added": (added_to_entry(2, sk={"any": 1}), _SECOND + "its field sk was added"),
    "both keys": (added_to_entry(2, pk="x", sk="y"), _SECOND + "its field pk was added"),
    "key in a new chain": (in_chain(2, pk="x"), _SECOND + "its field pk was added"),
    "note in a new chain": (in_chain(2, note="yes"), _SECOND + "its field note was added"),
    "terminal code": (in_entry(2, **{"\x1b[2J": 1}), _SECOND + "its field ?[2J was added"),
    **{
        f"no {name}": (without_field(name), f"was changed: its field {name} is missing")
        for name in _FIELDS
    },
    "true as seq": (in_entry(1, seq=True), "its seq is no integer"),
    "1.0 as seq": (in_entry(1, seq=1.0), "its seq is no integer"),
    "text as seq": (in_entry(1, seq="1"), "its seq is no integer"),
    "null as seq": (in_entry(1, seq=None), "its seq is no integer"),
    "seq 0": (in_entry(1, seq=0), "entry 1 was changed: it calls itself 0"),
    "seq -1": (in_entry(1, seq=-1), "entry 1 was changed: it calls itself -1"),
    "large seq": (in_entry(2, seq=10**30), "entry 2 is missing"),
    "too large seq": (in_entry(2, seq=10**60), "entry 2 was changed: it is no JSON: an integer"),
    "seq of many digits": (
        with_text(_ENTRIES, b'"seq":2', b'"seq":' + b"9" * 10_000),
        "entry 2 was changed: it is no JSON: an integer is too large",
    ),
    "null as at": (in_chain(2, at=None), _SECOND + "its at is no text"),
    "number as actor": (in_chain(2, actor=7), _SECOND + "its actor is no text"),
    "list as event": (in_chain(2, event=[]), "its event is no text"),
    "list as details": (in_chain(2, details=[1]), "its details is no object"),
    "text as details": (in_chain(2, details="x"), "its details is no object"),
    "null as previous": (in_entry(2, previous=None), _SECOND + "its previous is no text"),
    "short previous": (in_entry(2, previous="0"), _SECOND + "its previous is no SHA-256"),
    "number as hash": (in_entry(2, hash=7), _SECOND + "its hash is no text"),
    "capitals in a hash": (in_entry(2, hash="A" * 64), _SECOND + "its hash is no SHA-256"),
    "another flywheel": (in_chain(2, flywheel="other"), _SECOND + "it is of other, not of tickets"),
    "another hash": (in_entry(2, hash="0" * 64), _SECOND + "its content has another hash"),
    "member twice": (
        with_text(_ENTRIES, b'"event":"verdict"', b'"event":"verdict","event":"verdict"'),
        "entry 2 was changed: it is no JSON: a member is there twice",
    ),
    "member twice inside": (
        with_text(_ENTRIES, b'"batch":1', b'"batch":1,"batch":1'),
        "entry 1 was changed: it is no JSON: a member is there twice",
    ),
    **{
        f"{number} in details": (
            with_text(_ENTRIES, b'"share":0.5', b'"share":' + number.encode()),
            f"entry 1 was changed: it is no JSON: {number} is no number",
        )
        for number in ("NaN", "Infinity", "-Infinity", "1e999")
    },
    "0.50 for 0.5": (with_text(_ENTRIES, b"0.5", b"0.50"), "entry 1 was changed: it is spelled"),
    "a blank": (with_text(_ENTRIES, b'"seq":2', b'"seq": 2'), "entry 2 was changed: it is spelled"),
    "nested deeply": (
        with_text(_ENTRIES, b'"share":0.5', b'"share":' + _DEEP),
        "entry 1 was changed: it is nested too deeply",
    ),
    "byte order mark": (
        with_text(_ENTRIES, b"{", b"\xef\xbb\xbf{"),
        "entry 1 was changed: it is no JSON",
    ),
    "CRLF": (with_text(_ENTRIES, b"}\n", b"}\r\n"), "entry 1 was changed: it is spelled otherwise"),
    "no UTF-8": (with_text(_ENTRIES, b"seal", b"s\xffal"), "entry 1 was changed: it is no JSON"),
    "no JSON": (with_text(_ENTRIES, b"{", b"("), "entry 1 was changed: it is no JSON"),
    "a list": (with_body(_ENTRIES, b"[]\n"), "entry 1 was changed: it is no JSON object"),
    "a blank line": (with_text(_ENTRIES, b"}\n", b"}\n\n"), "entry 2 was changed: it is no JSON"),
    "no last line end": (
        lambda files: files.update({_ENTRIES: files[_ENTRIES][:-1]}),
        "entries.jsonl was changed: its last line does not end",
    ),
    "no entries": (with_body(_ENTRIES, b""), "entry 1 is missing: the chain has 6"),
    "one removed": (reordered(1, 2, 4, 5, 6), "entry 3 is missing"),
    "last removed": (reordered(1, 2, 3, 4, 5), "entry 6 is missing"),
    "one repeated": (reordered(1, 2, 2, 3, 4, 5, 6), "entry 3 was changed: it calls itself 2"),
    "two swapped": (reordered(1, 3, 2, 4, 5, 6), "entry 2 is missing"),
}
"""What the entries can be made to say."""

_ELSEWHERE = f"it names no document in verdicts/{NAME}/, but "
DOCUMENTS = {
    "of another flywheel": (in_details(5, document="verdicts/other/2.json"), _ELSEWHERE),
    "absolute": (in_details(5, document="/etc/passwd"), _ELSEWHERE + "/etc/passwd"),
    "of a parent": (in_details(5, document=f"verdicts/{NAME}/../2.json"), _ELSEWHERE),
    "with a backslash": (in_details(5, document=f"verdicts\\{NAME}\\2.json"), _ELSEWHERE),
    "a list": (in_details(5, document=["x"]), _ELSEWHERE + "['x']"),
    "an object": (in_details(5, document={}), _ELSEWHERE),
    "with a line end": (in_details(5, document=f"{verdict_key(2)}\n"), _ELSEWHERE),
    "named twice": (
        in_details(5, document=verdict_key(1)),
        f"entry 5 (verdict of batch 2) was changed: an earlier entry names {verdict_key(1)}",
    ),
    "without a hash": (in_details(5, document_sha256=None), f"document {verdict_key(2)} was"),
    "no JSON": (with_document(b"{"), f"{verdict_key(2)} was changed: it is no JSON"),
    "empty": (with_document(b""), f"{verdict_key(2)} was changed: it is no JSON"),
    "no object": (with_document(b"[1]"), f"{verdict_key(2)} was changed: it is no JSON object"),
    "nested deeply": (
        with_document(_DEEP),
        f"{verdict_key(2)} was changed: it is nested",
    ),
    "NaN": (with_document(b'{"f1":NaN}'), f"{verdict_key(2)} was changed: it is no JSON: NaN"),
    "no UTF-8": (with_document(b'{"a":"\xff"}'), f"{verdict_key(2)} was changed: it is no JSON"),
    "UTF-16": (with_document("{}".encode("utf-16")), f"{verdict_key(2)} was changed"),
    "member twice": (
        with_document(b'{"decision":"HOLD","decision":"PROMOTE"}'),
        f"{verdict_key(2)} was changed: it is no JSON: a member is there twice",
    ),
    "following nothing": (with_document(b"{}"), "does not follow the one before"),
    "removed": (
        without(verdict_key(1)),
        f"entry 2 (verdict of batch 1): its document {verdict_key(1)} is missing",
    ),
    "changed": (with_text(verdict_key(1), b"1", b"9"), f"document {verdict_key(1)} was changed"),
    "one more": (with_body(verdict_key(3), b"{}"), f"none names {verdict_key(3)}"),
}
"""What verdicts can be made of."""

_ANOTHER_MOMENT = "was changed: it is the head of another moment"
HEADS = {
    "of another flywheel": (in_object("head.json", flywheel="other"), "of another flywheel than"),
    "of no flywheel": (
        in_object("head.json", flywheel="../other"),
        "head.json was changed: ../other is no flywheel's name",
    ),
    "with a note": (in_object("head.json", note=1), "head.json was changed: its field note was"),
    "without a hash": (in_object("head.json", hash=None), "head.json was changed: its field hash"),
    "without a flywheel": (in_object("head.json", flywheel=None), "its field flywheel is missing"),
    "true": (in_object("head.json", seq=True), "head.json was changed: its seq is no integer"),
    "6.0": (in_object("head.json", seq=6.0), "head.json was changed: its seq is no integer"),
    "text": (in_object("head.json", seq="6"), "head.json was changed: its seq is no integer"),
    "later": (in_object("head.json", seq=7), "entry 7 is missing: the chain has 7"),
    "earlier": (in_object("head.json", seq=5), "the head names entry 5 by another hash"),
    "another": (in_object("head.json", hash="0" * 64), "the head names entry 6 by another hash"),
    "empty": (with_body("head.json", b""), "head.json was changed: it is no JSON"),
    "a list": (with_body("head.json", b"[]"), "head.json was changed: it is no JSON object"),
    "nested deeply": (
        with_body("head.json", _DEEP),
        "head.json was changed: it is nested",
    ),
    "byte order mark": (with_text("head.json", b"{", b"\xef\xbb\xbf{"), "head.json was changed"),
    "a line end": (with_text("head.json", b"}", b"}\r\n"), "head.json was changed: it is spelled"),
    "daily, of another flywheel": (
        in_object(DAY, flywheel="other"),
        f"{DAY} was changed: it is of other, not of tickets",
    ),
    "daily, from another flywheel": (
        moved(DAY, "chain/other/2026-01-02.json"),
        "chain/other/2026-01-02.json is of another flywheel than head.json",
    ),
    "daily, with a note": (in_object(DAY, note=1), f"{DAY} was changed: its field note was added"),
    "daily, without a time": (in_object(DAY, at=None), f"{DAY} was changed: its field at is"),
    "daily, true": (in_object(DAY, seq=True), f"{DAY} was changed: its seq is no integer"),
    "daily, 0": (in_object(DAY, seq=0), f"{DAY} {_ANOTHER_MOMENT}"),
    "daily, another": (in_object(DAY, hash="1" * 64), "entry 3 (closed of batch 1) differs from"),
    "daily, beyond": (in_object(DAY, seq=9), "entry 7 is missing"),
    "daily, another day": (
        moved(DAY, f"chain/{NAME}/2026-01-03.json"),
        f"chain/{NAME}/2026-01-03.json {_ANOTHER_MOMENT}",
    ),
    "daily, another number": (
        moved(NUMBERED, f"chain/{NAME}/00000005.json"),
        f"chain/{NAME}/00000005.json {_ANOTHER_MOMENT}",
    ),
    "daily, a longer number": (
        moved(NUMBERED, f"chain/{NAME}/000000006.json"),
        f"chain/{NAME}/000000006.json {_ANOTHER_MOMENT}",
    ),
    "daily, no JSON": (with_body(DAY, b"no"), f"{DAY} was changed: it is no JSON"),
    "daily, spelled otherwise": (with_text(DAY, b":", b": "), f"{DAY} was changed: it is spelled"),
}
"""Where a chain can be said to have ended."""

_NO_SUCH_FILE = "was added: an export has no such file"


def listing(**values: Any) -> Doctor:
    """Change what ``files.json`` says, after all else was sealed."""
    return in_object("files.json", **values)


LISTINGS = {
    "absolute path": (listing(**{"/etc/passwd": "0" * 64}), "names /etc/passwd, and an export has"),
    "parent path": (listing(**{"../head.json": "0" * 64}), "names ../head.json, and an export"),
    "backslash": (listing(**{"verdicts\\x.json": "0" * 64}), "names verdicts\\x.json, and an"),
    "itself": (listing(**{"files.json": "0" * 64}), "files.json or its line in files.json was"),
    "no file": (listing(**{verdict_key(9): "0" * 64}), f"{verdict_key(9)} is missing"),
    "one file less": (listing(**{DAY: None}), f"{DAY} was added"),
    "number as hash": (listing(**{DAY: 7}), f"{DAY} or its line in files.json was changed"),
    "list as hash": (listing(**{DAY: []}), f"{DAY} or its line in files.json was changed"),
    "capitals": (listing(**{DAY: "A" * 64}), f"{DAY} or its line in files.json was changed"),
    "no object": (with_body("files.json", b"[]"), "files.json was changed: it is no JSON object"),
    "empty": (with_body("files.json", b""), "files.json was changed: it is no JSON"),
    "a line end": (
        with_text("files.json", b"}", b"}\r\n"),
        "files.json was changed: it is spelled",
    ),
    "nested deeply": (
        with_body("files.json", _DEEP),
        "files.json was changed: it is nested",
    ),
    "member twice": (
        with_text("files.json", b"{", b'{"head.json":"x",'),
        "files.json was changed: it is no JSON: a member is there twice",
    ),
    "verify.py changed": (with_text("verify.py", b"BROKEN", b"UNBROKEN"), "verify.py or its line"),
    "no files.json": (without("files.json"), "files.json is missing"),
}
"""What ``files.json`` can be made to say; it is not made anew after these."""

STRAYS = {
    "no head": (without("head.json"), "head.json is missing"),
    "no entries": (without("entries.jsonl"), "entries.jsonl is missing"),
    "no program": (without("verify.py"), "verify.py is missing"),
    "one more file": (with_body("more.txt", b"x"), f"more.txt {_NO_SUCH_FILE}"),
    "another letter case": (
        with_body(f"verdicts/{NAME}/x.JSON", b"{}"),
        f"verdicts/{NAME}/x.JSON {_NO_SUCH_FILE}",
    ),
    "no flywheel's": (with_body("verdicts/x.JSON", b"{}"), f"verdicts/x.JSON {_NO_SUCH_FILE}"),
    "no number": (with_body(f"verdicts/{NAME}/new.json", b"{}"), f"new.json {_NO_SUCH_FILE}"),
    "another flywheel's": (
        with_body("verdicts/other/1.json", b"{}"),
        "verdicts/other/1.json is of another flywheel than head.json",
    ),
    "no day": (with_body(f"chain/{NAME}/latest.json", b"{}"), f"latest.json {_NO_SUCH_FILE}"),
    "short number": (with_body(f"chain/{NAME}/6.json", b"{}"), f"6.json {_NO_SUCH_FILE}"),
    "hidden": (with_body(f"verdicts/{NAME}/.1.json", b"{}"), f".1.json {_NO_SUCH_FILE}"),
    "module": (with_body("json.py", b""), f"json.py {_NO_SUCH_FILE}"),
}
"""Files that an export does not have, or that one lacks."""

DOCTORED = {
    **{f"entry: {name}": case for name, case in ENTRIES.items()},
    **{f"verdict: {name}": case for name, case in DOCUMENTS.items()},
    **{f"head: {name}": case for name, case in HEADS.items()},
    **{f"listing: {name}": case for name, case in LISTINGS.items()},
    **{f"files: {name}": case for name, case in STRAYS.items()},
}


def doctored(name: str) -> tuple[Files, str]:
    """Return a doctored export, and what is wrong with it."""
    files = export()
    doctor, words = DOCTORED[name]
    doctor(files)
    if not name.startswith("listing: "):
        seal(files)
    return files, words
