"""The relay of the outbox dies between two notices: the rest is sent, and each under its id."""

from datetime import datetime, timedelta

from adapters.clients import client
from adapters.messages import SnsTopic
from application.ledger.ledger import Ledger
from application.notices import Notices
from flywheel.notices.notice import Notice
from tests.functions.cloud import Cloud, crash

_A_CLAIM_HOLDS = timedelta(minutes=6)
"""Longer than the claim of a sender that died."""


def test_the_rest_is_sent_when_the_relay_died_between_two_notices(
    cloud: Cloud, ledger: Ledger, now: datetime
) -> None:
    """The oldest first; the one that it died over goes out when its claim is over."""
    ledger.flywheels.ensure("tickets", "arn")
    for number in range(3):
        notice = Notice(f"tickets-act-{number}", f"act {number}", "body")
        ledger.flywheels.note_withdrawal("tickets", {}, notice, now + timedelta(seconds=number))

    def relay(moment: datetime) -> Notices:
        topic = SnsTopic(cloud.configuration.topic_arn, client("sns"))
        return Notices("test", topic, ledger, lambda: moment)

    with crash("sns", "Publish", at=2):
        relay(now).publish_pending()
    assert relay(now).publish_pending() == 1
    assert relay(now + _A_CLAIM_HOLDS).publish_pending() == 1
    assert sorted(told.notice_id for told in cloud.told()) == [
        "tickets-act-0",
        "tickets-act-1",
        "tickets-act-2",
    ]
    assert ledger.outbox.notices() == []
