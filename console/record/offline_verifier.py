"""Verify the record of one audit chain: entries, the verdicts that they name, and heads.

One file, however long: each export carries it as ``verify.py``, to be run with ``python -I`` and
nothing but Python's standard library. The command runs the same file. It computes every hash again
and shares no code with what wrote them. Decides which fault is reported first.

An export holds ``entries.jsonl`` (one entry a line, by number), ``head.json`` (where the chain
ended), ``verdicts/`` and ``chain/`` (documents and heads, byte for byte), and ``files.json``
(the sha256 of each of these files and of this one). It holds nothing else, and each of them has
one spelling: what a reader could take for part of the record must be part of what was verified.
"""

import hashlib
import json
import math
import os
import re
import stat
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

FIRST_HASH = "0" * 64
ENTRIES, HEAD, FILES, VERIFIER = "entries.jsonl", "head.json", "files.json", "verify.py"
ENTRY_FIELDS = {
    "flywheel": str,
    "seq": int,
    "at": str,
    "actor": str,
    "event": str,
    "details": dict,
    "previous": str,
    "hash": str,
}
LARGEST_BYTES, MOST_FILES = 2**30, 200_000
"""Of an export, unpacked: many times more than a chain grows to in years."""

_HEAD_FIELDS = {"flywheel": str, "seq": int, "hash": str}
_KEPT_HEAD_FIELDS = {**_HEAD_FIELDS, "at": str}
_TYPE_NAMES = {str: "text", int: "integer", dict: "object"}
_HASHES = frozenset({"hash", "previous"})
_LONGEST_INTEGER = 38
"""Digits; as many as the ledger's table keeps."""
_LONGEST_SHOWN = 100

_NAME = "[a-z0-9-]+"
_SHA256 = re.compile("[0-9a-f]{64}")
_CHAIN_HEAD = f"chain/({_NAME})/([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{8,}})[.]json"
_DOCUMENT = f"verdicts/({_NAME})/[0-9]+(-[0-9]+)?[.]json"
_FIXED = "|".join(map(re.escape, (ENTRIES, HEAD, FILES, VERIFIER)))
_FILE = re.compile(f"{_FIXED}|{_DOCUMENT}|{_CHAIN_HEAD}")
_FOLDER = re.compile(f"(chain|verdicts)(/{_NAME})?")
_REGULAR = frozenset({0, stat.S_IFREG})
_PACKED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1

Entry = Mapping[str, Any]
Found = Iterator[tuple[str, int, Callable[[], bytes]]]
"""Files by path, with their size in bytes, and what reads them."""


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
        A verdict that was entered just now, and whose document is not there yet.
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

    flywheel: str
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
        """Verify the next entry."""
        if self.pending is not None:
            raise RecordBrokenError(self.pending)
        seq = self.seq + 1
        name = _named(entry, seq)
        _check_fields(entry, ENTRY_FIELDS, name)
        if entry["seq"] != seq:
            _refuse_number(entry["seq"], seq)
        if _hash(entry, name) != entry["hash"]:
            raise RecordBrokenError(f"{name} was changed: its content has another hash")
        _check_flywheel(entry, self.flywheel, name)
        if entry["previous"] != self.hash:
            raise RecordBrokenError(
                f"{name} does not follow entry {self.seq}: one of the two was changed"
            )
        self.seq, self.hash = seq, entry["hash"]
        for path, head in self.heads.get(seq, ()):
            self.heads_seen, self.covered = self.heads_seen + 1, seq
            if head["hash"] != self.hash:
                raise RecordBrokenError(
                    f"{name} differs from {path}: it, or one before it, was written anew since"
                )
        if entry["event"] == "verdict" and "document" in entry["details"]:
            self._document(entry["details"], name)

    def _document(self, details: Entry, name: str) -> None:
        path = details["document"]
        match = re.fullmatch(_DOCUMENT, path) if isinstance(path, str) else None
        if match is None or match[1] != self.flywheel:
            words = f"it names no document in verdicts/{self.flywheel}/, but {_shown(path)}"
            raise RecordBrokenError(f"{name} was changed: {words}")
        if path in self.named:
            raise RecordBrokenError(f"{name} was changed: an earlier entry names {path}")
        self.named.add(path)
        document = self.documents.get(path)
        if document is None:
            # Right if it is the last entry: the document is written after its entry.
            self.pending = f"{name}: its document {path} is missing"
            return
        sha256 = hashlib.sha256(document).hexdigest()
        if sha256 != details.get("document_sha256"):
            raise RecordBrokenError(f"{name}: its document {path} was changed")
        if _parsed(document, path).get("previous_sha256") != self.verdict_hash:
            raise RecordBrokenError(f"{name}: its document {path} does not follow the one before")
        self.verdict_hash = sha256


def verify_record(
    flywheel: str,
    entries: Iterable[Entry],
    head: Entry | None,
    documents: Mapping[str, bytes],
    heads: Mapping[str, bytes],
) -> Counts:
    """Verify a chain from its first entry to its last.

    Parameters
    ----------
    flywheel : str
        Whose chain it is; all of it must say so.
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
        kept = _kept_head(path, body, flywheel)
        at.setdefault(kept["seq"], []).append((path, kept))
    walk = _Walk(flywheel, documents, at)
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
    """Return the hash of an entry over everything in it but its own hash."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(canonical(content)).hexdigest()


def canonical(value: Any) -> bytes:
    """Return JSON with sorted names and no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def verify_folder(folder: Path) -> Counts:
    """Verify an export that was unpacked there.

    Raises
    ------
    RecordBrokenError
        Naming the first thing that is wrong.
    """
    _, counts = verify_files(_read_all(_folder_files(folder)))
    for below in sorted(folder.rglob("*")):
        if below.is_dir() and not any(below.iterdir()):
            path = below.relative_to(folder).as_posix()
            raise RecordBrokenError(f"{path} was added: it is an empty folder")
    return counts


def verify_zip(file: Path) -> tuple[str, Counts]:
    """Verify an export as it was written; return whose chain it is, and how much was verified.

    Nothing is unpacked, and nothing in it is run.

    Raises
    ------
    RecordBrokenError
        Naming the first thing that is wrong.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            files = _read_all(_zip_files(archive))
    # What zipfile raises for bytes that are no zip, or not the one that was written.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise RecordBrokenError(f"the zip was changed: {_shown(error)}") from None
    return verify_files(files)


def verify_files(files: Mapping[str, bytes]) -> tuple[str, Counts]:
    """Verify the files of an export by path; return whose chain it is, and how much was verified.

    Raises
    ------
    RecordBrokenError
        Naming the first thing that is wrong.
    """
    for path in (HEAD, ENTRIES, FILES, VERIFIER):
        if path not in files:
            raise RecordBrokenError(f"{path} is missing")
    head = _canonical_object(files[HEAD], HEAD)
    _check_fields(head, _HEAD_FIELDS, HEAD)
    flywheel = head["flywheel"]
    if not re.fullmatch(_NAME, flywheel):
        raise RecordBrokenError(f"{HEAD} was changed: {_shown(flywheel)} is no flywheel's name")
    below: dict[str, dict[str, bytes]] = {"chain": {}, "verdicts": {}}
    for path, body in files.items():
        folder, *names = path.split("/")
        if names and names[0] != flywheel:
            raise RecordBrokenError(f"{path} is of another flywheel than {HEAD}")
        if names:
            below[folder][path] = body
    entries = _entries(files[ENTRIES])
    counts = verify_record(flywheel, entries, head, below["verdicts"], below["chain"])
    _verify_hashes(files)
    return flywheel, counts


def _entries(body: bytes) -> Iterator[Entry]:
    lines = body.split(b"\n")
    if lines.pop():
        raise RecordBrokenError(f"{ENTRIES} was changed: its last line does not end")
    for number, line in enumerate(lines, 1):
        yield _canonical_object(line, f"entry {number}")


def _verify_hashes(files: Mapping[str, bytes]) -> None:
    """Check that every file is as it was exported, and that there is no other."""
    listed = _canonical_object(files[FILES], FILES)
    for path in listed:
        if not _FILE.fullmatch(path):
            words = f"it names {_shown(path)}, and an export has no such file"
            raise RecordBrokenError(f"{FILES} was changed: {words}")
    for path in sorted(files.keys() ^ {*listed, FILES}):
        raise RecordBrokenError(f"{path} {'is missing' if path in listed else 'was added'}")
    for path, sha256 in sorted(listed.items()):
        if hashlib.sha256(files[path]).hexdigest() != sha256:
            raise RecordBrokenError(f"{path} or its line in {FILES} was changed")


def _read_all(found: Found) -> dict[str, bytes]:
    """Read the files of an export into memory, as long as it can be one."""
    files: dict[str, bytes] = {}
    size_bytes = 0
    for path, size, read in found:
        if not _FILE.fullmatch(path):
            raise RecordBrokenError(f"{_shown(path)} was added: an export has no such file")
        if path in files:
            raise RecordBrokenError(f"{path} is there twice")
        size_bytes += size
        if size_bytes > LARGEST_BYTES or len(files) == MOST_FILES:
            words = f"more than {LARGEST_BYTES:,} bytes or {MOST_FILES:,} files"
            raise RecordBrokenError(f"{path} is too much: with it there are {words}")
        files[path] = read()
    return files


def _folder_files(folder: Path, below: str = "") -> Found:
    try:
        items = sorted(os.scandir(folder / below), key=lambda item: item.name)
    except OSError as error:
        raise RecordBrokenError(f"{_shown(below or folder)}: {error.strerror}") from None
    for item in items:
        path = f"{below}/{item.name}" if below else item.name
        if item.is_symlink():
            raise RecordBrokenError(f"{_shown(path)} is a link, not a file")
        if item.is_dir():
            if not _FOLDER.fullmatch(path):
                raise RecordBrokenError(f"{_shown(path)} was added: an export has no such folder")
            yield from _folder_files(folder, path)
        elif item.is_file():
            yield path, item.stat().st_size, partial(_read, folder, path)
        else:
            raise RecordBrokenError(f"{_shown(path)} is no file")


def _read(folder: Path, path: str) -> bytes:
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise RecordBrokenError(f"{path} cannot be read: {error.strerror}") from None


def _zip_files(archive: zipfile.ZipFile) -> Found:
    for member in archive.infolist():
        # As it is written in the zip: zipfile ends a name at NUL, and turns backslashes.
        path = member.orig_filename
        if path.endswith("/"):
            raise RecordBrokenError(f"{_shown(path)} is a folder, not a file")
        if stat.S_IFMT(member.external_attr >> 16) not in _REGULAR:
            raise RecordBrokenError(f"{_shown(path)} is a link or device, not a file")
        if member.flag_bits & _ENCRYPTED:
            raise RecordBrokenError(f"{_shown(path)} is encrypted")
        if member.compress_type not in _PACKED:
            raise RecordBrokenError(f"{_shown(path)} is packed in another way than an export is")
        yield path, member.file_size, partial(_unpacked, archive, member)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as opened:
        # A size, since without one all that is packed is unpacked, however much it says it is.
        return opened.read(member.file_size + 1)


def _kept_head(path: str, body: bytes, flywheel: str) -> dict[str, Any]:
    """Return a head of the bucket, named by its number, or by its day in earlier releases."""
    match = re.fullmatch(_CHAIN_HEAD, path)
    if match is None or match[1] != flywheel:
        raise RecordBrokenError(f"{_shown(path)} was added: {flywheel} has no head of that name")
    head = _canonical_object(body, path)
    _check_fields(head, _KEPT_HEAD_FIELDS, path)
    _check_flywheel(head, flywheel, path)
    if head["seq"] < 1 or match[2] not in {f"{head['seq']:08d}", head["at"][:10]}:
        raise RecordBrokenError(f"{path} was changed: it is the head of another moment")
    return head


def _check_fields(value: Entry, fields: Mapping[str, type], name: str) -> None:
    """Check that there are these fields and no others."""
    for more in sorted(value.keys() - fields.keys()):
        raise RecordBrokenError(f"{name} was changed: its field {_shown(more)} was added")
    for key, kind in fields.items():
        if key not in value:
            raise RecordBrokenError(f"{name} was changed: its field {key} is missing")
        # Not isinstance: True would be an integer.
        if type(value[key]) is not kind:
            raise RecordBrokenError(f"{name} was changed: its {key} is no {_TYPE_NAMES[kind]}")
        if key in _HASHES and not _SHA256.fullmatch(value[key]):
            raise RecordBrokenError(f"{name} was changed: its {key} is no SHA-256")


def _check_flywheel(value: Entry, flywheel: str, name: str) -> None:
    if value["flywheel"] != flywheel:
        words = f"it is of {_shown(value['flywheel'])}, not of {flywheel}"
        raise RecordBrokenError(f"{name} was changed: {words}")


def _refuse_number(found: int, wanted: int) -> None:
    if found > wanted:
        raise RecordBrokenError(f"entry {wanted} is missing")
    raise RecordBrokenError(f"entry {wanted} was changed: it calls itself {found}")


def _hash(entry: Entry, name: str) -> str:
    try:
        return entry_hash(entry)
    except (TypeError, ValueError, RecursionError):
        raise RecordBrokenError(f"{name} was changed: not all of it can be JSON") from None


def _named(entry: Entry, seq: int) -> str:
    """Return how an entry is called: by its number, and by what it records."""
    details = entry.get("details")
    batch = details.get("batch") if isinstance(details, Mapping) else None
    of = f" of batch {_shown(batch)}" if batch is not None else ""
    return f"entry {seq} ({_shown(entry.get('event'))}{of})"


def _shown(value: object) -> str:
    """Return something out of an export as it may be printed, whatever it is."""
    try:
        text = str(value)
    except RecursionError:
        text = "?"
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_SHOWN])
    return shown if len(text) <= _LONGEST_SHOWN else f"{shown}..."


def _canonical_object(body: bytes, name: str) -> dict[str, Any]:
    """Return a JSON object that is spelled as it was written."""
    value = _parsed(body, name)
    try:
        is_canonical = canonical(value) == body
    except RecursionError:
        raise RecordBrokenError(f"{name} was changed: it is nested too deeply") from None
    if not is_canonical:
        raise RecordBrokenError(f"{name} was changed: it is spelled otherwise")
    return value


def _parsed(body: bytes, name: str) -> dict[str, Any]:
    """Return a JSON object that every reader reads alike."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except ValueError as error:
        raise RecordBrokenError(f"{name} was changed: it is no JSON: {_shown(error)}") from None
    except RecursionError:
        raise RecordBrokenError(f"{name} was changed: it is nested too deeply") from None
    if not isinstance(value, dict):
        raise RecordBrokenError(f"{name} was changed: it is no JSON object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError("an integer is too large")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def main(arguments: list[str]) -> int:
    """Verify the folder or zip that is named, or the folder that this file is in."""
    export = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        counts = verify_zip(export)[1] if export.is_file() else verify_folder(export)
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
