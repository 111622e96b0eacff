"""Notices on a real topic: told once, and kept until they were."""

from datetime import datetime, timedelta

import pytest

from adapters.clients import client
from adapters.messages import SnsTopic
from application.ledger.batch_rows import SealedFacts
from application.ledger.ledger import Ledger
from application.notices import Notices
from flywheel.batches.uploads import ObjectVersion, UploadState
from flywheel.notices.notice import Notice, UploadNews
from tests.functions.cloud import Cloud, answering

NOTICE = Notice("tickets-batch-1-started", "[test] tickets: STARTED", "body with ü\n")
FACTS = SealedFacts("hash", [], 2, {}, {})


@pytest.fixture
def notices(cloud: Cloud, ledger: Ledger, now: datetime) -> Notices:
    """Have the topic with the outbox before it."""
    topic_arn = cloud.configuration.topic_arn
    return Notices("test", SnsTopic(topic_arn, client("sns")), ledger, lambda: now)


@pytest.fixture
def waiting(ledger: Ledger, now: datetime) -> Ledger:
    """Have a notice in the outbox."""
    row = ledger.flywheels.ensure("tickets", "arn")
    batch = ledger.batches.open(row, 1, now)
    ledger.batches.announce(batch, row, NOTICE, now)
    return ledger


def refused(ledger: Ledger, name: str, flywheel: str, now: datetime) -> None:
    """Have the news of a refused upload in the outbox."""
    upload = ObjectVersion("inbox-bucket", name, "v1")
    ledger.uploads.receive(upload, flywheel=flywheel, kind="train", size_bytes=1, now=now)
    news = UploadNews(name, f"REFUSED {name}: 1 bad row", ["line 1: empty text"], "Repair it.")
    ledger.uploads.refuse(
        upload.uid, flywheel, state=UploadState.REFUSED, reasons=[], news=news, now=now
    )


def test_a_notice_leaves_the_outbox_when_it_was_published(
    cloud: Cloud, notices: Notices, waiting: Ledger
) -> None:
    """Subject, body and id arrive as they were written."""
    assert notices.publish("tickets", NOTICE)
    assert cloud.told() == [(NOTICE.subject, NOTICE.body, NOTICE.id)]
    assert waiting.outbox.notices() == []
    assert notices.publish_pending() == 0


@pytest.mark.parametrize(("code", "status"), [("InternalError", 500), ("InvalidParameter", 400)])
def test_a_notice_stays_in_the_outbox_when_publishing_fails(
    cloud: Cloud, notices: Notices, waiting: Ledger, code: str, status: int
) -> None:
    """Nothing raises: the outcome it reports stands, and the notice goes out later."""
    with answering("sns", "Publish", code=code, status=status):
        assert not notices.publish("tickets", NOTICE)
        assert notices.publish_pending() == 0
    assert [pending.notice for pending in waiting.outbox.notices()] == [NOTICE]
    assert notices.publish_pending() == 1
    assert [told.notice_id for told in cloud.told()] == [NOTICE.id]


def test_news_are_gathered_by_flywheel_when_they_are_old_enough(
    cloud: Cloud, notices: Notices, ledger: Ledger, now: datetime
) -> None:
    """The oldest decides; the others go with it."""
    refused(ledger, "a.csv", "tickets", now - timedelta(seconds=60))
    refused(ledger, "b.csv", "tickets", now)
    refused(ledger, "c.csv", "intents", now)
    assert notices.publish_digests(timedelta(seconds=60)) == 1
    (told,) = cloud.told()
    assert told.subject == "[test] tickets: 2 uploads need a look: a.csv, b.csv"
    assert [pending.flywheel for pending in ledger.outbox.news()] == ["intents"]
    assert notices.publish_digests(timedelta(0), "tickets") == 0
    assert notices.publish_digests(timedelta(0), "intents") == 1


def test_all_news_stay_when_their_digest_cannot_be_published(
    cloud: Cloud, notices: Notices, ledger: Ledger, now: datetime
) -> None:
    """The next digest is the same one, with the same id."""
    refused(ledger, "a.csv", "tickets", now)
    refused(ledger, "b.csv", "tickets", now)
    with answering("sns", "Publish", code="Throttled", status=429):
        assert notices.publish_digests(timedelta(0)) == 0
    assert len(ledger.outbox.news()) == 2
    assert notices.publish_digests(timedelta(0)) == 1
    assert len(cloud.told()) == 1
    assert ledger.outbox.news() == []


def test_a_notice_is_left_alone_when_somebody_else_is_publishing_it(
    cloud: Cloud, notices: Notices, waiting: Ledger, now: datetime
) -> None:
    """Two senders at once send it once; a sender that died is replaced after five minutes."""
    assert waiting.outbox.claim(NOTICE.id, now - timedelta(minutes=1))
    assert notices.publish_pending() == 0
    assert cloud.told() == []
    waiting.outbox.release([NOTICE.id])
    assert waiting.outbox.claim(NOTICE.id, now - timedelta(minutes=6))
    assert notices.publish_pending() == 1


def test_only_one_of_two_may_publish_when_both_claim(waiting: Ledger, now: datetime) -> None:
    """The first claim holds; what was sent already can be claimed by nobody."""
    assert waiting.outbox.claim(NOTICE.id, now)
    assert not waiting.outbox.claim(NOTICE.id, now)
    waiting.outbox.forget([NOTICE.id])
    assert not waiting.outbox.claim(NOTICE.id, now)
