"""Where the contract of the ports is tried: on real clients, and in memory without any fault."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from adapters.clients import client
from adapters.wiring import AwsPorts
from application.configuration import KnownFlywheel
from application.ports import FlywheelService, Ports
from flywheel.batches.uploads import ObjectVersion
from flywheel.settings.environment import ReceivedSettings
from tests.functions import world as functions_world
from tests.functions.cloud import INBOX
from tests.simulation.memory.account import MemoryAccount
from tests.simulation.memory.buckets import MemoryStaging
from tests.simulation.memory.channels import (
    Message,
)
from tests.simulation.memory.ports import MemoryPorts
from tests.simulation.simulator import Simulator

_MOST_STEPS = 200


class Scene(Protocol):
    """The ports, and what is around them."""

    @property
    def ports(self) -> Ports:
        """All ports."""

    @property
    def service(self) -> FlywheelService:
        """A new flywheel's."""

    def drop(self, key: str, body: bytes) -> ObjectVersion:
        """Put an object into the inbox."""

    def delete(self, upload: ObjectVersion) -> None:
        """Delete a version for good."""

    def published(self) -> list[str]:
        """Return ids of notices that were published since the last look."""

    def injected(self) -> list[ObjectVersion]:
        """Return uploads that were sent to the uploads queue."""

    def let_pass(self, is_over: Callable[[], bool]) -> None:
        """Let time pass until something is over."""


@dataclass(slots=True)
class AwsScene:
    """Real clients, on moto and on the engine."""

    world: functions_world.World

    @property
    def ports(self) -> Ports:
        """All ports."""
        return AwsPorts(self.world.cloud.configuration)

    @property
    def service(self) -> FlywheelService:
        """A new flywheel's."""
        return self.ports.comprehend(self.world.flywheel_arn)

    def drop(self, key: str, body: bytes) -> ObjectVersion:
        """Put an object into the inbox."""
        return self.world.put(key, body)

    def delete(self, upload: ObjectVersion) -> None:
        """Delete a version for good."""
        client("s3").delete_object(Bucket=INBOX, Key=upload.key, VersionId=upload.version_id)

    def published(self) -> list[str]:
        """Return ids of notices that were published since the last look."""
        return [notice.notice_id for notice in self.world.cloud.told()]

    def injected(self) -> list[ObjectVersion]:
        """Return uploads that were sent to the uploads queue."""
        answer = client("sqs").receive_message(
            QueueUrl=self.world.cloud.configuration.uploads_queue_url, MaxNumberOfMessages=10
        )
        details = [json.loads(message["Body"])["detail"] for message in answer.get("Messages", [])]
        return [
            ObjectVersion(
                detail["bucket"]["name"], detail["object"]["key"], detail["object"]["version-id"]
            )
            for detail in details
        ]

    def let_pass(self, is_over: Callable[[], bool]) -> None:
        """Let time pass until something is over."""
        self.world.until(is_over, bool)


@dataclass(slots=True)
class MemoryScene:
    """The simulator's ports, in the calm."""

    simulator: Simulator = field(default_factory=lambda: Simulator(0))
    ports: MemoryPorts = field(init=False)
    _injected: list[ObjectVersion] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Lay everything out."""
        simulator = self.simulator
        simulator.is_calm = True
        account = MemoryAccount(simulator, MemoryStaging(simulator))
        account.add("contract", functions_world.LABELS)
        settings = ReceivedSettings.from_document({"name": functions_world.NAME})
        self.ports = MemoryPorts.over(
            simulator,
            account,
            {functions_world.NAME: KnownFlywheel(account.oldest.arn, settings)},
            register=self._receive,
            send_digests=lambda message: True,
            execute=lambda name, document: None,
            close=lambda payload: True,
            rebuild=lambda payload: True,
            compare=lambda payload: True,
            change=lambda payload: True,
            answer=lambda payload: True,
        )

    @property
    def service(self) -> FlywheelService:
        """A new flywheel's."""
        return self.ports.account.oldest

    def drop(self, key: str, body: bytes) -> ObjectVersion:
        """Put an object into the inbox."""
        return self.ports.inbox.drop(key, body)

    def delete(self, upload: ObjectVersion) -> None:
        """Delete a version for good."""
        self.ports.inbox.delete(upload)

    def published(self) -> list[str]:
        """Return ids of notices that were published since the last look."""
        return list(self.ports.topic.sent.elements())

    def injected(self) -> list[ObjectVersion]:
        """Return uploads that were sent to the uploads queue."""
        self._pass(60)
        return self._injected

    def let_pass(self, is_over: Callable[[], bool]) -> None:
        """Let time pass until something is over."""
        for _ in range(_MOST_STEPS):
            if is_over():
                return
            self._pass(60)
        raise TimeoutError("it is never over")

    def _pass(self, seconds: float) -> None:
        self.simulator.agenda.run(self.simulator.now + timedelta(seconds=seconds))

    def _receive(self, message: Message) -> bool:
        upload, _ = message.body
        self._injected.append(upload)
        return True
