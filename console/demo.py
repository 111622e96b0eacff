"""The demonstration: acts, each told as it happens.

Decides the order of the story and what is told of it. What is promoted is for the policy alone to
say. Everything runs in a local environment of its own, which is gone at the end.
Read next: `console.demo_data` (the files) and `console.demo_view` (how it looks).
"""

import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.configuration import KnownFlywheel
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from console.demo_data import DemoData, own_data, sample_data
from console.demo_environment import write_environment
from console.demo_few import FewDocuments, few_flywheel
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
from flywheel.notices import shown
from flywheel.shapes import Shape
from flywheel.uploads import DatasetKind, UploadState
from local.environment import LocalSettings

Ending = tuple[BatchRow | None, StoredVerdict | None]
"""How an act ended: the batch and its verdict, where there are any."""

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
    flywheel : str
    train : tuple of Files
        What is uploaded, each when the one before has been judged; the last one is the act.
    test : Files
        What is uploaded before.
    """

    title: str
    words: str
    flywheel: str
    train: tuple[Files, ...] = ()
    test: Files = ()

    @property
    def takes_back(self) -> bool:
        """Whether nothing is uploaded, but the last batch is taken back."""
        return not (self.train or self.test)


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
    words, name = _WORDS[data.shape.task], data.flywheel
    told = [
        Act(
            "A first model",
            f"A test set of {len(data.test):,} documents, which judges every model, and a first "
            f"training file of {len(data.first):,}. There is no active model yet.",
            name,
            (upload_files("first", data.first, data.shape),),
            upload_files("test", data.test, data.shape),
        ),
        Act(
            "More data",
            f"{len(data.more):,} more labeled documents. A challenger is trained on everything "
            "so far and goes live only if it is better than the champion.",
            name,
            (upload_files("more", data.more, data.shape),),
        ),
        Act(
            "Mislabeled data",
            f"{len(data.mislabeled):,} documents, each {words.mislabeled}. The file looks fine; "
            "only a trained model can show that it does harm.",
            name,
            (upload_files("mislabeled", data.mislabeled, data.shape),),
        ),
        Act(
            "Taking it back",
            "The mislabeled rows are in the flywheel, and Comprehend deletes no dataset. They are "
            "withdrawn, and the flywheel is rebuilt: its next generation holds all other rows, in "
            "one dataset. The champion stays live meanwhile and judges what is trained.",
            name,
        ),
        *([] if data.few is None else _few_acts(data.few, few_flywheel(name))),
        Act(
            "A broken file",
            f"{words.broken}. It is refused on arrival, and no training is paid for.",
            name,
            (data.broken,),
        ),
    ]
    return [replace(act, title=f"{number}. {act.title}") for number, act in enumerate(told, 1)]


def _few_acts(few: FewDocuments, flywheel: str) -> Iterator[Act]:
    knows = few.first_of_scarce or "no"
    yield Act(
        "Few test documents",
        f"Another flywheel, whose test set has {len(few.test)} documents and whose policy asks for "
        f"a gain in accuracy. Its first model is shown {knows} {shown(few.scarce, 40)!r}; the next "
        f"file is {len(few.more)} of them. That helps, but do so few documents prove it?",
        flywheel,
        (
            upload_files("first", few.first, _SERVICES_OWN),
            upload_files("more", few.more, _SERVICES_OWN),
        ),
        upload_files("test", few.test, _SERVICES_OWN),
    )
    if few.later_test:
        yield Act(
            "More test documents",
            f"{len(few.later_test):,} more test documents come for the model that was held, and "
            "the test set is frozen anew. Both models answer the larger one; nothing is trained.",
            flywheel,
            test=upload_files("later", few.later_test, _SERVICES_OWN),
        )


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
        self.endings: list[tuple[str, *Ending]] = []

    def play(self, act: Act) -> None:
        """Upload an act's files and follow them to their end."""
        tell_act(self._terminal, act.title, act.words)
        self._known = self._target.flywheel(act.flywheel)
        progress = Progress(self._terminal)
        wait = patience(self._target, _LONGEST_MINUTES)
        if act.takes_back:
            self.endings.append((act.title, *self._take_back(progress, wait)))
            return
        if act.test:
            # Both must be in one batch: the training file alone would open it.
            self._upload(progress, DatasetKind.TEST, act.test, wait)
        if not act.train:
            self.endings.append((act.title, *self._judge_again(progress, wait)))
            return
        ending: Ending = None, None
        for files in act.train:
            state = self._upload(progress, DatasetKind.TRAIN, files, wait)
            if state is UploadState.REFUSED:
                self._await_letter(progress, "uploads-")
            else:
                ending = self._follow(progress, wait, is_last=files == act.train[-1])
        self.endings.append((act.title, *ending))

    def document(self, elapsed_seconds: float) -> dict[str, Any]:
        """Return what happened as a JSON document."""
        comprehend = self._target.comprehend(self._target.flywheel(self._data.flywheel))
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
            upload = put(self._target, self._known.settings.name, kind, name, body)
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

    def _take_back(self, progress: Progress, wait: Patience) -> Ending:
        """Withdraw the last batch, rebuild the flywheel and follow the new generation's batch."""
        acts = self._target.acts(self._known, "demo")
        notices, name = self._target.notices(acts.ledger), self._known.settings.name
        uploads = acts.uploads_of(self._target.staging(), self._batches[-1])
        done = acts.withdraw(uploads, "every label is wrong", self._target.now())
        notices.publish(name, done.notice)
        progress.say("WITHDRAWN", f"batch {self._batches[-1]}; {name} is TAINTED", "yellow")
        asked = acts.rebuild("without the mislabeled rows", (), (), self._target.now())
        notices.publish(name, asked)
        progress.wait(switched(self._target, self._known, wait))
        row = acts.ledger.flywheels.ensure(name, self._known.arn)
        progress.say("REBUILT", f"generation {row.generation}, not tainted", "green")
        return self._follow_batch(row.open_batch or row.last_batch, progress, wait, is_last=True)

    def _judge_again(self, progress: Progress, wait: Patience) -> Ending:
        """Freeze the test set with its new rows, and follow the held models to their verdict."""
        acts = self._target.acts(self._known, "demo")
        acts.freeze(self._target.now())
        batch, ready = acts.workflow.open_when_ready(self._known, self._target.now())
        if batch is None:
            raise CommandError(
                ExitCode.HELD, acts.name, "; ".join(ready.lacks), "See flywheel status"
            )
        progress.say("FROZEN", f"batch {batch.rejudges} is judged again, by batch {batch.batch}")
        return self._follow_batch(batch.batch, progress, wait, is_last=True)

    def _follow(self, progress: Progress, wait: Patience, *, is_last: bool) -> Ending:
        upload = self._uploads[-1]
        number = progress.wait(
            self._with_letters(batch_of(self._target, self._known, upload.uid, wait))
        )
        if isinstance(number, Readiness):
            raise CommandError(
                ExitCode.HELD, upload.key, "; ".join(number.lacks), "Give more documents"
            )
        sealed = self._target.ledger().batches.get(self._known.settings.name, number)
        progress.tell(Phase("SEALED", f"batch {number}: {sealed.documents:,} documents"))
        return self._follow_batch(number, progress, wait, is_last=is_last)

    def _follow_batch(
        self, number: int, progress: Progress, wait: Patience, *, is_last: bool
    ) -> Ending:
        """Follow a batch to its end, which is told in full where it is its act's last."""
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
        stored = self._target.ledger().verdicts.get(batch)
        if stored is not None:
            progress.say("VERDICT", stored.verdict.decision.value, "bold")
        if is_last:
            tell_outcome(self._terminal, batch, stored)
        ending = "failed" if stored is None else "verdict"
        self._await_letter(
            progress, f"{batch.flywheel}-batch-{number}-{ending}", is_routine=not is_last
        )
        return batch, stored

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

    def _await_letter(
        self, progress: Progress, notice_id: str, *, is_routine: bool = False
    ) -> None:
        wait = patience(self._target, _LETTER_MINUTES)
        progress.wait(self._letter(notice_id, wait))
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
                tell_letter(self._terminal, letter, is_routine=is_routine or is_known)
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
        batch = ledger.batches.get(self._known.settings.name, number)
        if batch.iteration_id is None:
            return None
        iteration = self._target.comprehend(self._known).iteration(batch.iteration_id)
        return {
            "flywheel": batch.flywheel,
            "id": iteration.id,
            "status": iteration.status,
            "evaluated_model": iteration.evaluated_model,
            "evaluated_metrics": iteration.evaluated_metrics,
            "trained_model": iteration.trained_model,
            "trained_metrics": iteration.trained_metrics,
            **verdict_document(ledger.verdicts.get(batch)),
        }


@contextmanager
def _environments(data: DemoData) -> Generator[LocalSettings, None, None]:
    """Give the settings of the environment, whose flywheels need a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="flywheel-demo-") as name:
        folder = Path(name)
        write_environment(folder, data)
        yield LocalSettings(environments_folder=folder)
