"""Verify the record of one audit chain: entries, the verdicts that they name, and heads.

Knows nothing but Python's standard library, so that the same file verifies inside an export as
``python verify.py`` and inside the command. It computes hashes anew and shares no code with what
wrote them. Decides what is wrong first, and how it is said.

An export holds ``entries.jsonl`` (one entry a line, by number), ``head.json`` (where the chain
ended), ``verdicts/`` and ``chain/`` (documents and heads, byte for byte), and ``files.json``
(the sha256 of each of these files and of this one).
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST_HASH = "0" * 64
ENTRIES, HEAD, FILES, VERIFIER = "entries.jsonl", "head.json", "files.json", "verify.py"
_CHAIN_FOLDER, _VERDICTS_FOLDER = "chain", "verdicts"
_HEAD_NAMES = {"at", "flywheel", "hash", "seq"}
_DAILY = re.compile(r"\d{4}-\d\d-\d\d\.json")
"""How earlier releases named a head: by the day on which it was written."""

Entry = Mapping[str, Any]


class RecordBrokenError(Exception):
    """The record is not what was written; the message names the first thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was verified.

    Parameters
    ----------
    entries, verdicts, heads : int
    covered : int
        The last entry that a head names, by number; 0 for none. What is younger has only the
        ledger to speak for it.
    pending : str or None
        A verdict that was entered in this moment, and whose document is not there yet.
    """

    entries: int
    verdicts: int
    heads: int
    covered: int = 0
    pending: str | None = None

    def words(self) -> str:
        """Return them as a sentence."""
        entries = f"{self.entries:,} {'entry' if self.entries == 1 else 'entries'}"
        verdicts = f"{self.verdicts:,} verdict{'' if self.verdicts == 1 else 's'}"
        heads = f"heads cover up to entry {self.covered:,}" if self.covered else "no head"
        return f"{entries}, {verdicts}, {heads}: unbroken"

    def beyond(self) -> str | None:
        """Return as a sentence which entries no head covers yet; None where there is none."""
        first = self.covered + 1
        if self.entries < first:
            return None
        if not self.covered:
            return "No head covers any of them yet."
        if self.entries == first:
            return f"Entry {first:,} is younger than the last head."
        return f"Entries {first:,} to {self.entries:,} are younger than the last head."


@dataclass(slots=True)
class _Walk:
    """What is known of a chain up to some entry."""

    documents: Mapping[str, bytes]
    heads: Mapping[int, list[tuple[str, Entry]]]
    seq: int = 0
    hash: str = FIRST_HASH
    verdict_hash: str = FIRST_HASH
    named: set[str] = field(default_factory=set)
    heads_seen: int = 0
    covered: int = 0
    pending: str | None = None

    def step(self, entry: Entry) -> None:
        """Take the next entry."""
        if self.pending is not None:
            raise RecordBrokenError(self.pending)
        seq = self.seq + 1
        if entry.get("seq") != seq:
            self._refuse_number(entry, seq)
        name = named(entry)
        if entry_hash(entry) != entry.get("hash"):
            raise RecordBrokenError(f"{name} was changed: its content has another hash")
        if entry.get("previous") != self.hash:
            raise RecordBrokenError(
                f"{name} does not follow entry {self.seq}: one of the two was changed"
            )
        self.seq, self.hash = seq, str(entry["hash"])
        for path, head in self.heads.get(seq, ()):
            self.heads_seen, self.covered = self.heads_seen + 1, seq
            if head.get("hash") != self.hash:
                raise RecordBrokenError(
                    f"{name} differs from {path}: it, or one before it, was written anew since"
                )
        if entry["event"] == "verdict" and "document" in entry["details"]:
            self._document(entry["details"], name)

    def _refuse_number(self, entry: Entry, wanted: int) -> None:
        found = entry.get("seq")
        if isinstance(found, int) and found > wanted:
            raise RecordBrokenError(f"entry {wanted} is missing")
        raise RecordBrokenError(f"entry {wanted} was changed: it calls itself {found!r}")

    def _document(self, details: Entry, name: str) -> None:
        path = details["document"]
        self.named.add(path)
        document = self.documents.get(path)
        if document is None:
            # Right if it is the last entry: the document is written after its entry.
            self.pending = f"{name}: its document {path} is missing"
            return
        sha256 = hashlib.sha256(document).hexdigest()
        if sha256 != details["document_sha256"]:
            raise RecordBrokenError(f"{name}: its document {path} was changed")
        if json.loads(document).get("previous_sha256") != self.verdict_hash:
            raise RecordBrokenError(f"{name}: its document {path} does not follow the one before")
        self.verdict_hash = sha256


def verify_record(
    entries: Iterable[Entry],
    head: Entry | None,
    documents: Mapping[str, bytes],
    heads: Mapping[str, bytes],
) -> Counts:
    """Verify a chain from its first entry to its last.

    Parameters
    ----------
    entries : iterable of mapping
        By number; what is missing is left out.
    head : mapping or None
        ``seq`` and ``hash`` of the last entry.
    documents, heads : mapping of str to bytes
        What is kept beside the ledger, by path.

    Raises
    ------
    RecordBrokenError
        Naming the first entry that is wrong, and how.
    """
    at: dict[int, list[tuple[str, Entry]]] = {}
    for path, body in sorted(heads.items()):
        kept = _kept_head(body, path)
        at.setdefault(kept["seq"], []).append((path, kept))
    walk = _Walk(documents, at)
    for entry in entries:
        walk.step(entry)
    last = 0 if head is None else head["seq"]
    if walk.seq < last:
        raise RecordBrokenError(f"entry {walk.seq + 1} is missing: the chain has {last}")
    if walk.seq > last or (head is not None and head["hash"] != walk.hash):
        raise RecordBrokenError(
            f"the head names entry {last} by another hash than entry {walk.seq}"
        )
    beyond = min((seq for seq in at if seq > walk.seq), default=None)
    if beyond is not None:
        path = at[beyond][0][0]
        raise RecordBrokenError(f"entry {walk.seq + 1} is missing: {path} knows {beyond} of them")
    unknown = sorted(documents.keys() - walk.named)
    if unknown:
        raise RecordBrokenError(f"an entry is missing: none names {unknown[0]}")
    verdicts = len(walk.named) - (walk.pending is not None)
    return Counts(walk.seq, verdicts, walk.heads_seen, walk.covered, walk.pending)


def entry_hash(entry: Entry) -> str:
    """Return the hash of an entry over everything in it but its own hash and its key."""
    content = {name: value for name, value in entry.items() if name not in {"hash", "pk", "sk"}}
    return hashlib.sha256(canonical(content)).hexdigest()


def canonical(value: Any) -> bytes:
    """Return JSON with sorted names and no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def named(entry: Entry) -> str:
    """Return how an entry is called: by its number, and by what it records."""
    details = entry.get("details")
    batch = details.get("batch") if isinstance(details, Mapping) else None
    of = f" of batch {batch}" if batch is not None else ""
    return f"entry {entry.get('seq')} ({entry.get('event')}{of})"


def verify_folder(folder: Path) -> Counts:
    """Verify an export that was unpacked there.

    Raises
    ------
    RecordBrokenError
        Naming the first thing that is wrong.
    """
    counts = verify_record(
        _entries(folder),
        _head(_read(folder, HEAD), HEAD),
        _read_all(folder, _VERDICTS_FOLDER),
        _read_all(folder, _CHAIN_FOLDER),
    )
    _verify_files(folder)
    return counts


def _entries(folder: Path) -> Iterator[Entry]:
    lines = _read(folder, ENTRIES).split(b"\n")
    if lines.pop():
        raise RecordBrokenError(f"{ENTRIES} was changed: its last line does not end")
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:
            raise RecordBrokenError(f"entry {number} was changed: it is no JSON") from None
        if not isinstance(entry, dict) or canonical(entry) != line:
            raise RecordBrokenError(f"entry {number} was changed: it is spelled otherwise")
        yield entry


def _verify_files(folder: Path) -> None:
    """See that every file is as it was when it was exported, and that there is no other."""
    body = _read(folder, FILES)
    listed = _parsed(body, FILES)
    if canonical(listed) != body:
        raise RecordBrokenError(f"{FILES} was changed: it is spelled otherwise")
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for path in sorted(there ^ {*listed, FILES}):
        raise RecordBrokenError(f"{path} {'is missing' if path in listed else 'was added'}")
    for path, sha256 in sorted(listed.items()):
        if hashlib.sha256(_read(folder, path)).hexdigest() != sha256:
            raise RecordBrokenError(f"{path} or its line in {FILES} was changed")


def _read_all(folder: Path, below: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / below).rglob("*.json"))
    }


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError:
        raise RecordBrokenError(f"{name} is missing") from None


def _parsed(body: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise RecordBrokenError(f"{name} was changed: it is no JSON") from None
    if not isinstance(found, dict):
        raise RecordBrokenError(f"{name} was changed: it is no JSON object")
    return found


def _head(body: bytes, name: str) -> dict[str, Any]:
    head = _parsed(body, name)
    if not isinstance(head.get("seq"), int) or "hash" not in head:
        raise RecordBrokenError(f"{name} was changed: it names no entry")
    return head


def _kept_head(body: bytes, path: str) -> dict[str, Any]:
    """Return a head of the verdicts bucket, which says by its path what it names."""
    head = _head(body, path)
    *_, folder, name = path.split("/")
    if _DAILY.fullmatch(name):
        return head
    if f"{head['seq']:08}.json" != name or head.get("flywheel") != folder:
        raise RecordBrokenError(f"{path} was changed: it names another entry than its path")
    if set(head) != _HEAD_NAMES or canonical(head) != body:
        raise RecordBrokenError(f"{path} was changed: it is spelled otherwise")
    return head


def main(arguments: list[str]) -> int:
    """Verify the folder that is named, or the one that this file is in."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        counts = verify_folder(folder)
    except RecordBrokenError as error:
        sys.stderr.write(f"BROKEN: {error}\n")
        return 1
    sys.stdout.write(f"{counts.words()}\n")
    if (younger := counts.beyond()) is not None:
        sys.stdout.write(f"{younger}\n")
    if counts.pending:
        sys.stdout.write(f"The last one was being written: {counts.pending}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
