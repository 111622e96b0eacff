"""The acts of the demonstration: what each uploads, in which order, and when it is omitted.

Decides what the data can show. Must not know how an act is played.
Read next: `console.demo.story` (the story) and `console.demo.data` (the files).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from console.demo.data import DemoData
from console.demo.few_documents import FewDocuments, few_flywheel
from console.demo.tasks import Files, upload_files
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.verdict import can_be_judged_again
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.data_format import SERVICES_OWN
from flywheel.settings.policy import Policy

_TRAINED = frozenset({BatchOutcome.PROMOTED, BatchOutcome.REJECTED, BatchOutcome.HELD})


@dataclass(frozen=True, slots=True)
class DemoAct:
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
        """Whether nothing is uploaded and the last batch is withdrawn."""
        return not (self.train or self.test)

    @property
    def judges_again(self) -> bool:
        """Whether test documents alone are uploaded, for the last batch's models."""
        return bool(self.test) and not self.train


@dataclass(frozen=True, slots=True)
class ActEnding:
    """The end of an act.

    Parameters
    ----------
    title : str
    batch : BatchRow or None
        Its last batch; None where its file was refused or the act was left out.
    stored : StoredVerdict or None
    left_out : str or None
        Why nothing, or not everything, could be shown.
    """

    title: str
    batch: BatchRow | None = None
    stored: StoredVerdict | None = None
    left_out: str | None = None


def why_left_out(
    act: DemoAct, last: ActEnding | None, row: FlywheelRow, policy: Policy
) -> str | None:
    """Return why an act cannot be shown after what came before it, or None.

    Parameters
    ----------
    act : DemoAct
    last : ActEnding or None
        Of the act before.
    row : FlywheelRow
        The act's flywheel.
    policy : Policy
        Of the act's flywheel.
    """
    if row.pause is not None:
        return f"{row.name} is paused: {row.pause.reason}"
    batch = last.batch if last is not None else None
    if act.takes_back and (batch is None or batch.outcome not in _TRAINED):
        return "no row of the act before is in the flywheel"
    if act.judges_again:
        stored = last.stored if last is not None else None
        if batch is None or stored is None:
            return "the act before has no verdict"
        if batch.outcome is not BatchOutcome.HELD:
            return f"the model was {batch.outcome}, and more test documents decide on a held one"
        if not can_be_judged_again(stored.verdict, policy):
            return "more test documents do not end this HOLD"
    return None


def acts(data: DemoData) -> list[DemoAct]:
    """Return the story's parts."""
    words, name, parts = _WORDS[data.shape.task], data.flywheel, data.parts
    played = [
        DemoAct(
            "A first model",
            f"A test set of {len(parts.test):,} documents, which judges every model, and a first "
            f"training file of {len(parts.first):,}. There is no active model yet.",
            name,
            (upload_files("first", parts.first, data.shape),),
            upload_files("test", parts.test, data.shape),
        ),
        DemoAct(
            "More data",
            f"{len(parts.more):,} more labeled documents. A challenger is trained on everything "
            "so far and goes live only if it is better than the champion.",
            name,
            (upload_files("more", parts.more, data.shape),),
        ),
        DemoAct(
            "Mislabeled data",
            f"{len(parts.mislabeled):,} documents, each {words.mislabeled}. The file looks fine; "
            "only a trained model can show that it does harm.",
            name,
            (upload_files("mislabeled", parts.mislabeled, data.shape),),
        ),
        DemoAct(
            "Taking it back",
            "The mislabeled rows are in the flywheel, and Comprehend deletes no dataset. They are "
            "withdrawn, and the flywheel is rebuilt: its next generation holds all other rows, in "
            "one dataset. The champion stays live meanwhile and judges what is trained.",
            name,
        ),
        *([] if data.few is None else _few_acts(data.few, few_flywheel(name))),
        DemoAct(
            "A broken file",
            f"{words.broken}. It is refused on arrival, and no training is paid for.",
            name,
            (data.broken,),
        ),
    ]
    return [replace(act, title=f"{number}. {act.title}") for number, act in enumerate(played, 1)]


def _few_acts(few: FewDocuments, flywheel: str) -> Iterator[DemoAct]:
    knows = few.first_of_scarce or "no"
    yield DemoAct(
        "Few test documents",
        f"Another flywheel, whose test set has {number_of(len(few.test), 'document')} and whose "
        f"policy asks for a gain in accuracy. Its first model is shown {knows} "
        f"{shown(few.scarce, 40)!r}; the next file is {len(few.more)} of them. Does that help, and "
        "do so few documents prove it?",
        flywheel,
        (
            upload_files("first", few.first, SERVICES_OWN),
            upload_files("more", few.more, SERVICES_OWN),
        ),
        upload_files("test", few.test, SERVICES_OWN),
    )
    if few.later_test:
        more_test = number_of(
            len(few.later_test), "more test document comes", "more test documents come"
        )
        yield DemoAct(
            "More test documents",
            f"{more_test} for the model that was held, and the test set is frozen again. Both "
            "models answer the larger one; nothing is trained.",
            flywheel,
            test=upload_files("later", few.later_test, SERVICES_OWN),
        )


@dataclass(frozen=True, slots=True)
class _Words:
    """The descriptions of a task's files."""

    mislabeled: str
    broken: str


_WORDS = {
    "classification": _Words(
        "with a wrong label", "A header, an empty text, an unknown label, a comma too many"
    ),
    "entities": _Words(
        "annotated in the wrong places",
        "Annotations that overlap, that end after the text, that have an unknown type",
    ),
}
