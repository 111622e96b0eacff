"""Carry out what a person commands: one use case per command, and its notice.

Decides which use case a command is and what its answer says. The use cases are
`application.commands.operator_commands` and the modules that it names. A notice that cannot be
published now goes out with the schedule.
"""

import hashlib
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

from application.commands.operator_commands import OperatorCommands
from application.commands.payloads import (
    AbandonRebuild,
    FreezeTestSet,
    ImportRows,
    OperatorCommand,
    Pause,
    Rebuild,
    Resume,
    RetryBatch,
    SplitTestSet,
    StartBatch,
    StopTraining,
    Withdraw,
    import_key,
)
from application.configuration import KnownFlywheel
from application.ledger.upload_rows import UploadRow
from application.ports import StagingObjects
from application.services import Services
from flywheel.errors import ActRefusedError
from flywheel.notices.notice import Notice

MOST_IMPORTED_BYTES = 200 * 2**20
"""Of one import; it takes seven times as much memory, and the function has 2 GiB."""

Answer = dict[str, Any]
"""A plain document: what came of a command."""


def carry_out(services: Services, command: OperatorCommand) -> Answer:
    """Carry out one command and return what came of it.

    Parameters
    ----------
    services : Services
        Opened as the person who acts.

    Raises
    ------
    ActRefusedError, ConcurrentChangeError, BatchNotFoundError
        The command does not fit what is there now.
    """
    known = services.flywheel(command.flywheel)
    row = services.ledger.flywheels.ensure(command.flywheel, known.arn)
    acts = OperatorCommands(
        services.configuration.environment,
        known,
        services.ledger,
        services.comprehend(row.arn),
        services.workflow,
    )
    answer: Answer = _Operator(services, known, acts).carry_out(command)
    return answer


@dataclass(frozen=True, slots=True)
class _Operator:
    """One person at one flywheel."""

    services: Services
    known: KnownFlywheel
    acts: OperatorCommands

    @singledispatchmethod
    def carry_out(self, command: Any) -> Answer:
        """Carry out a command of the type that it is registered for."""
        raise TypeError(f"{type(command).__name__} is no command")

    @carry_out.register
    def _(self, command: Pause) -> Answer:
        self._publish(self.acts.pause(command.reason, self.services.now()))
        return {}

    @carry_out.register
    def _(self, command: Resume) -> Answer:
        self._publish(self.acts.resume(command.reason, self.services.now()))
        return self._opened()

    @carry_out.register
    def _(self, command: StartBatch) -> Answer:
        return self._opened(is_requested=True)

    @carry_out.register
    def _(self, command: StopTraining) -> Answer:
        return {"model": self.acts.stop(command.reason, self.services.now())}

    @carry_out.register
    def _(self, command: RetryBatch) -> Answer:
        batch = self.acts.retry(
            self.services.staging, command.batch, command.reason, self.services.now()
        )
        return {"batch": batch.batch, "attempt": batch.attempt}

    @carry_out.register
    def _(self, command: Withdraw) -> Answer:
        if command.batch is None:
            uploads = [self._upload(str(command.uid))]
        else:
            uploads = [*self.acts.uploads_of(self.services.staging, command.batch)]
        done = self.acts.withdraw(uploads, command.reason, self.services.now())
        self._publish(done.notice)
        return {
            "left": list(done.left),
            "kept": list(done.kept),
            "live_trained_on": list(done.live_trained_on),
        }

    @carry_out.register
    def _(self, command: Rebuild) -> Answer:
        add, drop = command.add_labels, command.drop_labels
        self._publish(self.acts.rebuild(command.reason, add, drop, self.services.now()))
        return {}

    @carry_out.register
    def _(self, command: AbandonRebuild) -> Answer:
        self._publish(self.acts.give_up_rebuild(command.reason, self.services.now()))
        return {}

    @carry_out.register
    def _(self, command: FreezeTestSet) -> Answer:
        missing = self.acts.freeze(
            self.services.now(), is_partial_allowed=command.is_partial_allowed
        )
        return {"labels_missing": list(missing), **self._opened()}

    @carry_out.register
    def _(self, command: SplitTestSet) -> Answer:
        services = self.services
        counts = self.acts.split(services.staging, command.fraction, services.now())
        return {"label_counts": dict(counts)}

    @carry_out.register
    def _(self, command: ImportRows) -> Answer:
        staging, now = self.services.staging, self.services.now()
        body = _imported_rows(staging, command)
        uid = self.acts.import_rows(staging, command.kind, command.file, body=body, now=now)
        return {"uid": uid}

    def _publish(self, notice: Notice) -> None:
        self.services.notices.publish(self.acts.name, notice)

    def _opened(self, *, is_requested: bool = False) -> Answer:
        """Open the next batch where it may be; say what it lacks otherwise."""
        batch, ready = self.services.workflow.open_when_ready(
            self.known, self.services.now(), is_requested=is_requested
        )
        return {
            "batch": batch and batch.batch,
            "rejudges": batch and batch.rejudges,
            "next_batch_lacks": list(ready.lacks),
        }

    def _upload(self, uid: str) -> UploadRow:
        upload = self.services.ledger.uploads.get(uid)
        if upload is None or upload.flywheel != self.acts.name:
            raise ActRefusedError(f"{self.acts.name} has no upload {uid}")
        return upload


def _imported_rows(staging: StagingObjects, command: ImportRows) -> bytes:
    """Return the rows that a command announces, or refuse what they are not."""
    body = bytearray()
    for chunk in staging.chunks(import_key(command.flywheel, command.sha256)):
        body += chunk
        if len(body) > MOST_IMPORTED_BYTES:
            raise ActRefusedError(
                f"{command.file} holds more than {MOST_IMPORTED_BYTES // 2**20} MiB of rows: "
                "import them as several files"
            )
    if hashlib.sha256(body).hexdigest() != command.sha256:
        raise ActRefusedError(f"the rows of {command.file} are others than were announced")
    return bytes(body)
