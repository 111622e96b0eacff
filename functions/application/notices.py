"""Publish notices to the topic, and gather the facts that several of them name.

Every notice is in the ledger's outbox before it comes here. A publish that fails is logged and
left there: `reconcile` publishes what was left. A repeat carries the same notice id.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ledger.outbox import NO_FLYWHEEL, PendingNews
from application.ports import Topic
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.notices.batches import BatchFacts
from flywheel.notices.endpoints import endpoint_words
from flywheel.notices.notice import Notice, upload_digest

if TYPE_CHECKING:
    from application.services import Services

logger = Logger(child=True)


class Notices:
    """Sends what waits in the outbox, each notice by one sender.

    Parameters
    ----------
    environment : str
        The environment's name, for subjects.
    topic : Topic
    ledger : Ledger
    now : callable
        The clock.
    """

    def __init__(
        self,
        environment: str,
        topic: Topic,
        ledger: Ledger,
        now: Callable[[], datetime],
    ) -> None:
        self._environment = environment
        self._topic = topic
        self._outbox = ledger.outbox
        self._now = now

    def publish(self, flywheel: str, notice: Notice) -> bool:
        """Publish a notice of the outbox; False where it has to wait or somebody else has it."""
        return self._outbox.claim(notice.id, self._now()) and self._send(
            flywheel, notice, [notice.id]
        )

    def publish_pending(self) -> int:
        """Publish every notice that was left in the outbox and return how many went out."""
        pending = self._outbox.notices()
        return sum(self.publish(waiting.flywheel, waiting.notice) for waiting in pending)

    def publish_digests(self, least_age: timedelta, flywheel: str | None = None) -> int:
        """Gather upload news into one notice a flywheel and return how many went out.

        Parameters
        ----------
        least_age : timedelta
            A flywheel's news go out when the oldest of them is as old.
        flywheel : str, optional
            Only this flywheel's news.
        """
        waiting: dict[str, list[PendingNews]] = defaultdict(list)
        for pending in self._outbox.news():
            waiting[pending.flywheel].append(pending)
        return sum(
            self._publish_digest(name, news)
            for name, news in waiting.items()
            if flywheel in {None, name} and self._now() - news[0].written_at >= least_age
        )

    def _publish_digest(self, flywheel: str, waiting: list[PendingNews]) -> bool:
        news = [pending for pending in waiting if self._outbox.claim(pending.id, self._now())]
        if not news:
            return False
        ids = [pending.id for pending in news]
        digest_id = f"uploads-{hashlib.sha256(''.join(ids).encode()).hexdigest()[:16]}"
        name = None if flywheel == NO_FLYWHEEL else flywheel
        items = [pending.news for pending in news]
        return self._send(flywheel, upload_digest(self._environment, name, items, digest_id), ids)

    def _send(self, flywheel: str, notice: Notice, claimed: list[str]) -> bool:
        try:
            self._topic.publish(flywheel, notice)
        except (ServiceBusyError, ServiceRefusedError) as error:
            logger.warning("notice waits in the outbox", notice_id=notice.id, reason=str(error))
            self._outbox.release(claimed)
            return False
        self._outbox.forget(claimed)
        return True


def batch_facts(
    services: "Services", batch: BatchRow, row: FlywheelRow, live_model: str | None
) -> BatchFacts:
    """Return what every notice about a batch names."""
    return BatchFacts(
        environment=services.configuration.environment,
        flywheel=batch.flywheel,
        batch=batch.batch,
        flywheel_arn=row.arn,
        uploads=batch.uploads,
        upload_count=batch.upload_count,
        test_upload_count=batch.test_upload_count,
        live_model=live_model,
        iteration_id=batch.iteration_id,
        attempt=batch.attempt,
        taint=row.taint,
        is_rebuilt=row.rebuild is not None and row.rebuild.last_batch + 1 == batch.batch,
    )


def followers(
    services: "Services", row: FlywheelRow, before: str | None, live_model: str
) -> list[str]:
    """Return what a notice says of endpoints after a model went live; never an error.

    A model is live whether its endpoints can be listed or not.
    """
    history = services.ledger.champions.history(row.name)
    models = {model for model in (before, *(item.model for item in history)) if model}
    try:
        endpoints = services.comprehend(row.arn).endpoints()
    except (ServiceBusyError, ServiceRefusedError) as error:
        logger.warning("endpoints cannot be listed", reason=str(error))
        return [f"Which endpoints follow the flywheel is not known: {error}"]
    return endpoint_words(endpoints, row.arn, live_model, models)
