"""What a verdict says of its test set, derived anew from what is kept beside it.

A verdict's document names how often its test set was looked at, how many documents and groups each
label has, and the task. Whoever wrote the document could have written other numbers, so a replay
takes none of them: looks follow from the chain of documents, counts from the rows that are kept.
Decides what could be derived, and says what could not. Read next: `console.replay`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.kept_answers import AnswersMissingError
from adapters.ports import StagingObjects
from adapters.test_set_rows import groups_of_rows, kept_rows, whole_test_set
from flywheel.batches import BatchName, Manifest
from flywheel.evidence import Evidence, TestSet
from flywheel.known_rows import content_hash, record
from flywheel.labeled_documents import Row
from flywheel.looks import worn_looks
from flywheel.row_labels import labels_of
from flywheel.scored_documents import Kind
from flywheel.shapes import Shape
from flywheel.test_documents import kind_of
from flywheel.uploads import DatasetKind
from flywheel.verdict_document import FIRST_SHA256, SCHEMA_VERSION, document_sha256

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DerivedInputs:
    """The task and the test set as they follow from what is kept.

    Parameters
    ----------
    kind : {"multi-class", "multi-label", "entities"}
    test_set : TestSet or None
        None where the verdict has none.
    checked, not_checked : tuple of str
        What was derived, and what was taken from the document, in words.
    """

    kind: Kind
    test_set: TestSet | None
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


@dataclass(slots=True)
class _Counted:
    """Looks so far, along the chain of documents."""

    generation: int
    looks: int = 0
    generation_looks: int = 0
    documents: int = 0
    version: int = 0
    skipped: int = 0
    total: int = 0
    left: dict[int, "_Counted"] = field(default_factory=dict)

    def switch(self, generation: int) -> bool:
        """Begin a generation; False where it is an earlier one that goes on with its test set.

        Looks since it was left were looks at its rows too.
        """
        self.left[self.generation] = replace(self)
        earlier = self.left.get(generation)
        self.generation = generation
        self.generation_looks = 0
        if earlier is None:
            return True
        since = self.total - earlier.total
        self.generation_looks = earlier.generation_looks + since
        if not earlier.version:
            return True
        self.looks, self.documents = earlier.looks + since, earlier.documents
        self.version = earlier.version
        return False


def derive_inputs(
    document: Document, chain: Sequence[str], staging: StagingObjects, shape: Shape
) -> DerivedInputs:
    """Derive what a verdict was made from.

    Parameters
    ----------
    document : mapping
        The verdict's.
    chain : sequence of str
        All documents of its flywheel, in any order.
    staging : StagingObjects
        Where manifests and rows are.
    shape : Shape
        Of the flywheel, as the service describes it.

    Raises
    ------
    AnswersMissingError
        The chain does not lead to the verdict, or the rows are not those of its test set.
    """
    stored = Evidence.from_document({**document["evidence"], "paired": None}).test_set
    checked, not_checked = ["task"], ["what the service measured"]
    if stored is None:
        return DerivedInputs(kind_of(shape), None, tuple(checked), tuple(not_checked))
    before = list(_chain_to(document, chain))
    looks = _looks(document, before, stored)
    checked.append(f"looks ({len(before):,} verdicts before)")
    rows = _rows(document, staging)
    if shape.task == "entities" and shape.entities_from == "list":
        not_checked.append("label counts, since entries of a list are no mentions")
    elif rows is None:
        not_checked.append("label counts and groups, since not all test rows are kept")
    else:
        counts = Counter(label for row in rows for label in labels_of(row.label, shape))
        looks = replace(
            looks,
            documents=len(rows),
            label_counts=dict(counts),
            **groups_of_rows(rows, shape),
        )
        checked.append(f"label counts and groups of {len(rows):,} test rows")
    return DerivedInputs(kind_of(shape), looks, tuple(checked), tuple(not_checked))


def _chain_to(document: Document, chain: Sequence[str]) -> Iterator[Document]:
    """Give the documents before a verdict's, oldest first."""
    following = {json.loads(text)["previous_sha256"]: text for text in chain}
    sha256 = FIRST_SHA256
    while sha256 != document["previous_sha256"]:
        text = following.pop(sha256, None)
        if text is None:
            raise AnswersMissingError(
                "the chain of the flywheel's verdicts does not lead to this one: a document before "
                "it is missing or was changed"
            )
        yield json.loads(text)
        sha256 = document_sha256(text)


def _looks(document: Document, before: Sequence[Document], stored: TestSet) -> TestSet:
    """Return a test set with the looks that the documents before a verdict make."""
    counted = _Counted((*before, document)[0]["generation"])
    pairs: dict[int, int] = {}
    for each in before:
        pairs[each["batch"]] = _pair_looks(each, pairs)
        _arrive(each, counted)
        if not each["is_bootstrap"] and each["inputs"]["test_set"]:
            counted.looks += 1
            counted.generation_looks += 1
            counted.total += 1
    _arrive(document, counted)
    # A version that no verdict saw was rounded up once more.
    is_near = counted.looks <= stored.looks <= counted.looks + counted.skipped
    return replace(
        stored,
        looks=stored.looks if is_near else counted.looks,
        generation_looks=counted.generation_looks,
        pair_looks=_pair_looks(document, pairs),
    )


def _pair_looks(document: Document, pairs: Mapping[int, int]) -> int:
    judged_again = document["inputs"].get("rejudges")
    return 0 if judged_again is None else pairs.get(judged_again, 0) + 1


def _arrive(document: Document, counted: _Counted) -> None:
    """Count on to the test set of a document, before its own look."""
    generation, test_set = document["generation"], document["inputs"]["test_set"]
    if document["schema_version"] < SCHEMA_VERSION:
        # An older gate counted otherwise: what it says is where counting begins.
        seen = document["evidence"].get("test_set") or {}
        counted.generation = generation
        counted.looks = counted.generation_looks = seen.get("looks", 0)
        counted.documents = test_set["documents"] if test_set else 0
        counted.version = test_set["version"] if test_set else 0
        counted.skipped = 0
        return
    is_switched = generation != counted.generation and counted.switch(generation)
    if test_set is None or (test_set["version"] == counted.version and not is_switched):
        return
    is_whole = document["inputs"].get("rejudges") is not None
    if counted.documents and not is_whole:
        counted.looks = worn_looks(counted.looks, counted.documents, test_set["documents"])
    steps = test_set["version"] - (0 if is_switched else counted.version)
    counted.skipped = max(0, steps - 1) if counted.documents else 0
    counted.documents, counted.version = test_set["documents"], test_set["version"]


def _segments(document: Document, staging: StagingObjects) -> list[str]:
    """Return the staging keys of the segments of a verdict's test set, oldest first.

    Raises
    ------
    AnswersMissingError
        The batch's manifest is not there.
    """
    flywheel, number = document["flywheel"], document["batch"]
    written = None
    # A retry whose datasets were complete goes on with the manifest of an earlier attempt.
    for attempt in range(document["attempt"], 0, -1):
        name = BatchName(flywheel, number, attempt)
        if (written := staging.text(name.manifest_key)) is not None:
            break
    if written is None:
        raise AnswersMissingError(f"{document['inputs']['manifest_key']} is not there")
    own = name.known_key(document["generation"], DatasetKind.TEST)
    has_own = kept_rows(staging, own) is not None
    return [*Manifest.from_json(written).known_test, *([own] if has_own else [])]


def _rows(document: Document, staging: StagingObjects) -> list[Row] | None:
    """Return the rows of a verdict's test set; None where some are not kept.

    Raises
    ------
    AnswersMissingError
        They are not those that the test set's hash is of.
    """
    rows = whole_test_set(staging, _segments(document, staging))
    test_set_sha256 = document["inputs"]["test_set"]["sha256"]
    if rows is not None and content_hash(map(record, rows)) != test_set_sha256:
        raise AnswersMissingError("the rows that are kept are not those of the test set")
    return rows
