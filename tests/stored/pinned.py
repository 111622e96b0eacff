"""What is another in each run is the same here: time, random ids, versions of objects, our own.

The clock stands still while the engine works, and whoever asks for something of the engine sees it
done. Ids are counted.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from moto.moto_api._internal import mock_random

from adapters.clients import client
from adapters.parameters import configuration
from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Engine, EngineSettings, Quotas
from local_cloud import dynamodb_transactions
from local_cloud.patches import Patches
from reconcile.handler import metrics


class SteadyClock(DrivenClock):
    """A driven clock that moves only when the engine has nothing to do."""

    engine: Engine

    def moment(self) -> datetime:
        """Return the present moment."""
        return datetime.fromtimestamp(self.now(), UTC)

    def begin_again(self) -> None:
        """Go back to the first moment."""
        self._now = DrivenClock().now()

    def rest(self, **_: Any) -> None:
        """Let the engine end what it is doing."""
        assert self.engine._parts is not None
        self.engine._parts.background.join()

    def advance(self, seconds: float) -> None:
        """Let the engine end what it is doing, then move on."""
        self.rest()
        super().advance(seconds)


@contextmanager
def running_engine(folder: Path) -> Iterator[SteadyClock]:
    """Run an engine whose work takes no time of its clock."""
    clock = SteadyClock()
    settings = EngineSettings(
        folder,
        pace_seconds=0.0,
        quotas=Quotas(
            min_documents_per_label=2, min_multi_label_documents=4, min_annotations_per_type=2
        ),
    )
    with Engine(settings, s3_client_for_role=lambda _: boto3.client("s3"), clock=clock) as engine:
        clock.engine = engine
        yield clock


@contextmanager
def pinned(story: str, clock: SteadyClock) -> Iterator[None]:
    """Leave nothing to chance in an account that is open.

    Parameters
    ----------
    story : str
        The environment's name, too: all stories share one engine.
    """
    numbers = count(1)

    def token(size_bytes: int) -> str:
        return hashlib.sha256(f"{story} {next(numbers)}".encode()).hexdigest()[: 2 * size_bytes]

    mock_random.seed(story)
    clock.begin_again()
    replaced = {
        "adapters.wiring._utc_now": clock.moment,
        "application.comparison.judgement.PRODUCT_VERSION": "0.1.0",
        "comprehend_engine.storage.resource_names.secrets": SimpleNamespace(token_hex=token),
        "comprehend_engine.operations.jobs.secrets": SimpleNamespace(token_hex=token),
        "moto.s3.models.utcnow": lambda: clock.moment().replace(tzinfo=None),
    }
    variables = {"ENVIRONMENT": story, "POWERTOOLS_SERVICE_NAME": "reconcile"}
    forget: Any = configuration
    forget.cache_clear()
    with ExitStack() as stack:
        for place, value in replaced.items():
            stack.enter_context(patch(place, value))
        stack.enter_context(patch.dict("os.environ", variables))
        stack.enter_context(patch.object(metrics.provider, "service", "reconcile"))
        # Else each transaction takes longer than the one before.
        patches = Patches()
        dynamodb_transactions.install(patches)
        stack.callback(patches.undo)
        client("comprehend").meta.events.register("after-call.comprehend", clock.rest)
        yield
