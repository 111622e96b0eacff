"""The task and test set of a verdict, derived again from what is kept beside its document.

The document names the looks at its test set, the documents and groups per label, and the task.
Whoever wrote the document could have written other numbers, so a replay uses none of them. Decides
what follows from the rows that are kept, and says what could not be derived. Read next:
`console.record.verdict_history` (looks), `console.record.replay`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Any

from application.comparison.stored_answers import AnswersMissingError
from application.ports import StagingObjects
from application.staged_rows import groups_of_rows, stored_rows, whole_test_set
from console.record.verdict_history import Document, Entry, VerdictHistory, history_before
from flywheel.batches.batches import BatchName
from flywheel.batches.known_rows import content_hash, record
from flywheel.evaluation.evidence import TestSetFacts
from flywheel.evaluation.predictions import Kind, kind_of
from flywheel.intake.labeled_rows import LabeledRow, labels_of
from flywheel.number_words import number_of
from flywheel.settings.data_format import DataFormat

_MEASURED = "the models and the averages that the service named"
_FREEZING = "when test rows were frozen, which the audit says"

_MOST_WAITING = 8
"""Failed batches with test rows of which it is tried whether they are in a hash: 256 hashes."""


@dataclass(frozen=True, slots=True)
class DerivedInputs:
    """The task and the test set that follow from the kept rows.

    Parameters
    ----------
    kind : {"multi-class", "multi-label", "entities"}
    test_set : TestSetFacts or None
        None where none was frozen.
    checked, not_checked : tuple of str
        What was derived, and what was not, in words.
    """

    kind: Kind
    test_set: TestSetFacts | None
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


def derive_inputs(
    document: Document,
    documents: Mapping[str, str],
    entries: Iterable[Entry],
    staging: StagingObjects,
    shape: DataFormat,
) -> DerivedInputs:
    """Derive what a verdict was made from.

    Parameters
    ----------
    document : mapping
        The verdict's.
    documents : mapping of str to str
        The documents of all verdicts of its flywheel, by key.
    entries : iterable of mapping
        The flywheel's audit, oldest first.
    staging : StagingObjects
        Where manifests and rows are.
    shape : DataFormat
        Of the flywheel, as the service describes it.

    Raises
    ------
    AnswersMissingError
        Documents, audit, manifest or rows are not those that the verdict was made from.
    """
    history = history_before(document, documents, entries)
    derivation = _Derivation(document, history, staging, shape)
    derivation.check_manifest()
    test_set = derivation.test_set()
    checked, not_checked = tuple(derivation.checked), tuple(derivation.not_checked)
    return DerivedInputs(kind_of(shape), test_set, checked, not_checked)


@dataclass(slots=True)
class _Derivation:
    """Derives one verdict's inputs, and notes what was checked."""

    document: Document
    history: VerdictHistory
    staging: StagingObjects
    shape: DataFormat
    checked: list[str] = field(default_factory=lambda: ["task"])
    not_checked: list[str] = field(default_factory=lambda: [_MEASURED])

    def check_manifest(self) -> None:
        """Check that the batch's manifest is the one that the verdict names."""
        document, named = self.document, self.document["inputs"]["manifest_sha256"]
        name = BatchName(document["flywheel"], document["batch"], document["attempt"])
        key, written = _manifest(self.staging, name)
        if named is None:
            self.not_checked.append("manifest, whose hash an older release did not name")
            return
        sha256 = hashlib.sha256(written.encode()).hexdigest()
        if sha256 != named:
            raise AnswersMissingError(
                f"{key} was changed: its sha256 is {sha256}, the verdict names {named}"
            )
        self.checked.append("manifest")

    def test_set(self) -> TestSetFacts | None:
        """Return the test set that was frozen, as its rows and the looks before say it."""
        history, frozen = self.history, self.history.frozen
        if frozen is None:
            return None
        self.not_checked.append(_FREEZING)
        looks: dict[str, Any] = {
            "looks": history.looks,
            "generation_looks": history.generation_looks,
        }
        if history.doubt:
            stored = self.document["evidence"].get("test_set") or {}
            looks = {name: stored.get(name, 0) for name in looks}
            self.not_checked.append(f"looks, since {history.doubt}")
        else:
            self.checked.append(f"looks (verdicts before: {history.verdicts:,})")
        pair_looks = history.pair_looks(self.document)
        return TestSetFacts(frozen["sha256"], **self._counts(), **looks, pair_looks=pair_looks)

    def _counts(self) -> dict[str, Any]:
        """Return how many documents and groups each label has.

        Rows that cannot be read are counted as the audit counts them.
        """
        frozen = self.history.frozen or {}
        names = ("documents", "label_counts", "groups", "label_groups", "grouping")
        audited = {name: frozen[name] for name in names if name in frozen}
        counted = whole_test_set(self.staging, self.history.counted)
        if counted is None:
            self.not_checked.append("label counts and groups, since not all test rows are kept")
            return audited
        if (whole := self._whole(counted)) is None:
            self.not_checked.append("label counts and groups, since too many batches failed")
            return audited
        labels = Counter(label for row in counted for label in labels_of(row.label, self.shape))
        counts = {**audited, "documents": len(counted), "label_counts": dict(labels)}
        if frozen.get("groups") is not None:
            self.checked.append(f"label counts and groups of {number_of(len(counted), 'test row')}")
            return counts | groups_of_rows(whole, self.shape)
        self.checked.append(f"label counts of {number_of(len(counted), 'test row')}")
        if self.shape.task != "entities" or self.shape.entities_from != "list":
            self.not_checked.append("groups, which an older release did not count")
        return counts

    def _whole(self, counted: list[LabeledRow]) -> list[LabeledRow] | None:
        """Return the rows that the test set's hash is of; None where that cannot be said.

        They are more than are counted where an earlier batch failed before the service had its
        TEST dataset: its rows are in the hash until it is certain that they never come, and counted
        once they have come.
        """
        sha256 = (self.history.frozen or {})["sha256"]
        if content_hash(map(record, counted)) == sha256:
            return counted
        found = (stored_rows(self.staging, segment) for segment in self.history.sealed)
        waiting = [rows for rows in found if rows]
        if len(waiting) > _MOST_WAITING:
            return None
        for size in range(1, len(waiting) + 1):
            for more in combinations(waiting, size):
                whole = list(chain(counted, *more))
                if content_hash(map(record, whole)) == sha256:
                    return whole
        raise AnswersMissingError("the rows that are kept are not those of the test set")


def _manifest(staging: StagingObjects, name: BatchName) -> tuple[str, str]:
    """Return key and text of the manifest that an attempt goes by.

    A retry whose datasets were complete goes on with the manifest of an earlier attempt.

    Raises
    ------
    AnswersMissingError
        It is not there.
    """
    for attempt in range(name.attempt, 0, -1):
        key = BatchName(name.flywheel, name.batch, attempt).manifest_key
        if (written := staging.text(key)) is not None:
            return key, written
    raise AnswersMissingError(f"{name.manifest_key} is not there")
