"""SealBatch: decide once what a batch holds, and hand it to the service as datasets.

Writing the manifest is the seal; everything after it follows from the manifest and can be
repeated. Read next: `seal_batch.content` (rows and files) and `flywheel.sealing` (which rows).
"""

import hashlib
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.ledger.batches import BatchRow, SealedFacts
from adapters.ledger.flywheels import FlywheelRow
from adapters.services import Services, services
from flywheel.batches import BatchName, BatchState, Manifest, StagedUpload, chosen
from flywheel.errors import BatchEmptyError
from flywheel.settings import BatchRules
from flywheel.uploads import DatasetKind
from seal_batch.content import Content, write_content

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Seal the batch of an execution and create its datasets."""
    logger.set_correlation_id(f"{event['flywheel']}-batch-{event['batch']}")
    return seal(services("seal_batch"), event["flywheel"], event["batch"])


def seal(services: Services, flywheel: str, number: int) -> dict[str, Any]:
    """Seal a batch, from whatever state the ledger has it in.

    Returns
    -------
    dict
        ``datasets``: the ARNs to wait for.

    Raises
    ------
    BatchEmptyError
        Nothing was left to train on after rows were left out.
    """
    ledger = services.ledger
    known, batch = services.flywheel(flywheel), ledger.batches.get(flywheel, number)
    if batch.datasets:
        return {"datasets": list(batch.datasets)}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    name = BatchName(flywheel, number, batch.attempt)
    manifest = _manifest(services, name, row, known.settings.batch)
    content = write_content(services.staging, name, manifest, known.settings.batch, services.now())
    facts = _facts(manifest, content)
    if batch.state is BatchState.OPEN:
        ledger.batches.seal(batch, facts, services.now())
    sealed = [upload["uid"] for upload in (*manifest.train, *manifest.test)]
    ledger.uploads.seal(flywheel, number, sealed, content.remainders)
    if not facts.documents:
        told = ", ".join(f"{count:,} {reason}" for reason, count in facts.left_out.items())
        raise BatchEmptyError(f"no row is left to train on; left out: {told}")
    kinds = [DatasetKind.TRAIN, *([DatasetKind.TEST] if content.test_keys else [])]
    return {"datasets": _create_datasets(services, batch, row, kinds, facts.manifest_sha256)}


def _manifest(services: Services, name: BatchName, row: FlywheelRow, rules: BatchRules) -> Manifest:
    """Return the batch's manifest; whoever writes it first has decided."""
    written = services.staging.text(name.manifest_key)
    if written is None:
        staged = services.ledger.uploads.staged(name.flywheel)
        train = [upload for upload in staged if upload.kind is DatasetKind.TRAIN]
        test = [upload for upload in staged if upload.kind is DatasetKind.TEST]
        planned = Manifest(
            flywheel=name.flywheel,
            batch=name.batch,
            train=_listed(chosen(train, rules)),
            # The first test set is frozen with the first batch that has one; later ones are drafts.
            test=() if row.test_set_keys else _listed(chosen(test, rules)),
            test_set_keys=tuple(row.test_set_keys),
        )
        if services.staging.create(name.manifest_key, planned.to_json().encode()):
            return planned
        written = services.staging.text(name.manifest_key)
    return Manifest.from_json(written or "")


def _listed(uploads: list[StagedUpload]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"uid": upload.uid, "key": upload.key, "staged_key": upload.staged_key}
        for upload in uploads
    )


def _facts(manifest: Manifest, content: Content) -> SealedFacts:
    return SealedFacts(
        manifest_sha256=hashlib.sha256(manifest.to_json().encode()).hexdigest(),
        uploads=[upload["key"] for upload in (*manifest.train, *manifest.test)],
        documents=content.train_documents,
        label_counts=content.label_counts,
        left_out=content.left_out,
        waiting_labels=content.waiting_labels,
        test_set_keys=content.test_keys,
        test_documents=content.test_documents,
    )


def _create_datasets(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    kinds: list[DatasetKind],
    manifest_sha256: str,
) -> list[str]:
    """Create at most one TRAIN and one TEST dataset, under our names and tokens."""
    comprehend = services.comprehend(row.arn)
    name = BatchName(batch.flywheel, batch.batch, batch.attempt)
    arns = {
        kind: comprehend.create_dataset(
            name.dataset(kind),
            kind,
            f"s3://{services.staging.bucket}/{name.dataset_prefix(kind)}",
            token=name.token(kind.value, row.arn),
            description=f"batch {name.batch} manifest sha256 {manifest_sha256}",
        )
        for kind in kinds
    }
    services.ledger.batches.record_datasets(
        batch, row, train=arns[DatasetKind.TRAIN], test=arns.get(DatasetKind.TEST)
    )
    return list(arns.values())
