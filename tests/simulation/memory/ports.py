"""Every port in memory, in one value."""

from collections.abc import Callable
from dataclasses import dataclass

from application.configuration import FunctionConfiguration, KnownFlywheel
from application.ports import AnswerService
from tests.simulation.memory.account import MemoryAccount
from tests.simulation.memory.buckets import MemoryInbox, MemoryStaging
from tests.simulation.memory.channels import (
    MemoryExecutions,
    MemoryFunctions,
    MemoryMessages,
    MemoryQueue,
    MemoryTopic,
    Message,
)
from tests.simulation.memory.rows import MemoryRows
from tests.simulation.memory.service import MemoryService
from tests.simulation.simulator import Simulator


def configuration_of(environment: str) -> FunctionConfiguration:
    """Return what functions know of an environment in memory."""
    return FunctionConfiguration(
        environment=environment,
        inbox_bucket="inbox",
        staging_bucket="staging",
        verdicts_bucket="verdicts",
        ledger_table="ledger",
        topic_arn="topic",
        settings_path=f"/{environment}",
        notice_window_seconds=60,
    )


@dataclass(slots=True, eq=False)
class MemoryPorts:
    """Every port, in memory; compared by identity, as caches of functions need."""

    table: MemoryRows
    staging: MemoryStaging
    verdicts: MemoryStaging
    inbox: MemoryInbox
    topic: MemoryTopic
    messages: MemoryMessages
    executions: MemoryExecutions
    functions: MemoryFunctions
    account: MemoryAccount
    known: dict[str, KnownFlywheel]

    @classmethod
    def over(
        cls,
        simulator: Simulator,
        account: MemoryAccount,
        known: dict[str, KnownFlywheel],
        *,
        register: Callable[[Message], bool],
        send_digests: Callable[[Message], bool],
        execute: Callable[[str, str], None],
        close: Callable[[str], bool],
        rebuild: Callable[[str], bool],
        compare: Callable[[str], bool],
        change: Callable[[str], bool],
        answer: Callable[[str], bool],
    ) -> "MemoryPorts":
        """Return an environment's ports, empty, with what its queues and functions call."""
        return cls(
            table=MemoryRows(simulator),
            staging=account.staging,
            verdicts=MemoryStaging(simulator, "verdicts"),
            inbox=MemoryInbox(simulator),
            topic=MemoryTopic(simulator),
            messages=MemoryMessages(
                simulator,
                uploads=MemoryQueue(simulator, "InboxUploadsQueue", register),
                notices_due=MemoryQueue(simulator, "NoticesDueQueue", send_digests),
            ),
            executions=MemoryExecutions(simulator, execute),
            functions=MemoryFunctions(
                simulator,
                {
                    "close_batch": close,
                    "rebuild_flywheel": rebuild,
                    "compare_models": compare,
                    "change_champion": change,
                    "answer_approval": answer,
                },
            ),
            account=account,
            known=known,
        )

    @property
    def generations(self) -> MemoryAccount:
        """What makes a flywheel's next generation."""
        return self.account

    def comprehend(self, flywheel_arn: str) -> MemoryService:
        """Return the service's calls on one flywheel."""
        return self.account.flywheels[flywheel_arn]

    def answer_jobs(self, flywheel_arn: str) -> AnswerService:
        """Return the jobs in which models answer documents; a job belongs to no flywheel."""
        return self.account.jobs

    @property
    def current(self) -> MemoryService:
        """The generation that the ledger uses, of the one flywheel."""
        row = self.table.look("FLYWHEEL#tickets", "FLYWHEEL")
        return self.account.flywheels[row["arn"]] if row else self.account.oldest

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name, as deployed."""
        return self.known
