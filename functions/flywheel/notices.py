"""What people are sent: a subject and a body for every outcome.

Decides the words only; sending is `adapters.notices`. The order of a body never changes: what is
live now, why, what you must do, the table, one command, ids. Text that comes from data (file
names, labels) is shown through `shown`; no document's text is ever in a notice.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flywheel.batches import BatchOutcome
from flywheel.policy import usable
from flywheel.settings import METRICS
from flywheel.verdict import Decision, Verdict

_MAX_SUBJECT_CHARACTERS = 99
_TRAINING_USD_PER_HOUR = 3.0
"""*Source*: Amazon Comprehend pricing, custom model training."""

_METRIC_WORDS = dict(zip(METRICS, ("F1", "Precision", "Recall", "Accuracy"), strict=True))


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people.

    Parameters
    ----------
    id : str
        The same for the same event, so that a repeat can be recognised.
    subject : str
        At most 99 ASCII characters, one line.
    body : str
        Plain text.
    """

    id: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class UploadNews:
    """What became of one upload, to be told in a digest.

    Parameters
    ----------
    key : str
        The inbox key.
    headline : str
        E.g. ``REFUSED weekly.csv: 14 bad rows``.
    lines : sequence of str
        The problems, and what to do.
    """

    key: str
    headline: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What every notice about a batch names.

    Parameters
    ----------
    environment, flywheel : str
    batch : int
    flywheel_arn : str
    uploads : sequence of str
        Inbox keys.
    live_model : str or None
        The active model's ARN at the time of writing.
    iteration_id : str or None
    """

    environment: str
    flywheel: str
    batch: int
    flywheel_arn: str
    uploads: Sequence[str]
    live_model: str | None
    iteration_id: str | None = None


def shown(text: str, most_characters: int = 80) -> str:
    r"""Return text that came from data as it may be shown: one line, no controls, no links.

    Examples
    --------
    >>> shown("week\u202e1\n.csv")
    'week\\u202e1\\n.csv'
    >>> shown("http://evil.example/a.csv")
    'http[:]//evil.example/a.csv'
    """
    visible = "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char)[0] == "C" else char
        for char in text
    ).replace("://", "[:]//")
    return visible if len(visible) <= most_characters else visible[: most_characters - 3] + "..."


def file_name(key: str) -> str:
    """Return the last part of an inbox key, fit to be shown."""
    return shown(key.rsplit("/", 1)[-1] or key, 40)


def subject(environment: str, flywheel: str | None, words: str) -> str:
    """Return a subject that SNS takes: ASCII, one line, at most 99 characters."""
    place = f"[{environment}] {flywheel}: " if flywheel else f"[{environment}] "
    plain = re.sub(r"[^\x20-\x7e]", "?", place + words)
    limit = _MAX_SUBJECT_CHARACTERS
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def upload_digest(
    environment: str, flywheel: str | None, news: Sequence[UploadNews], notice_id: str
) -> Notice:
    """Tell what became of one or more uploads in one notice."""
    if len(news) == 1:
        words = news[0].headline
    else:
        names = ", ".join(file_name(item.key) for item in news[:3])
        words = f"{len(news)} uploads need a look: {names}{', ...' if news[3:] else ''}"
    parts = ["Live now: nothing changed; the active model stays as it is.", ""]
    for item in news:
        parts += [
            f"{item.headline}  ({shown(item.key, 200)})",
            *(f"  {line}" for line in item.lines),
            "",
        ]
    parts.append("The objects in the inbox are untouched.")
    return Notice(notice_id, subject(environment, flywheel, words), "\n".join(parts) + "\n")


def started(
    facts: BatchFacts,
    *,
    documents: int,
    label_counts: Mapping[str, int],
    left_out: Mapping[str, int],
    waiting_labels: Sequence[str],
    has_test_set: bool,
    past_seconds: Sequence[float],
) -> Notice:
    """Tell that an iteration begins, before any money is spent."""
    labels = ", ".join(
        f"{shown(label, 40)} {count}" for label, count in sorted(label_counts.items())[:20]
    )
    why = [
        f"Batch {facts.batch} is sealed: {documents:,} training documents from {_files(facts.uploads)}."
    ]
    why.append(f"Documents a label: {labels}{', ...' if len(label_counts) > 20 else ''}.")  # noqa: PLR2004 - as many as are readable
    why += [f"Left out: {count:,} {reason}." for reason, count in left_out.items()]
    if waiting_labels:
        names = ", ".join(shown(label, 40) for label in waiting_labels)
        why.append(
            f"Too few documents for the service, so their rows wait for the next batch: {names}."
        )
    todo = "Nothing to do: the verdict follows by itself."
    words = f"STARTED batch {facts.batch}, {documents:,} documents"
    if not has_test_set:
        words += ", WARNING: no test set"
        todo = (
            "The flywheel has no test set, so the service splits one off its training data and only a "
            f"first model can go live. To end this, upload one to {facts.flywheel}/test/ in the inbox."
        )
    why.append(_cost(past_seconds))
    return _notice(facts, "started", words, why=why, todo=todo, table=[])


def judged(
    facts: BatchFacts, verdict: Verdict, outcome: BatchOutcome, *, is_changed_outside: bool = False
) -> Notice:
    """Tell a verdict after it was acted on."""
    old, new = (
        usable(metrics, "AverageF1Score")
        for metrics in (verdict.evidence.champion, verdict.evidence.challenger)
    )
    words = f"{outcome.value}{_change(old, new)}"
    if verdict.is_bootstrap:
        words += ", BOOTSTRAP (first model)"
    why = list(verdict.reasons)
    todo = "Nothing to do."
    if is_changed_outside:
        words = "HELD, CHAMPION_CHANGED"
        why.insert(
            0,
            "The active model was changed outside while this verdict was made; nothing was written.",
        )
        todo = "If the challenger should be live, make it the active model by hand; else nothing to do."
    elif verdict.decision is Decision.HOLD:
        words += ", evidence is missing"
        todo = (
            "Nothing must be done; the active model stays. What is named above would end the hold."
        )
    elif verdict.decision is Decision.REJECT:
        todo = (
            "Nothing for the active model, it stays. But the rows of this batch are in the flywheel now, "
            "and Comprehend has no call that takes a dataset back: every later iteration trains on them "
            "too. If they are right, go on uploading. If they are wrong (mislabeled, say), add a flywheel "
            "of another name to the environment's file, deploy, and upload only the good files to it."
        )
    return _notice(facts, "verdict", words, why=why, todo=todo, table=metric_table(verdict))


def failed(facts: BatchFacts, error: str, cause: str, *, is_still_running: bool) -> Notice:
    """Tell that a batch ended without a verdict."""
    why = [f"{error}: {shown(cause, 1500)}"]
    todo = (
        "ACTION NEEDED: read the reason above and repair it. The batch keeps its uploads; upload corrected "
        "files, and the next batch starts by itself."
    )
    if is_still_running:
        todo += (
            " The iteration itself is still running in Comprehend: the flywheel is freed, and its next "
            "batch started, when that ends."
        )
    return _notice(
        facts,
        "failed",
        f"FAILED batch {facts.batch}, ACTION NEEDED: {error}",
        why=why,
        todo=todo,
        table=[],
    )


def metric_table(verdict: Verdict) -> list[str]:
    """Return the averages of both models as lines of a plain-text table."""
    lines = [f"{'':<10} {'champion':>10} {'challenger':>10} {'change':>8}"]
    for metric, word in _METRIC_WORDS.items():
        old = usable(verdict.evidence.champion, metric)
        new = usable(verdict.evidence.challenger, metric)
        change = f"{new - old:+.3f}" if old is not None and new is not None else "-"
        lines.append(f"{word:<10} {_number(old):>10} {_number(new):>10} {change:>8}")
    return lines


def _notice(
    facts: BatchFacts,
    event: str,
    words: str,
    *,
    why: Sequence[str],
    todo: str,
    table: Sequence[str],
) -> Notice:
    live = facts.live_model or "no model yet"
    body = [f"Live now: {live}", "", "Why:", *(f"  - {line}" for line in why), ""]
    body += ["What you must do:", f"  {todo}", ""]
    if table:
        body += [*table, ""]
    body += [f"Look closer: flywheel history {facts.flywheel} --env {facts.environment}", ""]
    body += [f"Flywheel:  {facts.flywheel_arn}", f"Batch:     {facts.batch}"]
    if facts.iteration_id:
        body.append(f"Iteration: {facts.iteration_id}")
    body += [f"Upload:    {shown(key, 200)}" for key in facts.uploads[:20]]
    notice_id = f"{facts.flywheel}-batch-{facts.batch}-{event}"
    return Notice(
        notice_id, subject(facts.environment, facts.flywheel, words), "\n".join(body) + "\n"
    )


def _files(keys: Sequence[str]) -> str:
    names = ", ".join(file_name(key) for key in keys[:5])
    return f"{len(keys)} file{'s' if len(keys) != 1 else ''} ({names}{', ...' if keys[5:] else ''})"


def _cost(past_seconds: Sequence[float]) -> str:
    if not past_seconds:
        return (
            f"Cost on AWS: {_TRAINING_USD_PER_HOUR:.2f} USD an hour of training; the first iteration of a "
            "flywheel has no past to estimate from (the service's own sample ran 2 h 23 min, 7 USD at most)."
        )
    hours = sum(past_seconds) / len(past_seconds) / 3600
    cost = max(hours * _TRAINING_USD_PER_HOUR, 0.01)
    return f"Cost on AWS: about {cost:.2f} USD, if it takes as long as earlier ones ({hours * 60:.0f} min)."


def _change(old: float | None, new: float | None) -> str:
    if new is None:
        return ""
    return f", F1 {new:.3f}" if old is None else f", F1 {old:.3f} -> {new:.3f} ({new - old:+.3f})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
