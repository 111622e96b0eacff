"""Where a model comes from: files, batch, datasets, iteration, verdict, and who made it live.

Gathers it from the audit, the ledger's rows and the batches' manifests; the audit says which batch,
the manifests say which files. How it looks is `console.views.record`. Changes nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from application.ledger.ledger import Ledger
from console.environment.target import Target
from console.errors import CommandError, ExitCode
from console.record.history import model_name
from flywheel.batches.batches import BatchOutcome
from flywheel.batches.uploads import DatasetKind

_MAKES_LIVE: Mapping[str, str] = {
    "verdict carried out": "live_model",
    "champion changed": "active",
    "champion changed outside": "active",
}
"""Events after which another model is the champion, and how their entries name it."""

_COMPLETED = "COMPLETED"


@dataclass(slots=True)
class ModelRecord:
    """The audit's entries about one model.

    Parameters
    ----------
    verdict : mapping or None
        The entry of the verdict that judged it.
    made_live : list of mapping
        Entries after which it was the champion.
    imports : mapping of int to list of mapping
        Entries of imported rows, by generation.
    """

    verdict: Mapping[str, Any] | None = None
    made_live: list[Mapping[str, Any]] = field(default_factory=list)
    imports: dict[int, list[Mapping[str, Any]]] = field(default_factory=dict)


def lineage(target: Target, known: KnownFlywheel, model: str) -> dict[str, Any]:
    """Return the lineage of a model as JSON values.

    Parameters
    ----------
    model : str
        Its ARN, or its name as `flywheel status` prints it.

    Raises
    ------
    CommandError
        The audit of the flywheel knows no such model.
    """
    ledger, name = target.ledger(), known.settings.name
    model_arn = _arn_of(ledger.audit.entries(name), model)
    record = _record_of(ledger, name, model_arn)
    if record.verdict is None and not record.made_live:
        problem = f"the audit of {name} knows no such model"
        raise CommandError(ExitCode.USAGE, model_arn, problem, "See flywheel history --json")
    document: dict[str, Any] = {
        "model": model_arn,
        "flywheel": name,
        "made_live": [_promotion(entry) for entry in record.made_live],
        "verdict": None,
        "batches": [],
        "imported": [],
    }
    if record.verdict is None:
        return document
    details = record.verdict["details"]
    batch = ledger.batches.get(name, details["batch"])
    trained = [batch, *_earlier(target, known, batch)]
    return {
        **document,
        "verdict": {**details, "at": record.verdict["at"], "entry": record.verdict["seq"]},
        "iteration_id": batch.iteration_id,
        "generation": batch.generation,
        "batches": [_batch(target, ledger, item) for item in trained],
        "imported": [
            {"at": entry["at"], **entry["details"]}
            for entry in record.imports.get(batch.generation, [])
            if entry["seq"] < record.verdict["seq"]
        ],
    }


def _arn_of(entries: Iterable[Mapping[str, Any]], model: str) -> str:
    """Return the ARN of a model that is named by less; an unknown one stays as it is."""
    if model.startswith("arn:"):
        return model
    named = {
        arn: None
        for entry in entries
        for arn in (entry["details"].get(key) for key in ("challenger", "live_model", "active"))
        if arn
    }
    return next((arn for arn in named if model_name(arn) == model), model)


def _record_of(ledger: Ledger, name: str, model_arn: str) -> ModelRecord:
    record, generation = ModelRecord(), 1
    for entry in ledger.audit.entries(name):
        event, details = entry["event"], entry["details"]
        if event == "generation switched":
            generation = details["generation"]
        elif event == "imported":
            record.imports.setdefault(generation, []).append(entry)
        elif event == "verdict" and details["challenger"] == model_arn:
            record.verdict = entry
        elif _makes_live(entry, model_arn):
            record.made_live.append(entry)
    return record


def _makes_live(entry: Mapping[str, Any], model_arn: str) -> bool:
    named, details = _MAKES_LIVE.get(entry["event"]), entry["details"]
    if named is None or details.get("outcome", BatchOutcome.PROMOTED) != BatchOutcome.PROMOTED:
        return False
    return bool(details.get(named) == model_arn)


def _promotion(entry: Mapping[str, Any]) -> dict[str, Any]:
    is_outside = entry["event"] == "champion changed outside"
    return {
        "at": entry["at"],
        "who": "outside" if is_outside else entry["details"].get("by", entry["actor"]),
        "event": entry["event"],
        "batch": entry["details"].get("batch"),
        "reason": entry["details"].get("reason"),
        "entry": entry["seq"],
    }


def _earlier(target: Target, known: KnownFlywheel, batch: BatchRow) -> Iterator[BatchRow]:
    """Yield the earlier batches of the generation whose data the model was trained on.

    The service trains on every complete dataset of a flywheel, whatever became of its batch.
    """
    numbers = range(1, batch.batch)
    batches = target.ledger().batches.get_many(known.settings.name, numbers)
    for earlier in batches[::-1]:
        if earlier.generation != batch.generation or not earlier.datasets:
            continue
        if earlier.outcome is not BatchOutcome.FAILED or _is_held(target, known, earlier):
            yield earlier


def _is_held(target: Target, known: KnownFlywheel, batch: BatchRow) -> bool:
    """Return whether the service has a failed batch's training data."""
    arn = batch.planned.get(DatasetKind.TRAIN)
    return arn is not None and target.comprehend(known).dataset_status(arn) == _COMPLETED


def _batch(target: Target, ledger: Ledger, batch: BatchRow) -> dict[str, Any]:
    """Return the content of a batch, and whether its manifest is the one that was sealed."""
    text = target.staging().text(batch.name.manifest_key)
    manifest = {} if text is None else json.loads(text)
    sha256 = None if text is None else hashlib.sha256(text.encode()).hexdigest()
    return {
        "batch": batch.batch,
        "attempt": batch.attempt,
        "outcome": batch.outcome,
        "rejudges": batch.rejudges,
        "documents": batch.documents,
        "test_documents": batch.test_documents,
        "datasets": list(batch.datasets),
        "manifest": batch.name.manifest_key,
        "manifest_sha256": batch.manifest_sha256,
        "is_manifest_whole": sha256 == batch.manifest_sha256,
        "files": [
            file
            for kind in DatasetKind
            for file in _files(ledger, manifest.get(kind.value, ()), kind)
        ],
    }


def _files(
    ledger: Ledger, listed: Sequence[Mapping[str, Any]], kind: DatasetKind
) -> Iterator[dict[str, Any]]:
    rows = ledger.uploads.get_many([item["uid"] for item in listed])
    for item in listed:
        row = rows.get(item["uid"])
        yield {
            "kind": kind.value,
            "key": item["key"],
            "version_id": row and row.version_id,
            "sha256": row and row.sha256,
            "uid": item["uid"],
            "staged_key": item["staged_key"],
            "state": row and row.state.value,
        }
