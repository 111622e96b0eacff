"""SealBatch: decide once what a batch holds, and hand it to the service as datasets.

Writing the manifest is the seal; everything after it follows from the manifest and can be repeated.
Read next: `application.batches.sealed_content` (rows and files) and `flywheel.batches.sealing`
(which rows).
"""

from typing import Any

from application.batches.sealed_content import ContentWriter
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, SealedFacts
from application.ledger.flywheel_rows import FlywheelRow
from application.services import Services
from flywheel.batches.batches import (
    BatchManifest,
    BatchName,
    BatchState,
    StagedUpload,
    chosen,
    of_kind,
)
from flywheel.batches.uploads import DatasetKind
from flywheel.settings.environment import BatchRules


def seal(services: Services, flywheel: str, number: int) -> dict[str, Any]:
    """Seal a batch, from whatever state the ledger has it in.

    Returns
    -------
    dict
        ``is_empty``: nothing new is left to train on; ``datasets``: the ARNs to wait for.
    """
    ledger = services.ledger
    known, batch = services.flywheel(flywheel), ledger.batches.get(flywheel, number)
    if batch.datasets or batch.state is BatchState.CLOSED:
        return {"is_empty": not batch.datasets, "datasets": list(batch.datasets)}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    name = batch.name
    manifest = _manifest(services, batch, row, known.settings.batch)
    content = ContentWriter(
        services.staging,
        name,
        manifest,
        known.settings.batch,
        services.shape(known, row.arn),
        services.now(),
        row.arn,
        is_for_test_alone=batch.rejudges is not None,
    ).write()
    facts = content.facts
    if batch.state is BatchState.OPEN:
        ledger.batches.seal(batch, row, facts, services.now())
    used = (*manifest.train, *manifest.test) if facts.planned else manifest.train
    ledger.batch_uploads.seal(
        name,
        [upload["uid"] for upload in used],
        remainders=content.remainders,
        repeats=content.repeats,
    )
    if not facts.planned:
        ledger.batch_uploads.draft_again(flywheel, [upload["uid"] for upload in manifest.test])
    datasets = _create_datasets(services, known, batch, row, facts) if facts.planned else []
    return {"is_empty": not facts.planned, "datasets": datasets}


def _manifest(
    services: Services, batch: BatchRow, row: FlywheelRow, rules: BatchRules
) -> BatchManifest:
    """Return the attempt's manifest; whoever writes it first has decided."""
    name = batch.name
    written = services.staging.text(name.manifest_key)
    if written is None:
        planned = _planned(services, batch, row, rules)
        if services.staging.create(name.manifest_key, planned.to_json().encode()):
            return planned
        written = services.staging.text(name.manifest_key)
    return BatchManifest.from_json(written or "")


def _planned(
    services: Services, batch: BatchRow, row: FlywheelRow, rules: BatchRules
) -> BatchManifest:
    """Choose what the batch holds: what an earlier attempt chose, or else what is staged.

    Where an earlier challenger is judged again nothing may be trained on.
    """
    name = batch.name
    earlier = _earlier(services, name)
    if earlier is None:
        staged = services.ledger.uploads.staged(name.flywheel)
        to_train = of_kind(staged, DatasetKind.TRAIN) if batch.rejudges is None else []
        train = _listed(chosen(to_train, rules))
        # The first test set is frozen with the first batch that has one; later ones are drafts
        # until a person asks for them.
        takes_test = row.test_set is None or row.freeze_asked_by is not None
        test = _listed(chosen(of_kind(staged, DatasetKind.TEST), rules)) if takes_test else ()
    else:
        train, test = (
            tuple(item for item in items if not services.ledger.uploads.is_withdrawn(item["uid"]))
            for items in (earlier.train, earlier.test)
        )
    segments = services.ledger.holdings.segments(name.flywheel, row.generation)
    return BatchManifest(
        flywheel=name.flywheel,
        batch=name.batch,
        train=train,
        test=test,
        known_train=tuple(segments[DatasetKind.TRAIN]),
        known_test=tuple(segments[DatasetKind.TEST]),
        generation=row.generation,
        dropped_labels=tuple(row.dropped_labels),
    )


def _earlier(services: Services, name: BatchName) -> BatchManifest | None:
    """Return the manifest of the newest earlier attempt that wrote one."""
    for attempt in range(name.attempt - 1, 0, -1):
        key = BatchName(name.flywheel, name.batch, attempt).manifest_key
        written = services.staging.text(key)
        if written is not None:
            return BatchManifest.from_json(written)
    return None


def _listed(uploads: list[StagedUpload]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"uid": upload.uid, "key": upload.key, "staged_key": upload.staged_key}
        for upload in uploads
    )


def _create_datasets(
    services: Services,
    known: KnownFlywheel,
    batch: BatchRow,
    row: FlywheelRow,
    facts: SealedFacts,
) -> list[str]:
    """Create at most one TRAIN and one TEST dataset, under our names and tokens."""
    comprehend = services.comprehend(row.arn)
    name = batch.name
    arns = []
    for kind in facts.planned:
        arns.append(
            comprehend.create_dataset(
                name.dataset(kind),
                kind,
                f"s3://{services.staging.bucket}/{name.dataset_prefix(kind)}",
                shape=services.shape(known, row.arn),
                token=name.token(kind.value, row.arn),
                description=f"batch {name.batch} manifest sha256 {facts.manifest_sha256}",
            )
        )
    services.ledger.batches.record_datasets(batch, arns)
    return arns
