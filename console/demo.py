"""The demonstration: five acts, each told as it happens.

Decides the order of the story and what is told of it. What is promoted is for the policy alone to
say. Everything runs in a local environment of its own, which is gone at the end.
Read next: `console.demo_data` (the files) and `console.demo_view` (how it looks).
"""

import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.configuration import KnownFlywheel
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from console.demo_data import DemoData, own_data, sample_data
from console.demo_environment import write_environment
from console.demo_tasks import Files, upload_files
from console.demo_view import tell_act, tell_data, tell_end, tell_letter
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.following import Patience, Phase, batch_of, closed, patience, registered, switched
from console.local_environment import started_environment
from console.mailbox import Mailbox
from console.progress import Found, Progress
from console.target import Target, local_target
from console.terminal import Terminal
from console.uploading import Upload, put
from console.verdict_view import tell_outcome, verdict_document
from flywheel.batches import BatchState, Readiness
from flywheel.shapes import Shape
from flywheel.uploads import DatasetKind, UploadState
from local.environment import LocalSettings

_LONGEST_MINUTES = 30.0
_LETTER_MINUTES = 1.0
_SERVICES_OWN = Shape()


@dataclass(frozen=True, slots=True)
class Act:
    """One part of the story.

    Parameters
    ----------
    title, words : str
        What is about to be shown.
    train, test : Files
        What is uploaded.
    """

    title: str
    words: str
    train: Files = ()
    test: Files = ()

    @property
    def takes_back(self) -> bool:
        """Whether nothing is uploaded, but the last batch is taken back."""
        return not self.train


def run(terminal: Terminal, folder: Path | None, shape: Shape = _SERVICES_OWN) -> dict[str, Any]:
    """Tell the whole story and return it as a JSON document.

    Parameters
    ----------
    folder : Path or None
        A user's own data; None takes the sample tickets.
    shape : Shape
        Of a user's rows.

    Raises
    ------
    DemoDataError, RefusedFileError
        The data cannot be used; whoever chose it can change it.
    """
    began = time.monotonic()
    data = sample_data() if folder is None else own_data(folder, shape)
    tell_data(terminal, data)
    with _environments(data) as settings, started_environment(settings, terminal) as environment:
        story = Story(terminal, local_target(environment.variables), data)
        for act in acts(data):
            story.play(act)
        document = story.document(time.monotonic() - began)
        tell_end(terminal, document, story.endings)
    return document


def acts(data: DemoData) -> list[Act]:
    """Return the story's parts."""
    words = _WORDS[data.shape.task]
    return [
        Act(
            "1. A first model",
            f"A test set of {len(data.test):,} documents, which judges every model, and a first "
            f"training file of {len(data.first):,}. There is no active model yet.",
            upload_files("first", data.first, data.shape),
            upload_files("test", data.test, data.shape),
        ),
        Act(
            "2. More data",
            f"{len(data.more):,} more labeled documents. A challenger is trained on everything "
            "so far and goes live only if it is better than the champion.",
            upload_files("more", data.more, data.shape),
        ),
        Act(
            "3. Mislabeled data",
            f"{len(data.mislabeled):,} documents, each {words.mislabeled}. The file looks fine; "
            "only a trained model can show that it does harm.",
            upload_files("mislabeled", data.mislabeled, data.shape),
        ),
        Act(
            "4. Taking it back",
            "The mislabeled rows are in the flywheel, and Comprehend deletes no dataset. They are "
            "withdrawn, and the flywheel is rebuilt: its next generation holds all other rows, in "
            "one dataset. The champion stays live meanwhile and judges what is trained.",
        ),
        Act(
            "5. A broken file",
            f"{words.broken}. It is refused on arrival, and no training is paid for.",
            data.broken,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Words:
    """What is told of a task's files."""

    mislabeled: str
    broken: str


_WORDS = {
    "classification": _Words(
        "with a wrong label", "A header, an empty text, an unknown label, a comma too many"
    ),
    "entities": _Words(
        "annotated in the wrong places",
        "Annotations that overlap, that end behind the text, that have an unknown type",
    ),
}


class Story:
    """Plays the acts in one environment and remembers what came of them.

    Parameters
    ----------
    terminal : Terminal
    target : Target
    data : DemoData
    """

    def __init__(self, terminal: Terminal, target: Target, data: DemoData) -> None:
        self._terminal, self._target, self._data = terminal, target, data
        self._known: KnownFlywheel = target.flywheel(data.flywheel)
        self._mailbox = Mailbox(target)
        self._uploads: list[Upload] = []
        self._batches: list[int] = []
        # As they end: a later generation's flywheel does not know them.
        self._iterations: list[dict[str, Any] | None] = []
        self._shown: set[str] = set()
        self.endings: list[tuple[str, BatchRow | None, StoredVerdict | None]] = []

    def play(self, act: Act) -> None:
        """Upload an act's files and follow them to their end."""
        tell_act(self._terminal, act.title, act.words)
        progress = Progress(self._terminal)
        wait = patience(self._target, _LONGEST_MINUTES)
        if act.takes_back:
            self._take_back(act, progress, wait)
            return
        if act.test:
            # Both must be in one batch: the training file alone would open it.
            self._upload(progress, DatasetKind.TEST, act.test, wait)
        state = self._upload(progress, DatasetKind.TRAIN, act.train, wait)
        if state is not UploadState.REFUSED:
            self._follow(act, progress, wait)
            return
        self._await_letter(progress, "uploads-")
        self.endings.append((act.title, None, None))

    def document(self, elapsed_seconds: float) -> dict[str, Any]:
        """Return what happened as a JSON document."""
        comprehend = self._target.comprehend(self._known)
        return {
            "flywheel": self._data.flywheel,
            "active_model": comprehend.describe().active_model,
            "elapsed_seconds": round(elapsed_seconds, 1),
            "uploads": [self._upload_document(upload) for upload in self._uploads],
            "iterations": [found for found in self._iterations if found is not None],
            "notices": [
                {"subject": letter.subject, "body": letter.body} for letter in self._mailbox.letters
            ],
        }

    def _upload(
        self, progress: Progress, kind: DatasetKind, files: Files, wait: Patience
    ) -> UploadState:
        """Upload what belongs together, wait until it was taken up, tell what was said of it."""
        for name, body in files:
            upload = put(self._target, self._data.flywheel, kind, name, body)
            self._uploads.append(upload)
            progress.say("UPLOADED", f"{upload.key} ({len(body):,} bytes)")
        row = progress.wait(
            registered(self._target, self._uploads[-1].uid, wait, has_other_half=len(files) > 1)
        )
        if row.state is UploadState.REFUSED:
            progress.say("REFUSED", f"{len(row.reasons)} reasons; they are in the notice", "red")
        else:
            left_out = f", {row.left_out} rows left out" if row.left_out else ""
            progress.say("STAGED", f"{row.documents:,} documents are good{left_out}")
        return row.state

    def _take_back(self, act: Act, progress: Progress, wait: Patience) -> None:
        """Withdraw the last batch, rebuild the flywheel and follow the new generation's batch."""
        acts = self._target.acts(self._known, "demo")
        notices, name = self._target.notices(acts.ledger), self._data.flywheel
        uploads = acts.uploads_of(self._target.staging(), self._batches[-1])
        done = acts.withdraw(uploads, "every label is wrong", self._target.now())
        notices.publish(name, done.notice)
        progress.say("WITHDRAWN", f"batch {self._batches[-1]}; {name} is TAINTED", "yellow")
        asked = acts.rebuild("without the mislabeled rows", (), (), self._target.now())
        notices.publish(name, asked)
        progress.wait(switched(self._target, self._known, wait))
        row = acts.ledger.flywheels.ensure(name, self._known.arn)
        progress.say("REBUILT", f"generation {row.generation}, not tainted", "green")
        self._follow_batch(act, row.open_batch or row.last_batch, progress, wait)

    def _follow(self, act: Act, progress: Progress, wait: Patience) -> None:
        upload = self._uploads[-1]
        number = progress.wait(
            self._with_letters(batch_of(self._target, self._known, upload.uid, wait))
        )
        if isinstance(number, Readiness):
            raise CommandError(
                ExitCode.HELD, upload.key, "; ".join(number.lacks), "Give more documents"
            )
        sealed = self._target.ledger().batches.get(self._data.flywheel, number)
        progress.tell(Phase("SEALED", f"batch {number}: {sealed.documents:,} documents"))
        self._follow_batch(act, number, progress, wait)

    def _follow_batch(self, act: Act, number: int, progress: Progress, wait: Patience) -> None:
        batch = progress.wait(self._with_letters(closed(self._target, self._known, number, wait)))
        if batch.state is not BatchState.CLOSED:
            raise CommandError(
                ExitCode.HELD,
                f"batch {number}",
                "the policy asks a person, and the demonstration waits for nobody",
                'Set approve_first = 0 and mode = "auto" under [policy] in its environment\'s file',
            )
        self._batches.append(number)
        self._iterations.append(self._iteration_document(number))
        stored = self._target.ledger().batches.verdict(batch)
        if stored is not None:
            progress.say("VERDICT", stored.verdict.decision.value, "bold")
        tell_outcome(self._terminal, batch, stored)
        ending = "failed" if stored is None else "verdict"
        self._await_letter(progress, f"{batch.flywheel}-batch-{number}-{ending}")
        self.endings.append((act.title, batch, stored))

    def _with_letters(self, phases: Generator[Phase, None, Found]) -> Generator[Phase, None, Found]:
        """Pass phases on and show letters as they come in between."""
        while True:
            try:
                phase = next(phases)
            except StopIteration as end:
                found: Found = end.value
                return found
            yield phase
            self._mailbox.collect()
            self._show("-started")

    def _await_letter(self, progress: Progress, notice_id: str) -> None:
        wait = patience(self._target, _LETTER_MINUTES)
        progress.wait(self._letter(notice_id, wait))
        self._show()

    def _letter(self, notice_id: str, wait: Patience) -> Generator[Phase, None, None]:
        while not self._mailbox.has(lambda letter: letter.id.startswith(notice_id)):
            yield Phase("NOTICE", "the notice is on its way")
            self._mailbox.collect()
            wait.pause("notice")

    def _show(self, ending: str = "") -> None:
        """Show the letters that have come and were not shown, those with such ids alone."""
        for letter in self._mailbox.letters:
            if letter.id.endswith(ending) and letter.id not in self._shown:
                is_routine = letter.id.endswith("-started") and bool(self._batches)
                tell_letter(self._terminal, letter, is_routine=is_routine)
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
        batch = ledger.batches.get(self._data.flywheel, number)
        if batch.iteration_id is None:
            return None
        iteration = self._target.comprehend(self._known).iteration(batch.iteration_id)
        return {
            "id": iteration.id,
            "status": iteration.status,
            "evaluated_model": iteration.evaluated_model,
            "evaluated_metrics": iteration.evaluated_metrics,
            "trained_model": iteration.trained_model,
            "trained_metrics": iteration.trained_metrics,
            **verdict_document(ledger.batches.verdict(batch)),
        }


@contextmanager
def _environments(data: DemoData) -> Generator[LocalSettings, None, None]:
    """Give the settings of the environment; a user's own labels need a folder of their own."""
    if not data.is_own:
        yield LocalSettings()
        return
    with tempfile.TemporaryDirectory(prefix="flywheel-demo-") as name:
        folder = Path(name)
        write_environment(folder, data.flywheel, data.labels, data.shape)
        yield LocalSettings(environments_folder=folder)
