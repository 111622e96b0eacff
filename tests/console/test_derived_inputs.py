"""A replay takes no number from the verdict that it can derive: a forged one shows."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.kept_answers import AnswersMissingError
from console.derived_inputs import DerivedInputs, derive_inputs
from flywheel.batches import BatchName, Manifest
from flywheel.known_rows import content_hash, record
from flywheel.labeled_documents import Row, csv_line
from flywheel.shapes import Shape
from flywheel.uploads import DatasetKind
from flywheel.verdict_document import FIRST_SHA256, canonical, document_sha256

NAME = "tickets"
ROWS = [Row("A", f"first {'x' * number}") for number in range(20)]
MORE = [Row("B", f"later {'y' * number}") for number in range(20)]


class Staging:
    """Objects in memory, as far as a replay reads them."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def text(self, key: str) -> str | None:
        """Return an object."""
        return self.objects.get(key)

    def hold(self, number: int, known: list[str], rows: list[Row], generation: int = 1) -> str:
        """Keep a batch's manifest and its test rows; returns the key of their segment."""
        name = BatchName(NAME, number, 1)
        manifest = Manifest(NAME, number, (), (), known_test=tuple(known), generation=generation)
        self.objects[name.manifest_key] = manifest.to_json()
        segment = name.known_key(generation, DatasetKind.TEST)
        if rows:
            self.objects[segment.removesuffix(".bin") + ".csv"] = "".join(map(csv_line, rows))
        return segment


class History:
    """The documents of a flywheel's verdicts, one after the other."""

    def __init__(self) -> None:
        self.chain: list[str] = []
        self.staging = Staging()

    def judge(
        self,
        number: int,
        rows: list[Row],
        version: int,
        *,
        rejudges: int | None = None,
        generation: int = 1,
        is_bootstrap: bool = False,
        **stored: Any,
    ) -> dict[str, Any]:
        """Add a verdict's document, which says of its test set what is given."""
        sha256 = content_hash(map(record, rows))
        test_set = {"sha256": sha256, "documents": len(rows), "label_counts": {}, **stored}
        document = {
            "flywheel": NAME,
            "batch": number,
            "attempt": 1,
            "generation": generation,
            "schema_version": 2,
            "is_bootstrap": is_bootstrap,
            "previous_sha256": document_sha256(self.chain[-1]) if self.chain else FIRST_SHA256,
            "inputs": {
                "manifest_key": BatchName(NAME, number, 1).manifest_key,
                "test_set": {"version": version, "sha256": sha256, "documents": len(rows)},
                "rejudges": rejudges,
            },
            "evidence": {
                "champion_arn": "m/1",
                "champion": {},
                "challenger_arn": "m/2",
                "challenger": {},
                "has_test_set": True,
                "test_set": test_set,
            },
        }
        self.chain.append(canonical(document))
        return document

    def derived(self, document: Mapping[str, Any]) -> DerivedInputs:
        """Derive what a document was made from."""
        return derive_inputs(document, self.chain, self.staging, Shape())  # type: ignore[arg-type] # it reads texts alone


@pytest.fixture
def history() -> History:
    """Have a first model, two looks, added rows, a re-judging, a rebuild, and a way back."""
    history = History()
    segment = history.staging.hold(1, [], ROWS)
    history.judge(1, ROWS, 1, is_bootstrap=True)
    for number in (2, 3):
        history.staging.hold(number, [segment], [])
        history.judge(number, ROWS, 1)
    later = history.staging.hold(4, [segment], MORE)
    history.judge(4, [*ROWS, *MORE], 2)
    history.staging.hold(5, [segment, later], [])
    history.judge(5, [*ROWS, *MORE], 2, rejudges=4)
    history.staging.hold(6, [], ROWS, generation=2)
    history.judge(6, ROWS, 1, generation=2)
    history.staging.hold(7, [segment, later], [])
    history.judge(7, [*ROWS, *MORE], 2)
    return history


@pytest.mark.parametrize(
    ("place", "looks"),
    [
        (0, (0, 0, 0)),
        (1, (0, 0, 0)),
        (2, (1, 1, 0)),
        (3, (1, 2, 0)),
        (4, (2, 3, 1)),
        (5, (3, 0, 0)),
        (6, (4, 5, 0)),
    ],
)
def test_looks_follow_from_the_chain_when_a_verdict_is_made_again(
    history: History, place: int, looks: tuple[int, int, int]
) -> None:
    """A first model is none; rows that are added thin looks out; a rebuild begins a budget.

    Looks of a generation that was given up count for the one that goes on.
    """
    document = json.loads(history.chain[place])
    forged = {**document["evidence"]["test_set"], "looks": 40, "generation_looks": 41}
    document["evidence"]["test_set"] = forged
    derived = history.derived(document).test_set
    assert derived is not None
    assert (derived.looks, derived.generation_looks, derived.pair_looks) == looks


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label_counts", {"A": 4000}),
        ("groups", 4000),
        ("label_groups", {"A": 4000}),
        ("grouping", "near duplicates"),
        ("documents", 4000),
        ("pair_looks", 7),
    ],
)
def test_a_forged_number_is_not_believed_when_rows_are_kept(
    history: History, name: str, value: object
) -> None:
    """Counts are those of the rows, whatever the document says."""
    document = json.loads(history.chain[3])
    document["evidence"]["test_set"][name] = value
    derived = history.derived(document)
    assert getattr(derived.test_set, name) != value
    assert derived.checked == (
        "task",
        "looks (3 verdicts before)",
        "label counts and groups of 40 test rows",
    )


def test_the_task_is_the_services_when_a_document_says_another(history: History) -> None:
    """DescribeFlywheel says what the flywheel's models do."""
    document = json.loads(history.chain[2])
    document["evidence"]["kind"] = "entities"
    assert history.derived(document).kind == "multi-class"


def test_a_missing_document_is_named_when_the_chain_has_a_hole(history: History) -> None:
    """Looks cannot be counted without it."""
    document = json.loads(history.chain[4])
    del history.chain[2]
    with pytest.raises(AnswersMissingError, match="a document before it is missing"):
        history.derived(document)


def test_other_rows_are_refused_when_they_were_changed(history: History) -> None:
    """The test set's hash is over them."""
    document = json.loads(history.chain[3])
    key = next(key for key in history.staging.objects if key.endswith(".csv"))
    text = io.StringIO(history.staging.objects[key]).readlines()
    history.staging.objects[key] = "".join(text[1:])
    with pytest.raises(AnswersMissingError, match="not those of the test set"):
        history.derived(document)


def test_what_is_not_kept_is_said_when_an_earlier_release_froze_it(history: History) -> None:
    """The numbers of the document count, and the reader is told."""
    document = json.loads(history.chain[2])
    for key in [key for key in history.staging.objects if key.endswith(".csv")]:
        del history.staging.objects[key]
    derived = history.derived(document)
    assert derived.not_checked[-1] == "label counts and groups, since not all test rows are kept"
