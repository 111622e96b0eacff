"""The record of a flywheel's verdicts in memory: documents, audit, manifests and test rows."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from application.ledger.audit import FIRST_HEAD, FIRST_SHA256, entry_hash
from application.staged_rows import groups_of_rows
from console.record.derived_inputs import DerivedInputs, derive_inputs
from flywheel.batches.batches import BatchManifest, BatchName
from flywheel.batches.known_rows import content_hash, record, rows_key
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.verdict_document import canonical, document_sha256
from flywheel.intake.labeled_rows import LabeledRow, csv_line
from flywheel.settings.data_format import DataFormat

NAME = "tickets"
GROUPS = ("groups", "label_groups", "grouping")
"""What releases with an older gate did not count."""


def rows_of(label: str, count: int, prefix: str = "") -> list[LabeledRow]:
    """Return rows of a label whose texts differ in letters, so that none is nearly another."""
    return [LabeledRow(label, f"{prefix}{label} {'x' * number}") for number in range(count)]


class Staging:
    """Objects in memory, as far as a replay reads them."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def text(self, key: str) -> str | None:
        """Return an object."""
        return self.objects.get(key)


class Record:
    """What is kept of one flywheel, written as its functions write it.

    Attributes
    ----------
    documents : dict of str to str
        Verdicts' documents by key, in order.
    entries : list of dict
        The audit.
    """

    def __init__(self, shape: DataFormat | None = None) -> None:
        self.shape = shape or DataFormat()
        self.staging = Staging()
        self.documents: dict[str, str] = {}
        self.entries: list[dict[str, Any]] = []
        self.generation = 1
        self._left: dict[int, tuple[Any, Any]] = {}
        self.attempts: dict[int, int] = {}
        self.seals: dict[int, tuple[str, list[LabeledRow], str]] = {}
        self.known: dict[str, list[LabeledRow]] = {}
        self.test_set: dict[str, Any] = {}

    def enter(self, event: str, **details: Any) -> None:
        """Append an entry to the audit."""
        previous = self.entries[-1]["hash"] if self.entries else FIRST_HEAD.hash
        seq = len(self.entries) + 1
        entry = {"seq": seq, "event": event, "details": details, "previous": previous}
        entry["hash"] = entry_hash(entry)
        self.entries.append(entry)

    def name(self, number: int) -> BatchName:
        """Return a batch's name in its present attempt."""
        return BatchName(NAME, number, self.attempts.get(number, 1))

    def seal(
        self, number: int, rows: Sequence[LabeledRow] = (), rejudges: int | None = None
    ) -> None:
        """Open and seal a batch with test rows, or with none."""
        if number not in self.attempts:
            again = {} if rejudges is None else {"rejudges": rejudges}
            self.enter("batch opened", batch=number, **again)
        name = self.name(number)
        self.attempts.setdefault(number, 1)
        known = tuple(self.known)
        manifest = BatchManifest(NAME, number, (), (), known_test=known, generation=self.generation)
        written = manifest.to_json()
        self.staging.objects[name.manifest_key] = written
        segment = name.known_key(self.generation, DatasetKind.TEST)
        if rows:
            self._hold(segment, rows)
        sha256 = hashlib.sha256(written.encode()).hexdigest()
        whole = [row for each in self.known.values() for row in each]
        self.seals[number] = (content_hash(map(record, whole)), list(rows), sha256)
        self.enter("batch sealed", batch=number, manifest_sha256=sha256)

    def freeze(self, number: int, *, without: Collection[str] = ()) -> None:
        """Freeze the test rows of a sealed batch as the test set's next version.

        Older releases wrote less of it.
        """
        sha256, rows, _ = self.seals[number]
        frozen = self._frozen(sha256, rows)
        self.test_set = {name: value for name, value in frozen.items() if name not in without}
        self.enter("test set frozen", batch=number, **self.test_set)

    def retry(self, number: int, *, freezes_late: bool = False) -> None:
        """Open a failed batch again; its datasets may be complete, and its test rows late."""
        self.attempts[number] += 1
        late = {}
        if freezes_late:
            counted = self._frozen("", self.seals[number][1])
            names = ("documents", "label_counts")
            self.test_set = self.test_set | {name: counted[name] for name in names}
            late = {"test_set": self.test_set}
        self.enter("batch reopened", batch=number, attempt=self.attempts[number], **late)

    def let_go(self, number: int) -> None:
        """Forget the test rows of a failed batch, which the service never had."""
        del self.known[self.name(number).known_key(self.generation, DatasetKind.TEST)]
        whole = [row for each in self.known.values() for row in each]
        sha256 = content_hash(map(record, whole))
        self.test_set = self.test_set | {"sha256": sha256, **groups_of_rows(whole, self.shape)}
        self.enter("slots given back", batch=number, datasets=[], test_set=self.test_set)

    def load(self, uid: str, rows: Sequence[LabeledRow]) -> None:
        """Import test rows."""
        segment = f"known/{NAME}/g{self.generation}/import-{uid[:16]}-test.bin"
        self._hold(segment, rows)
        whole = [row for each in self.known.values() for row in each]
        self.test_set = self._frozen(content_hash(map(record, whole)), rows)
        self.enter("imported", uid=uid, kind="test", documents=len(rows), test_set=self.test_set)

    def switch(self) -> None:
        """Begin the next generation."""
        self._left[self.generation] = self.known, self.test_set
        self.generation += 1
        self.known, self.test_set = {}, {}
        self.enter("generation switched", generation=self.generation)

    def go_back(self) -> None:
        """Give a generation up: the one before goes on."""
        self.generation -= 1
        self.known, self.test_set = self._left[self.generation]
        self.enter("generation switched", generation=self.generation, is_return=True)

    def judge(
        self,
        number: int,
        models: tuple[str, str] | None = None,
        *,
        rejudges: int | None = None,
        is_bootstrap: bool = False,
        schema_version: int = 2,
        **stored: Any,
    ) -> dict[str, Any]:
        """Add a verdict, whose document says of its test set what is given; returns that."""
        name, frozen = self.name(number), self.test_set
        champion, challenger = models or ("m/0", f"m/{number}")
        last = list(self.documents.values())[-1:]
        document = {
            "flywheel": NAME,
            "batch": number,
            "attempt": name.attempt,
            "generation": self.generation,
            "schema_version": schema_version,
            "is_bootstrap": is_bootstrap,
            "previous_sha256": document_sha256(last[0]) if last else FIRST_SHA256,
            "inputs": {
                "manifest_key": name.manifest_key,
                "manifest_sha256": self.seals[number][2],
                "test_set": {key: frozen[key] for key in ("version", "sha256", "documents")}
                if frozen
                else None,
                "rejudges": rejudges,
                "iteration": {"trained_model": challenger},
            },
            "evidence": {
                "champion_arn": None if is_bootstrap else champion,
                "challenger_arn": challenger,
                "test_set": {"looks": 40, "label_counts": {"A": 4000}, **stored}
                if frozen
                else None,
            },
        }
        self.put(name.verdict_key, document)
        text = self.documents[name.verdict_key]
        self.enter(
            "verdict",
            batch=number,
            attempt=name.attempt,
            document=name.verdict_key,
            document_sha256=document_sha256(text),
        )
        return document

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Write a document."""
        self.documents[key] = canonical(document)

    def derived(self, document: Mapping[str, Any]) -> DerivedInputs:
        """Derive what a document was made from."""
        return derive_inputs(document, self.documents, self.entries, self.staging, self.shape)  # type: ignore[arg-type] # it reads texts alone

    def _hold(self, segment: str, rows: Sequence[LabeledRow]) -> None:
        self.staging.objects[rows_key(segment)] = "".join(map(csv_line, rows))
        self.known[segment] = list(rows)

    def _frozen(self, sha256: str, rows: Sequence[LabeledRow]) -> dict[str, Any]:
        """Return the test set's next version with more rows; its looks are not to be believed."""
        before = self.test_set or {"version": 0, "documents": 0, "label_counts": {}}
        counts = Counter(before["label_counts"])
        counts.update(row.label for row in rows)
        whole = [row for each in self.known.values() for row in each]
        return {
            "version": before["version"] + 1,
            "sha256": sha256,
            "documents": before["documents"] + len(rows),
            "label_counts": dict(counts),
            "looks": 40,
            **groups_of_rows(whole, self.shape),
        }
