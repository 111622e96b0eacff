"""A frozen test set and models' answers to it, as the staging bucket stores them, and their result.

Decides keys and forms, for those who store answers and those who read them again long after: a test
set that was replaced since is still here under its hash. Read next:
`application.comparison.answers` (who stores), `console.record.replay` (who reads again).
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from application.ports import StagingObjects
from flywheel.batches.known_rows import content_hash, record
from flywheel.errors import FlywheelLoopError
from flywheel.evaluation.paired_evidence import PairedEvidence, Predictions, paired_evidence
from flywheel.evaluation.predictions import Prediction, ScoredDocument, kind_of, scored
from flywheel.evaluation.verdict import measured_by
from flywheel.intake.labeled_rows import LabeledRow, csv_line, rows_of
from flywheel.settings.data_format import DataFormat
from flywheel.settings.policy import Policy


class AnswersMissingError(FlywheelLoopError):
    """A comparison by both models' answers cannot be made; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """Rows and answers of one test set of one flywheel.

    Parameters
    ----------
    staging : StagingObjects
    flywheel : str
    test_set_sha256 : str
    """

    staging: StagingObjects
    flywheel: str
    test_set_sha256: str

    @property
    def _folder(self) -> str:
        return f"answers/{self.flywheel}/{self.test_set_sha256}"

    @property
    def rows_key(self) -> str:
        """Where the rows are, in the order in which the models answer them."""
        return f"{self._folder}/rows.csv"

    def key(self, model: str) -> str:
        """Return where a model's answers are."""
        named = hashlib.sha256(model.encode()).hexdigest()[:32]
        return f"{self._folder}/{named}.jsonl"

    def text(self, model: str) -> str | None:
        """Return a model's answers as they are stored, or None."""
        return self.staging.text(self.key(model))

    def keep(self, model: str, facts: Mapping[str, object], answers: Sequence[Prediction]) -> str:
        """Keep a model's answers: a line of facts, then one line a document; returns the text."""
        lines = (json.dumps(each, ensure_ascii=False) for each in (facts, *answers))
        written = "".join(f"{line}\n" for line in lines)
        self.staging.create(self.key(model), written.encode())
        return written

    def predictions(self, model: str, answers: "ModelAnswers", *, is_paid: bool) -> Predictions:
        """Return how a verdict names a model's answers; those stored before cost nothing."""
        return Predictions(
            model=model,
            key=self.key(model),
            sha256=answers.sha256,
            job=answers.facts["job"],
            seconds=answers.facts["seconds"] if is_paid else 0.0,
            usd=answers.facts["usd"] if is_paid else 0.0,
        )

    def keep_rows(self, rows: Sequence[LabeledRow]) -> None:
        """Keep the rows."""
        self.staging.create(self.rows_key, "".join(map(csv_line, rows)).encode())

    def rows(self) -> list[LabeledRow]:
        """Return the rows, checked to be those that the test set's hash is of.

        Raises
        ------
        AnswersMissingError
            They are not there, or they are others.
        """
        written = self.staging.text(self.rows_key)
        if written is None:
            raise AnswersMissingError(f"{self.rows_key} is not there")
        return self.checked(list(rows_of(io.StringIO(written, newline=""))))

    def checked(self, rows: list[LabeledRow]) -> list[LabeledRow]:
        """Return rows that are the test set's.

        Raises
        ------
        AnswersMissingError
            They are others.
        """
        if content_hash(map(record, rows)) != self.test_set_sha256:
            raise AnswersMissingError("the rows that are kept are not those of the test set")
        return rows


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """One model's answers, as they are stored."""

    answers: Sequence[Prediction]
    facts: Mapping[str, Any]
    sha256: str

    @classmethod
    def of(cls, written: str) -> "ModelAnswers":
        """Read what `StoredAnswers.keep` wrote."""
        # Not splitlines: a label may hold what that takes for the end of a line.
        head, *answers = written.removesuffix("\n").split("\n")
        sha256 = hashlib.sha256(written.encode()).hexdigest()
        return cls([json.loads(answer) for answer in answers], json.loads(head), sha256)


def compared(
    rows: Sequence[LabeledRow],
    champion: ModelAnswers | None,
    challenger: ModelAnswers,
    policy: Policy,
    *,
    error: float,
    anchor: ModelAnswers | None = None,
    shape: DataFormat,
    labels: int,
    test_set_sha256: str,
    predictions: tuple[Predictions, ...],
) -> PairedEvidence:
    """Return what both models' answers to the same rows show.

    Parameters
    ----------
    error : float
        Of this look.
    anchor : ModelAnswers or None
        Of the model that non-inferiority must not drift away from, where it is not the champion.
    labels : int
        How many labels there are to choose from.
    """

    def against(old: ModelAnswers | None) -> list[ScoredDocument]:
        answers = old.answers if old else None
        return list(scored(rows, answers, challenger.answers, shape))

    return paired_evidence(
        against(champion),
        measured_by(policy),
        anchor=against(anchor) if anchor else None,
        kind=kind_of(shape),
        labels=labels,
        error=error,
        test_set_sha256=test_set_sha256,
        predictions=predictions,
    )
