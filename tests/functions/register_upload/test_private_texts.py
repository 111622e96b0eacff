"""No text of a document leaves the account's buckets by any way out, whatever is wrong with it."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from console.views.uploads import upload_document
from flywheel.intake.labeled_documents import LabeledDocuments
from flywheel.notices.slack import message
from register_upload import handler as module
from register_upload.handler import handler
from tests.flywheel.intake.malformed_files import CANARY, malformed_files
from tests.functions.cloud import TABLE, Cloud
from tests.functions.register_upload.test_handler import delivery
from tests.functions.world import NAME, World, running_world

_EVERY = 3
"""All of them are read in the tests of the domain."""


@pytest.fixture
def logs() -> Iterator[StringIO]:
    """Take down what the function logs, as it is written for CloudWatch."""
    lines = StringIO()
    taker = logging.StreamHandler(lines)
    taker.setFormatter(module.logger.registered_formatter)
    logging.getLogger(module.logger.name).addHandler(taker)
    yield lines
    logging.getLogger(module.logger.name).removeHandler(taker)


@pytest.fixture
def entity_world(cloud: Cloud, world: World) -> Iterator[World]:
    """Have a flywheel of entities beside."""
    with running_world(cloud, world.clock, entity_types=("PERSON", "CITY")) as entities:
        yield entities


def ways_out(world: World, logs: StringIO) -> dict[str, str]:
    """Return all that people and programs are given of what was uploaded."""
    # The handler has the machine's clock and the world another, so the news may seem to be new.
    assert world.services.notices.publish_digests(timedelta.min)
    notices = world.cloud.told()
    uploads = world.services.ledger.uploads.newest(NAME, most=1000)
    assert all("REFUSED" in notice.body for notice in notices)
    return {
        "ledger": json.dumps(client("dynamodb").scan(TableName=TABLE)["Items"], default=str),
        "mail": "\n".join(notice.subject + notice.body for notice in notices),
        "slack": json.dumps([message(notice.subject, notice.body) for notice in notices]),
        "uploads --json": json.dumps([upload_document(row) for row in uploads]),
        "logs": logs.getvalue(),
    }


def deliver(world: World, context: LambdaContext, number: int, *, is_entities: bool) -> None:
    """Deliver malformed files of the kind that the flywheel takes."""
    of_kind = {
        (file.data, file.companion): file
        for file in malformed_files(number, rows=4)
        if (file.shape.task == "entities") is is_entities
    }
    for place, file in enumerate(list(of_kind.values())[::_EVERY]):
        name = file.name if is_entities else f"{place}-{file.name}"
        folder = f"{NAME}/train/{place}"
        uploads = [world.put(f"{folder}/{name}", file.data)]
        if file.companion is not None:
            uploads.append(world.put(f"{folder}/d.csv", file.companion))
        for upload in uploads:
            assert handler(delivery(upload, 60), context) == {"batchItemFailures": []}, file.what


def test_no_text_leaves_when_files_of_labels_are_malformed(
    world: World, context: LambdaContext, logs: StringIO
) -> None:
    """Notices, Slack, the ledger, `uploads --json` and logs say lines and faults only."""
    good = world.put(f"{NAME}/train/good.csv", f"billing,{CANARY} I am Ann\n".encode())
    handler(delivery(good, 60), context)
    assert "good.csv" in logs.getvalue()
    deliver(world, context, 1, is_entities=False)
    for way, words in ways_out(world, logs).items():
        assert CANARY not in words, (way, words[words.index(CANARY) - 200 :][:300])


@pytest.mark.slow
def test_no_text_leaves_when_files_of_entities_are_malformed(
    entity_world: World, context: LambdaContext, logs: StringIO
) -> None:
    """The same holds for documents, annotations, lists and manifests."""
    deliver(entity_world, context, 2, is_entities=True)
    for way, words in ways_out(entity_world, logs).items():
        assert CANARY not in words, (way, words[words.index(CANARY) - 200 :][:300])


def test_no_text_is_logged_when_an_error_quotes_it(
    world: World,
    context: LambdaContext,
    logs: StringIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error that nobody foresaw says its class and where it comes from, and no value."""

    def broken(self: LabeledDocuments) -> Iterator[bytes]:
        raise KeyError(f"{CANARY} I am Ann")

    monkeypatch.setattr(LabeledDocuments, "canonical_copy", broken)
    upload = world.put(f"{NAME}/train/x.csv", b"billing,text\n")
    with pytest.raises(BatchProcessingError) as caught:
        handler(delivery(upload, 60), context)
    words = str(caught.value) + logs.getvalue() + "".join(capsys.readouterr())
    assert CANARY not in words
    assert "UnforeseenError: KeyError at" in words
    assert "test_private_texts.py:" in words
