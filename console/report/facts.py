"""The facts of a report page beside the verdict's document: single test documents, label shift.

Decides what is read and which documents are named. A page omits what cannot be read, and
says so. Read next: `console.report.page` (how it looks).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.comprehend import Comprehend
from application.comparison.judgement import earlier_counts
from application.comparison.stored_answers import AnswersMissingError
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from console.environment.target import Target
from console.record.replay import answers_for, kept_for
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.predictions import Counts, ScoredDocument, scored
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.notices.notice import shown
from flywheel.notices.what_changed import label_shift

EXCERPT_CHARACTERS = 120
NAMED = 50
"""Documents fixed, and documents broken, that a page names."""


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """One test document that only one of the models got right.

    Parameters
    ----------
    id : str
    actual, champion, challenger : str
        Labels, or types with how many mentions of each.
    excerpt : str or None
        How its text begins; None where texts are not shown.
    """

    id: str
    actual: str
    champion: str
    challenger: str
    excerpt: str | None


@dataclass(frozen=True, slots=True)
class AnsweredDocuments:
    """What both models' answers say of single documents.

    Parameters
    ----------
    both_right, both_wrong : int
    fixed, broken : sequence of NamedDocument
        The first ones.
    changes : mapping
        ``(actual, champion, challenger)`` to documents, where the answers differ.
    """

    both_right: int = 0
    both_wrong: int = 0
    fixed: Sequence[NamedDocument] = ()
    broken: Sequence[NamedDocument] = ()
    changes: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything that one page shows.

    Parameters
    ----------
    document : mapping
        The verdict's, as it is kept.
    sha256 : str
        Of that document.
    outcome : BatchOutcome or None
        What came of it.
    shift : sequence of str
        How the labels of the batch differ from those known before.
    answered : AnsweredDocuments or None
    missing : str
        Why single documents are not shown, where both models answered.
    """

    document: Mapping[str, Any]
    sha256: str
    outcome: BatchOutcome | None
    shift: Sequence[str] = ()
    answered: AnsweredDocuments | None = None
    missing: str = ""


def shift_of(target: Target, batch: BatchRow) -> list[str]:
    """Return how a batch's labels differ from those of earlier ones."""
    return label_shift(batch.label_counts, earlier_counts(target.ledger(), batch))


def answered_documents(
    target: Target, known: KnownFlywheel, document: Mapping[str, Any], *, has_excerpts: bool
) -> AnsweredDocuments | None:
    """Return what both models' kept answers say; None where none were asked for.

    Raises
    ------
    AnswersMissingError
        Rows or answers are not there, or are not those that the verdict names.
    """
    evidence = Evidence.from_document(document["evidence"])
    if evidence.paired is None or evidence.champion_arn is None:
        return None
    kept = kept_for(document, target.staging(), evidence.paired)
    rows = kept.rows()
    answers = {each.model: answers_for(kept, each) for each in evidence.paired.predictions}
    champion, challenger = (
        answers.get(model or "") for model in (evidence.champion_arn, evidence.challenger_arn)
    )
    if champion is None or challenger is None:
        raise AnswersMissingError("the verdict does not name the answers of both models")
    service = Comprehend(document["flywheel_arn"], target.client("comprehend"), target.client("s3"))
    shape = known.shape(service.task_config)
    documents = list(scored(rows, champion.answers, challenger.answers, shape))
    return counted(rows, documents, has_excerpts=has_excerpts)


def counted(
    rows: Sequence[LabeledRow], documents: Sequence[ScoredDocument], *, has_excerpts: bool
) -> AnsweredDocuments:
    """Return what scored documents say; their texts are left out unless they are asked for."""
    fixed: list[NamedDocument] = []
    broken: list[NamedDocument] = []
    both_right = both_wrong = 0
    changes: Counter[tuple[str, str, str]] = Counter()
    for row, each in zip(rows, documents, strict=True):
        old = each.champion.predicted if each.champion else ()
        words = (_words(each.actual), _words(old), _words(each.challenger.predicted))
        if old != each.challenger.predicted:
            changes[words] += 1
        if each.is_fixed or each.is_broken:
            named = fixed if each.is_fixed else broken
            excerpt = shown(row.text, EXCERPT_CHARACTERS) if has_excerpts else None
            if len(named) < NAMED:
                named.append(NamedDocument(each.id, *words, excerpt))
        elif each.challenger.predicted == each.challenger.true_positives == each.actual:
            both_right += 1
        else:
            both_wrong += 1
    return AnsweredDocuments(both_right, both_wrong, fixed, broken, changes)


def _words(counts: Counts) -> str:
    counted = (shown(label, 60) + (f" x {count}" if count > 1 else "") for label, count in counts)
    return ", ".join(counted) or "nothing"
