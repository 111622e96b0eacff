import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from flywheel.batches.batches import (
    BatchManifest,
    BatchName,
    StagedUpload,
    chosen,
    label_counts,
    readiness,
    waiting_labels,
)
from flywheel.batches.uploads import DatasetKind
from flywheel.settings.environment import BatchRules

NOW = datetime(2024, 5, 17, 12, 0, tzinfo=UTC)
RULES = BatchRules(
    min_documents=50,
    max_age_hours=24,
    min_hours_between_iterations=6,
    service_min_per_label=10,
)


def staged(
    counts: Mapping[str, int],
    uid: str = "u1",
    kind: DatasetKind = DatasetKind.TRAIN,
    hours_old: float = 0,
    size_bytes: int = 100,
) -> StagedUpload:
    """Return a staged upload with documents a label."""
    return StagedUpload(
        uid=uid,
        key=f"tickets/{kind.value}/{uid}.csv",
        kind=kind,
        staged_key=f"uploads/tickets/{uid}.csv",
        label_counts=counts,
        size_bytes=size_bytes,
        staged_at=NOW - timedelta(hours=hours_old),
    )


@pytest.mark.parametrize(
    ("counts", "hours_old", "last_hours_ago", "slots", "is_asked_for", "lacks"),
    [
        ({"A": 25, "B": 25}, 0, None, 0, False, None),
        ({"A": 25, "B": 25}, 0, 6, 49, False, None),
        ({"A": 25, "B": 24}, 0, None, 0, False, "49 of 50 documents (min_documents)"),
        ({"A": 25, "B": 24}, 0, None, 0, False, "2024-05-18 12:00 UTC (max_age_hours)"),
        ({"A": 25, "B": 24}, 24, None, 0, False, None),
        ({"A": 25, "B": 24}, 23.9, None, 0, False, "49 of 50 documents"),
        ({"A": 25, "B": 24}, 0, None, 0, True, None),
        ({"A": 45, "B": 9}, 0, None, 0, False, "45 of 50 documents"),
        ({"A": 50, "B": 9}, 0, None, 0, False, None),
        ({"A": 50, "B": 0}, 0, None, 0, False, None),
        ({"A": 9, "B": 9}, 99, None, 0, False, "label 'B' has 9 of the 10 documents"),
        ({"A": 9, "B": 9}, 99, None, 0, True, "label 'A' has 9 of the 10 documents"),
        ({"A": 50}, 0, 5, 0, False, "5.0 hours ago; 6 must pass (min_hours_between_iterations)"),
        ({"A": 50}, 0, 5, 0, True, None),
        ({"A": 50}, 99, 5, 0, False, "5.0 hours ago"),
        ({"A": 50}, 0, None, 50, False, "all 50 TRAIN datasets"),
        ({"A": 50}, 0, None, 50, True, "all 50 TRAIN datasets"),
        ({}, 99, None, 0, True, "documents"),
    ],
)
def test_a_batch_opens_when_the_rules_are_met(
    *,
    counts: dict[str, int],
    hours_old: float,
    last_hours_ago: float | None,
    slots: int,
    is_asked_for: bool,
    lacks: str | None,
) -> None:
    """Age and a person's wish override our own minimum, and nothing overrides the service's."""
    last = None if last_hours_ago is None else NOW - timedelta(hours=last_hours_ago)
    found = readiness(
        [staged(counts, hours_old=hours_old)] if counts else [],
        RULES,
        NOW,
        last_iteration_at=last,
        train_datasets=slots,
        is_asked_for=is_asked_for,
    )
    assert found.is_ready is (lacks is None)
    assert (lacks or "") in "\n".join(found.lacks)
    assert bool(found.lacks) is not found.is_ready


def test_a_first_model_waits_when_one_label_alone_has_documents() -> None:
    """It could tell nothing apart; whoever asks for it is told so, too."""
    for is_asked_for in (False, True):
        ready = readiness(
            [staged({"A": 80, "B": 3, "C": 0})],
            RULES,
            NOW,
            last_iteration_at=None,
            train_datasets=0,
            least_labels=2,
            is_asked_for=is_asked_for,
        )
        assert ready.lacks == (
            "label 'A' alone has documents; a first model needs 2 labels",
            "label 'B' has 3 of the 10 documents that the service takes",
        )


def test_nothing_starts_when_only_test_documents_are_staged() -> None:
    """Uploads under test/ collect and start nothing by themselves."""
    found = readiness(
        [staged({"A": 500}, kind=DatasetKind.TEST)],
        RULES,
        NOW,
        last_iteration_at=None,
        train_datasets=0,
        is_asked_for=True,
    )
    assert found.lacks == ("no training documents are staged",)


def test_every_lack_is_told_when_there_are_several() -> None:
    """A person reads all that is missing at once."""
    found = readiness([staged({"A": 20})], RULES, NOW, last_iteration_at=NOW, train_datasets=0)
    assert len(found.lacks) == 2


def test_labels_are_counted_over_all_uploads_when_there_are_several() -> None:
    """A label that is too rare in each upload may be frequent enough in all of them."""
    uploads = [staged({"A": 6, "B": 50}, "u1"), staged({"A": 6, "C": 1}, "u2")]
    counts = label_counts(uploads)
    assert counts == {"A": 12, "B": 50, "C": 1}
    assert waiting_labels(counts, 10) == ("C",)
    assert waiting_labels({"Z": 1, "A": 2, "none": 0}, 10) == ("A", "Z")


@pytest.mark.parametrize(
    ("sizes", "most_documents", "most_bytes", "expected"),
    [
        ([10, 10, 10], 30, 1000, 3),
        ([10, 10, 11], 30, 1000, 2),
        ([10, 10, 10], 1000, 300, 3),
        ([10, 10, 10], 1000, 299, 2),
        ([99, 10], 30, 1000, 1),
        ([10, 99, 1], 30, 1000, 1),
        ([], 30, 1000, 0),
    ],
)
def test_uploads_are_chosen_oldest_first_when_the_quota_is_reached(
    sizes: list[int], most_documents: int, most_bytes: int, expected: int
) -> None:
    """What does not fit stays, with everything behind it; the first always goes."""
    rules = BatchRules(service_max_documents=most_documents, service_max_bytes=most_bytes)
    uploads = [
        staged({"A": size}, f"u{number}", hours_old=9 - number) for number, size in enumerate(sizes)
    ]
    found = chosen(list(reversed(uploads)), rules)
    assert found == uploads[:expected]


def test_the_choice_is_the_same_when_uploads_came_at_the_same_time() -> None:
    """Uploads of one moment are ordered by their identity."""
    uploads = [staged({"A": 1}, uid) for uid in ("c", "a", "b")]
    assert [upload.uid for upload in chosen(uploads, RULES)] == ["a", "b", "c"]


@pytest.mark.parametrize(("batch", "attempt"), [(1, 1), (999_999, 99)])
def test_names_fit_the_service_when_numbers_grow(batch: int, attempt: int) -> None:
    """Datasets, executions and tokens keep to their services' lengths and characters."""
    name = BatchName("f" * 40, batch, attempt)
    for kind in DatasetKind:
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name.dataset(kind))
        assert len(name.dataset(kind)) <= 63
    assert len(name.execution) <= 80
    assert re.fullmatch(r"[0-9a-f]{64}", name.token("iteration", "arn"))


def test_places_are_the_batch_own_when_a_batch_is_named() -> None:
    """Each dataset has a prefix that holds nothing else, the manifest lies outside of them."""
    name = BatchName("tickets", 3, 2)
    assert name.execution == "tickets-batch-3-2"
    assert name.dataset_prefix(DatasetKind.TRAIN) == "batches/tickets/3-2/train/"
    assert name.dataset_prefix(DatasetKind.TEST) == "batches/tickets/3-2/test/"
    assert name.manifest_key == "manifests/tickets/3-2.json"
    assert name.known_key(1, DatasetKind.TRAIN) == "known/tickets/g1/3-2-train.bin"
    assert BatchName("tickets", 3, 1).manifest_key == "manifests/tickets/3.json"
    assert name.dataset(DatasetKind.TRAIN) == "batch-3-2-train"


def test_tokens_differ_when_anything_of_the_attempt_does() -> None:
    """The same attempt has the same token, and no two attempts or purposes share one."""
    same = BatchName("tickets", 1, 1).token("train", "arn")
    assert same == BatchName("tickets", 1, 1).token("train", "arn")
    tokens = {
        BatchName("tickets", batch, attempt).token(purpose, arn)
        for arn, batch, attempt, purpose in product(
            ("arn", "arn1"), (1, 11), (1, 11), ("train", "test", "iteration")
        )
    }
    assert len(tokens) == 24


def test_a_manifest_is_the_same_when_it_is_read_again() -> None:
    """The stored form is canonical and gives the manifest back."""
    upload = {"uid": "u1", "key": "tickets/train/a.csv", "staged_key": "uploads/u1.csv"}
    manifest = BatchManifest(
        "tickets", 3, (upload,), (), known_test=("known/tickets/g1/1-test.bin",)
    )
    assert BatchManifest.from_json(manifest.to_json()) == manifest
    assert BatchManifest.from_json(manifest.to_json()).to_json() == manifest.to_json()
    assert manifest.to_json().startswith(
        '{"batch":3,"dropped_labels":[],"flywheel":"tickets","generation":1,'
    )
