"""The demonstration: acts, each shown as it happens.

Plays the acts in their order and follows each to its end; the policy alone decides what is
promoted. Everything runs in a local environment of its own, gone at the end. Read next:
`console.demo.acts` (the acts) and `console.demo.view` (how it looks).
"""

import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from application.commands.payloads import FreezeTestSet, Rebuild, Withdraw
from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.demo.acts import ActEnding, DemoAct, acts, why_left_out
from console.demo.data import DemoData, own_data, sample_data
from console.demo.environment import write_environment
from console.demo.tasks import Files
from console.demo.view import show_act, show_data, show_end, show_left_out, show_letter
from console.environment.local_environment import Mailbox, started_environment
from console.environment.target import Target, local_target
from console.errors import CommandError, ExitCode
from console.flywheels.following import (
    Patience,
    batch_of,
    closed,
    next_batch,
    patience,
    registered,
    switched,
)
from console.flywheels.operating import FlywheelClient, Upload, put
from console.progress import Awaited, Phase, Progress
from console.record.history import verdict_json
from console.terminal import Terminal
from console.views.verdict import show_outcome
from flywheel.batches.batches import BatchOutcome, BatchState, Readiness
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.number_words import number_of
from flywheel.settings.data_format import SERVICES_OWN, DataFormat
from local_cloud.environment import LocalSettings

_LONGEST_MINUTES = 30.0
_LETTER_MINUTES = 1.0


def run(
    terminal: Terminal, folder: Path | None, shape: DataFormat = SERVICES_OWN
) -> dict[str, Any]:
    """Play the whole story and return it as a JSON document.

    Parameters
    ----------
    folder : Path or None
        A user's own data; None takes the sample tickets.
    shape : DataFormat
        Of a user's rows.

    Raises
    ------
    DemoDataError, RefusedFileError
        The data cannot be used; whoever chose it can change it.
    """
    began = time.monotonic()
    data = sample_data() if folder is None else own_data(folder, shape)
    show_data(terminal, data)
    with _environments(data) as settings, started_environment(settings, terminal) as environment:
        story = Story(terminal, local_target(environment.variables), data)
        for act in acts(data):
            story.play(act)
        document = story.document(time.monotonic() - began)
        show_end(terminal, document, story.endings, is_own=data.is_own)
    return document


class Story:
    """Plays the acts in one environment and keeps their results.

    Parameters
    ----------
    terminal : Terminal
    target : Target
    data : DemoData
    """

    def __init__(self, terminal: Terminal, target: Target, data: DemoData) -> None:
        self._terminal, self._target, self._data = terminal, target, data
        self._client = FlywheelClient(target, target.flywheel(data.flywheel))
        self._progress, self._patience = Progress(terminal), patience(target, _LONGEST_MINUTES)
        self._mailbox = Mailbox(target)
        self._uploads: list[Upload] = []
        self._batches: list[int] = []
        # As they end: a later generation's flywheel does not know them.
        self._iterations: list[dict[str, Any] | None] = []
        self._shown: set[str] = set()
        self.endings: list[ActEnding] = []

    def play(self, act: DemoAct) -> None:
        """Play an act and remember its ending; leave out what cannot be shown, and say why."""
        show_act(self._terminal, act.title, act.words)
        self._client = FlywheelClient(self._target, self._target.flywheel(act.flywheel))
        self._progress = Progress(self._terminal)
        self._patience = patience(self._target, _LONGEST_MINUTES)
        last = self.endings[-1] if self.endings else None
        left_out = why_left_out(act, last, self._client.row, self._client.known.settings.policy)
        ending = ActEnding(act.title, left_out=left_out)
        if left_out is None:
            ending = self._ending_of(act, last)
        if ending.left_out is not None:
            show_left_out(self._terminal, ending.left_out)
        self.endings.append(ending)

    def _ending_of(self, act: DemoAct, last: ActEnding | None) -> ActEnding:
        if act.takes_back and last is not None and last.batch is not None:
            return self._take_back(act, last.batch.batch)
        if act.test:
            # Both must be in one batch: the training file alone would open it.
            self._upload(DatasetKind.TEST, act.test)
        if act.judges_again:
            return self._judge_again(act)
        ending = ActEnding(act.title)
        for files in act.train:
            state = self._upload(DatasetKind.TRAIN, files)
            if state is UploadState.REFUSED:
                self._await_letter("uploads-")
            else:
                ending = self._follow(act, is_last=files == act.train[-1])
        return ending

    def document(self, elapsed_seconds: float) -> dict[str, Any]:
        """Return what happened as a JSON document."""
        comprehend = self._target.comprehend(self._target.flywheel(self._data.flywheel))
        return {
            "flywheel": self._data.flywheel,
            "active_model": comprehend.describe().active_model,
            "elapsed_seconds": round(elapsed_seconds, 1),
            "acts": [
                {
                    "title": ending.title,
                    "batch": ending.batch.batch if ending.batch else None,
                    "outcome": ending.batch.outcome if ending.batch else None,
                    "left_out": ending.left_out,
                }
                for ending in self.endings
            ],
            "uploads": [self._upload_document(upload) for upload in self._uploads],
            "iterations": [each for each in self._iterations if each is not None],
            "notices": [
                {"subject": letter.subject, "body": letter.body} for letter in self._mailbox.letters
            ],
        }

    def _upload(self, kind: DatasetKind, files: Files) -> UploadState:
        """Upload what belongs together, wait until it is registered, and show its state."""
        for name, body in files:
            upload = put(self._target, self._client.name, kind, name, body)
            self._uploads.append(upload)
            self._progress.print("UPLOADED", f"{upload.key} ({len(body):,} bytes)")
        uid, is_pair = self._uploads[-1].uid, len(files) > 1
        row = self._progress.wait(
            registered(self._target, uid, self._patience, has_other_half=is_pair)
        )
        if row.state is UploadState.REFUSED:
            self._progress.print(
                "REFUSED", f"{number_of(len(row.reasons), 'reason')}, in the notice", "red"
            )
        else:
            left_out = f", {number_of(row.left_out, 'row')} left out" if row.left_out else ""
            self._progress.print(
                "STAGED",
                f"{number_of(row.documents, 'document is good', 'documents are good')}{left_out}",
            )
        return row.state

    def _take_back(self, act: DemoAct, number: int) -> ActEnding:
        """Withdraw a batch, rebuild the flywheel and follow the new generation's batch."""
        client, name = self._client, self._client.name
        reason = "every label is wrong"
        client.operate(Withdraw(flywheel=name, batch=number, reason=reason))
        self._progress.print("WITHDRAWN", f"batch {number}; {name} is TAINTED", "yellow")
        client.operate(Rebuild(flywheel=name, reason="without the mislabeled rows"))
        self._progress.wait(switched(client, self._patience))
        row = client.row
        self._progress.print("REBUILT", f"generation {row.generation}, not tainted", "green")
        first = row.open_batch or row.last_batch
        if first <= number:
            return self._lacking(act, next_batch(self._client, self._client.row))
        return self._follow_batch(act, first)

    def _judge_again(self, act: DemoAct) -> ActEnding:
        """Freeze the test set with its new rows, and follow the held models to their verdict."""
        done = self._client.operate(FreezeTestSet(flywheel=self._client.name))
        number = done["batch"]
        if number is None:
            return self._lacking(act, Readiness(False, tuple(done["next_batch_lacks"])))
        self._progress.print(
            "FROZEN", f"batch {done['rejudges']} is judged again, by batch {number}"
        )
        return self._follow_batch(act, number)

    def _follow(self, act: DemoAct, *, is_last: bool) -> ActEnding:
        """Follow the last upload to its batch and to the end of that."""
        upload = self._uploads[-1]
        number = self._progress.wait(
            self._with_letters(batch_of(self._client, upload.uid, self._patience))
        )
        if isinstance(number, Readiness):
            return self._lacking(act, number)
        sealed = self._target.ledger().batches.get(self._client.name, number)
        self._progress.show(
            Phase("SEALED", f"batch {number}: {number_of(sealed.documents, 'document')}")
        )
        return self._follow_batch(act, number, is_last=is_last)

    def _lacking(self, act: DemoAct, ready: Readiness) -> ActEnding:
        """Return the ending of an act whose rows do not make a batch."""
        return ActEnding(act.title, left_out=f"no batch opens: {'; '.join(ready.lacks)}")

    def _follow_batch(self, act: DemoAct, number: int, *, is_last: bool = True) -> ActEnding:
        """Follow a batch to its end, which is shown in full where it is its act's last."""
        batch = self._progress.wait(
            self._with_letters(closed(self._client, number, self._patience))
        )
        if batch.state is not BatchState.CLOSED:
            raise CommandError(
                ExitCode.HELD,
                f"batch {number}",
                "the policy asks a person, and the demonstration waits for nobody",
                'Set approve_first = 0 and mode = "auto" under [policy] in its environment\'s file',
            )
        self._batches.append(number)
        self._iterations.append(self._iteration_document(number))
        stored = self._target.ledger().verdicts.get(batch)
        if stored is not None:
            self._progress.print("VERDICT", stored.verdict.decision.value, "bold")
        if is_last:
            show_outcome(self._terminal, batch, stored)
        self._await_letter(_notice_id(batch, stored), is_routine=not is_last)
        return ActEnding(act.title, batch, stored)

    def _with_letters(
        self, phases: Generator[Phase, None, Awaited]
    ) -> Generator[Phase, None, Awaited]:
        """Pass phases on and show letters as they come in between."""
        while True:
            try:
                phase = next(phases)
            except StopIteration as end:
                awaited: Awaited = end.value
                return awaited
            yield phase
            self._mailbox.collect()
            self._show("-started")

    def _await_letter(self, notice_id: str, *, is_routine: bool = False) -> None:
        wait = patience(self._target, _LETTER_MINUTES)
        self._progress.wait(self._letter(notice_id, wait))
        self._show(is_routine=is_routine)

    def _letter(self, notice_id: str, wait: Patience) -> Generator[Phase, None, None]:
        while not self._mailbox.has(lambda letter: letter.id.startswith(notice_id)):
            yield Phase("NOTICE", "the notice is on its way")
            self._mailbox.collect()
            wait.pause("notice")

    def _show(self, ending: str = "", *, is_routine: bool = False) -> None:
        """Show the letters that have come and were not shown, those with such ids alone."""
        for letter in self._mailbox.letters:
            if letter.id.endswith(ending) and letter.id not in self._shown:
                is_known = letter.id.endswith("-started") and bool(self._batches)
                show_letter(self._terminal, letter, is_routine=is_routine or is_known)
                self._shown.add(letter.id)

    def _upload_document(self, upload: Upload) -> dict[str, Any]:
        row = self._target.ledger().uploads.get(upload.uid)
        return {
            "key": upload.key,
            "state": row.state.value if row else None,
            "reasons": list(row.reasons) if row else [],
        }

    def _iteration_document(self, number: int) -> dict[str, Any] | None:
        ledger = self._target.ledger()
        batch = ledger.batches.get(self._client.name, number)
        if batch.iteration_id is None:
            return None
        iteration = self._target.comprehend(self._client.known).iteration(batch.iteration_id)
        return {
            "flywheel": batch.flywheel,
            "id": iteration.id,
            "status": iteration.status,
            "evaluated_model": iteration.evaluated_model,
            "evaluated_metrics": iteration.evaluated_metrics,
            "trained_model": iteration.trained_model,
            "trained_metrics": iteration.trained_metrics,
            **verdict_json(ledger.verdicts.get(batch)),
        }


def _notice_id(batch: BatchRow, stored: StoredVerdict | None) -> str:
    """Return how the id of the notice on a closed batch begins."""
    if batch.outcome is BatchOutcome.EMPTY:
        ending = "empty"
    else:
        ending = "failed" if stored is None else "verdict"
    return f"{batch.flywheel}-batch-{batch.batch}-{ending}"


@contextmanager
def _environments(data: DemoData) -> Generator[LocalSettings, None, None]:
    """Yield the settings of the environment, whose flywheels need a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="flywheel-demo-") as name:
        folder = Path(name)
        write_environment(folder, data)
        yield LocalSettings(environments_folder=folder)
