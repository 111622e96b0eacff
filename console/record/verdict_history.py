"""The history before a verdict: its test set, and the looks at that.

The audit says when test rows were frozen and when a generation began; the verdicts' documents say
which models were compared. Checks that both name the same verdicts, and counts looks as the
ledger does, but from the first entry on. Reads no rows. Read next: `console.record.derived_inputs`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from application.comparison.stored_answers import AnswersMissingError
from application.ledger.audit import FIRST_HEAD, FIRST_SHA256, entry_hash
from flywheel.batches.batches import BatchName
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.looks import worn_looks
from flywheel.evaluation.verdict_document import SCHEMA_VERSION, document_sha256

Document = Mapping[str, Any]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Left:
    """A generation at the moment at which batches ceased to go to it."""

    frozen: Mapping[str, Any] | None
    counted: list[str]
    sealed: list[str]
    looks: int
    generation_looks: int


@dataclass(slots=True)
class VerdictHistory:
    """A flywheel's test set and looks, entry by entry.

    Parameters
    ----------
    flywheel : str
    generation : int
    frozen : mapping or None
        The generation's test set as the audit last says it; None before the first.
    counted : list of str
        Staging keys of the segments that its documents and labels are counted of.
    sealed : list of str
        Those of seals that are not: the test set's hash may be over their rows too. Where a seal
        had no test rows there is no such segment.
    looks, generation_looks : int
    verdicts : int
        Before this one.
    doubt : str
        Why looks do not follow; empty where they do.
    """

    flywheel: str
    generation: int = 1
    frozen: Mapping[str, Any] | None = None
    counted: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    looks: int = 0
    generation_looks: int = 0
    verdicts: int = 0
    doubt: str = ""
    _documents: int = 0
    _is_older_gate: bool = False
    _attempts: dict[int, int] = field(default_factory=dict)
    _seals: dict[int, str] = field(default_factory=dict)
    _rejudging: set[int] = field(default_factory=set)
    _chains: dict[int, int] = field(default_factory=dict)
    _pairs: dict[int, tuple[str | None, str | None]] = field(default_factory=dict)
    _left: dict[int, "_Left"] = field(default_factory=dict)

    def follow(self, entry: Entry) -> None:
        """Follow an entry that records no verdict."""
        event, details = entry["event"], entry["details"]
        number = details.get("batch")
        if event == "batch opened" and details.get("rejudges") is not None:
            self._rejudging.add(number)
        elif event == "batch sealed":
            name = BatchName(self.flywheel, number, self._attempts.get(number, 1))
            self._seals[number] = name.known_key(self.generation, DatasetKind.TEST)
            self.sealed.append(self._seals[number])
        elif event == "batch reopened":
            self._attempts[number] = details["attempt"]
        elif event == "generation switched":
            self._switch(details)
        frozen = details if event == "test set frozen" else details.get("test_set") or {}
        if "version" in frozen:
            self._freeze(frozen, details)

    def look(self, document: Document) -> None:
        """Count a verdict."""
        number, test_set = document["batch"], document["evidence"].get("test_set")
        self._chains[number] = self._chain_looks(document)
        self._is_older_gate = document["schema_version"] < SCHEMA_VERSION
        if self._is_older_gate:
            # It counted otherwise: what it says is where counting begins.
            self.looks = self.generation_looks = (test_set or {}).get("looks", 0)
        if test_set and not document["is_bootstrap"]:
            self._pairs[number] = _pair(document)
            self.looks += 1
            self.generation_looks += 1
        self.verdicts += 1

    def pair_looks(self, document: Document) -> int:
        """Return how often a verdict's models were compared before it.

        That is at least in each earlier batch with the same two, whatever the verdict says of
        being another look at them.
        """
        earlier = {number for number, pair in self._pairs.items() if pair == _pair(document)}
        return max(self._chain_looks(document), len(earlier - {document["batch"]}))

    def _chain_looks(self, document: Document) -> int:
        judged_again = document["inputs"].get("rejudges")
        return 0 if judged_again is None else self._chains.get(judged_again, 0) + 1

    def _switch(self, details: Mapping[str, Any]) -> None:
        if self._is_older_gate and self.looks:
            self.doubt = "an older release counted those of the generation before"
        self._left[self.generation] = _Left(
            self.frozen, self.counted, self.sealed, self.looks, self.generation_looks
        )
        since, self.generation_looks = self.generation_looks, 0
        self.generation = details["generation"]
        self.frozen, self.counted, self.sealed = None, [], []
        if details.get("is_return"):
            self._go_on(self._left[self.generation], since)

    def _go_on(self, left: "_Left", since: int) -> None:
        """Go on with an earlier generation; looks since then were looks at its rows, too."""
        self.frozen, self.counted, self.sealed = left.frozen, left.counted, left.sealed
        self.generation_looks = left.generation_looks + since
        if left.frozen is not None:
            self.looks, self._documents = left.looks + since, left.frozen["documents"]

    def _freeze(self, frozen: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        """Follow a change of the test set.

        It has more rows in another version; or rows that are counted late; or it lets go of rows
        that were never counted, and only its hash and groups are others.
        """
        number, documents = details.get("batch"), frozen["documents"]
        is_next = self.frozen is None or frozen["version"] != self.frozen["version"]
        if is_next or documents != self._documents:
            self._count(number, details)
        if is_next and "looks" not in frozen:
            # Releases with an older gate forgot looks at the version before.
            self.looks = 0
            self.generation_looks *= not self._is_older_gate
        elif is_next and number not in self._rejudging:
            self.looks = worn_looks(self.looks, self._documents, documents)
        self.frozen, self._documents = frozen, documents

    def _count(self, number: int | None, details: Mapping[str, Any]) -> None:
        """Count the rows of a batch's last seal, or of an import."""
        if number is None:
            folder = f"known/{self.flywheel}/g{self.generation}"
            self.counted.append(f"{folder}/import-{details['uid'][:16]}-{DatasetKind.TEST}.bin")
        else:
            self.counted.append(self._seals[number])
            self.sealed.remove(self._seals[number])


def history_before(
    document: Document, documents: Mapping[str, str], entries: Iterable[Entry]
) -> VerdictHistory:
    """Return the history before a verdict.

    Parameters
    ----------
    document : mapping
        The verdict's.
    documents : mapping of str to str
        The documents of all verdicts of its flywheel, by key.
    entries : iterable of mapping
        The flywheel's audit, oldest first.

    Raises
    ------
    AnswersMissingError
        Documents or entries are missing or were changed, or do not name the same verdicts.
    """
    name = BatchName(document["flywheel"], document["batch"], document["attempt"])
    history = VerdictHistory(name.flywheel)
    before = _documents_before(document["previous_sha256"], documents)
    for entry in _linked(entries):
        details = entry["details"]
        if entry["event"] != "verdict":
            _follow(history, entry)
        elif details.get("document") == name.verdict_key:
            if (more := next(before, None)) is not None:
                raise AnswersMissingError(f"{more[0]} is before it, but in no entry of the audit")
            return history
        elif "document" not in details:
            history.doubt = "verdicts before this one have no document"
        else:
            _, text = next(before, ("", ""))
            if document_sha256(text) != details["document_sha256"]:
                raise AnswersMissingError(
                    f"entry {entry['seq']} of the audit names {details['document']}, which is not "
                    "the next document before this verdict"
                )
            history.look(json.loads(text))
    raise AnswersMissingError(f"no entry of the audit names {name.verdict_key}")


def _follow(history: VerdictHistory, entry: Entry) -> None:
    try:
        history.follow(entry)
    except (KeyError, TypeError, ValueError) as error:
        problem = f"entry {entry['seq']} of the audit cannot be read: {error!r}"
        raise AnswersMissingError(problem) from error


def _linked(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of an audit, each of which must follow the one before it."""
    seq, before = FIRST_HEAD.seq, FIRST_HEAD.hash
    for entry in entries:
        seq += 1
        is_next = entry["seq"] == seq and entry["previous"] == before
        if not is_next or entry_hash(entry) != entry["hash"]:
            raise AnswersMissingError(f"entry {seq} of the audit is missing or was changed")
        before = entry["hash"]
        yield entry


def _documents_before(last: str, documents: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield keys and documents up to the one with a hash, oldest first.

    No two documents may follow the same one.
    """
    following: dict[str, str] = {}
    for key, text in documents.items():
        other = following.setdefault(_previous(key, text), key)
        if other != key:
            first, second = sorted((other, key))
            raise AnswersMissingError(
                f"{first} and {second} name the same document before them: one of the two is no "
                "verdict of this flywheel"
            )
    sha256 = FIRST_SHA256
    while sha256 != last:
        if (found := following.pop(sha256, None)) is None:
            raise AnswersMissingError(
                "the chain of the flywheel's verdicts does not lead to this one: a document before "
                "it is missing or was changed"
            )
        yield found, documents[found]
        sha256 = document_sha256(documents[found])


def _previous(key: str, text: str) -> str:
    try:
        return str(json.loads(text)["previous_sha256"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AnswersMissingError(f"{key} is not the document of a verdict") from error


def _pair(document: Document) -> tuple[str | None, str | None]:
    return document["evidence"]["champion_arn"], document["inputs"]["iteration"]["trained_model"]
