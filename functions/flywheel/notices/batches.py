"""Notices of a batch: started, empty, failed.

Decides the words only. The order of a body never changes: what is live now, why, what you must do,
the table, one command, ids. Read next: `flywheel.notices.verdicts`, `flywheel.notices.notice` (how
text from data is shown).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flywheel.notices.notice import Notice, body, file_name, shown, subject
from flywheel.number_words import number_of

_TRAINING_USD_PER_HOUR = 3.0
"""*Source*: Amazon Comprehend pricing, custom model training."""

_LABELS_SHOWN = 20
_FILES_NAMED = 5
LEFT_OUT: Mapping[str, tuple[str, str]] = {
    "exact duplicates": ("exact duplicate", "exact duplicates"),
    "rows that the flywheel holds already": (
        "row that the flywheel holds already",
        "rows that the flywheel holds already",
    ),
    "same text with another label": (
        "row whose text has another label elsewhere",
        "rows whose texts have other labels elsewhere",
    ),
    "rows of the test set": ("row of the test set", "rows of the test set"),
    "rows that are trained on already": (
        "row that is trained on already",
        "rows that are trained on already",
    ),
}
"""The reasons of `flywheel.batches.sealing`, in words for one row and for several."""

_FOLLOWS = "Nothing to do: the verdict follows by itself."
_NO_TEST_SET = (
    "The flywheel has no test set. The service splits one off the training data, and only a first "
    "model can go live. To change this, upload a test set to {flywheel}/test/ in the inbox."
)
_AFTER_FAILURE = (
    "ACTION NEEDED: repair the cause that is named above. The batch keeps its uploads: `flywheel "
    "retry {flywheel} --env {environment}` opens it again. If the rows are the cause, `flywheel "
    "withdraw {flywheel} --batch {batch} --env {environment} --reason TEXT` withdraws them. Then "
    "upload corrected rows, and the next batch starts by itself."
)
_AFTER_EMPTY = (
    "Nothing to do. Rows that the flywheel already holds are never sent twice. No dataset was "
    "used, and nothing was spent."
)
_STILL_RUNNING = (
    " The iteration still runs in Comprehend. When it ends, the flywheel is free and its next "
    "batch may start."
)


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """The facts that every notice about a batch names.

    Parameters
    ----------
    environment, flywheel : str
    batch : int
    flywheel_arn : str
    uploads : sequence of str
        Inbox keys, the first ones of many: those to train on, then those to test with.
    upload_count, test_upload_count : int
        How many there are in all, and how many of them are to test with.
    live_model : str or None
        The active model's ARN at the time of writing.
    iteration_id : str or None
    attempt : int
    taint : sequence of str
        Inbox keys of withdrawn uploads that the flywheel's datasets still hold.
    label_counts, earlier_counts : mapping of str to int
        Documents of each label in this batch, and in the flywheel's batches before it.
    is_rebuilt : bool
        Whether this is the first batch of a new generation, which holds all accepted rows.
    is_return_tainted : bool
        Whether giving that generation up leads back to a flywheel that holds withdrawn rows.
    live_trained_on : sequence of str
        Inbox keys of withdrawn uploads that the live model was trained on.
    """

    environment: str
    flywheel: str
    batch: int
    flywheel_arn: str
    uploads: Sequence[str]
    live_model: str | None
    iteration_id: str | None = None
    upload_count: int = 0
    test_upload_count: int = 0
    attempt: int = 1
    taint: Sequence[str] = ()
    label_counts: Mapping[str, int] = field(default_factory=dict)
    earlier_counts: Mapping[str, int] = field(default_factory=dict)
    is_rebuilt: bool = False
    is_return_tainted: bool = False
    live_trained_on: Sequence[str] = ()

    @property
    def train_upload_count(self) -> int:
        """How many uploads are to train on."""
        return max(self.upload_count, len(self.uploads)) - self.test_upload_count


def started(
    facts: BatchFacts,
    *,
    documents: int,
    test_documents: int = 0,
    label_counts: Mapping[str, int],
    left_out: Mapping[str, int],
    waiting_labels: Sequence[str],
    has_test_set: bool,
    past_seconds: Sequence[float],
) -> Notice:
    """Report that an iteration begins, before any money is spent."""
    why = [
        f"Batch {facts.batch} is sealed: {number_of(documents, 'training document')} from "
        f"{_train_files(facts)}{_tested_with(facts, test_documents)}.",
        f"Documents per label: {_counts(label_counts)}.",
        *_left_out(left_out),
    ]
    why += _waiting(waiting_labels)
    why.append(_cost(past_seconds))
    words, todo = f"STARTED batch {facts.batch}, {number_of(documents, 'document')}", _FOLLOWS
    if not has_test_set:
        words += ", WARNING: no test set"
        todo = _NO_TEST_SET.format(flywheel=facts.flywheel)
    return batch_notice(facts, "started", words, why=why, todo=todo)


def rejudging(
    facts: BatchFacts,
    held: int,
    *,
    documents: int,
    before: int,
    left_out: Mapping[str, int],
) -> Notice:
    """Report that a held challenger is about to be judged again on a larger test set.

    Parameters
    ----------
    held : int
        The batch whose verdict was HOLD.
    documents, before : int
        Test documents that came, and that there were.
    """
    why = [
        f"{number_of(documents, 'new test document')} from {_test_files(facts)}: the test set "
        f"grows from {before:,} to {before + documents:,}.",
        f"Both models of batch {held}, which was held, predict the labels of the test set; nothing "
        "is trained.",
        *_left_out(left_out),
        "Cost on AWS: the two jobs in which they predict, and one of the flywheel's TEST datasets.",
    ]
    words = f"STARTED batch {facts.batch}: batch {held} is judged again"
    return batch_notice(facts, "started", words, why=why, todo=_FOLLOWS)


def empty(
    facts: BatchFacts,
    left_out: Mapping[str, int],
    waiting_labels: Sequence[str],
    *,
    is_for_test_alone: bool = False,
) -> Notice:
    """Report that a batch held nothing new, so that nothing was started.

    Parameters
    ----------
    is_for_test_alone : bool
        Whether its test rows alone were wanted.
    """
    wanted = "to test with" if is_for_test_alone else "to train on"
    files = _test_files(facts) if is_for_test_alone else _train_files(facts)
    why = [
        f"Nothing new is left {wanted} in {files}.",
        *_left_out(left_out),
        *_waiting(waiting_labels),
    ]
    words = f"EMPTY batch {facts.batch}: nothing new {wanted}"
    return batch_notice(facts, "empty", words, why=why, todo=_AFTER_EMPTY)


def failed(facts: BatchFacts, error: str, cause: str, *, is_still_running: bool) -> Notice:
    """Report that a batch ended without a verdict."""
    words = f"FAILED batch {facts.batch}, ACTION NEEDED: {error}"
    todo = _AFTER_FAILURE.format(
        flywheel=facts.flywheel, environment=facts.environment, batch=facts.batch
    ) + (_STILL_RUNNING if is_still_running else "")
    return batch_notice(facts, "failed", words, why=[f"{error}: {shown(cause, 1500)}"], todo=todo)


def batch_notice(
    facts: BatchFacts,
    event: str,
    words: str,
    *,
    why: Sequence[str],
    todo: str,
    table: Sequence[str] = (),
) -> Notice:
    """Return a notice about a batch, with its facts.

    Parameters
    ----------
    event : str
        Makes its id differ from those of the batch's other notices.
    words : str
        The subject's.
    """
    ids = [f"Flywheel:  {facts.flywheel_arn}", f"Batch:     {facts.batch}"]
    if facts.iteration_id:
        ids.append(f"Iteration: {facts.iteration_id}")
    ids += [f"Upload:    {shown(key, 200)}" for key in facts.uploads]
    if facts.upload_count > len(facts.uploads):
        ids.append(f"           and {facts.upload_count - len(facts.uploads):,} more")
    text = body(
        live=facts.live_model or "no model yet",
        why=[*why, *_taint(facts.taint)],
        todo=todo,
        table=table,
        command=f"flywheel history {facts.flywheel} --env {facts.environment}",
        ids=ids,
    )
    attempt = f"-{facts.attempt}" if facts.attempt > 1 else ""
    notice_id = f"{facts.flywheel}-batch-{facts.batch}{attempt}-{event}"
    return Notice(notice_id, subject(facts.environment, facts.flywheel, words), text)


def _taint(keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    named = ", ".join(file_name(key) for key in keys[:_FILES_NAMED])
    more = ", ..." if len(keys) > _FILES_NAMED else ""
    return [
        f"The flywheel is TAINTED: its datasets hold rows that were withdrawn ({named}{more}), "
        "until it is rebuilt."
    ]


def _left_out(counts: Mapping[str, int]) -> list[str]:
    return [
        f"Left out: {number_of(count, *LEFT_OUT.get(reason, (reason, reason)))}."
        for reason, count in counts.items()
    ]


def _waiting(labels: Sequence[str]) -> list[str]:
    if not labels:
        return []
    names = ", ".join(shown(label, 40) for label in labels)
    return [f"Too few documents for the service, so they wait for the next batch: {names}."]


def _train_files(facts: BatchFacts) -> str:
    count = facts.train_upload_count
    return _files(facts.uploads[:count], count)


def _test_files(facts: BatchFacts) -> str:
    return _files(facts.uploads[facts.train_upload_count :], facts.test_upload_count)


def _tested_with(facts: BatchFacts, documents: int) -> str:
    """Name the test documents of a batch that brings some, as the end of a sentence."""
    if not documents:
        return ""
    return f", and {number_of(documents, 'test document')} from {_test_files(facts)}"


def _files(keys: Sequence[str], count: int) -> str:
    """Count files and name the first ones; of many, no name may be known."""
    names = ", ".join(file_name(key) for key in keys[:_FILES_NAMED])
    more = ", ..." if count > _FILES_NAMED else ""
    return f"{number_of(count, 'file')}{f' ({names}{more})' if names else ''}"


def _counts(label_counts: Mapping[str, int]) -> str:
    counts = [f"{shown(label, 40)} {count:,}" for label, count in sorted(label_counts.items())]
    more = len(counts) - _LABELS_SHOWN
    return ", ".join(counts[:_LABELS_SHOWN]) + (
        f" and {number_of(more, 'more label')}" if more > 0 else ""
    )


def _cost(past_seconds: Sequence[float]) -> str:
    price = f"{_TRAINING_USD_PER_HOUR:.2f} USD per hour of training"
    if not past_seconds:
        return (
            f"Cost on AWS: {price}; there is no earlier iteration to estimate from (the service's "
            "own sample ran 2 h 23 min: 7 USD at most)."
        )
    hours = sum(past_seconds) / len(past_seconds) / 3600
    cost = max(hours * _TRAINING_USD_PER_HOUR, 0.01)
    return (
        f"Cost on AWS: {price}; about {cost:.2f} USD if it takes as long as earlier ones "
        f"({hours * 60:.0f} min)."
    )
