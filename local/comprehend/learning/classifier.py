"""The classifier: how it learns, how it answers.

Decides how the parts go together and what is refused. One configuration for all data; what differs
between data is decided by the data. Imported by the training process alone, because what it
imports takes long. Knows neither flywheels nor S3. Read next: `local.comprehend.learning.counting`,
`features`, `decision`, `validation`, `naive_bayes`, `calibration`, in this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.comprehend.errors import IterationFailedError
from local.comprehend.learning import counting, decision, features, naive_bayes
from local.comprehend.learning.calibration import Calibration, each_for_itself, one_of_all
from local.comprehend.learning.compiled import make_ready
from local.comprehend.learning.decision import Decision, Targets
from local.comprehend.learning.features import Features, features_of
from local.comprehend.learning.validation import validated
from local.comprehend.tasks import MULTI_CLASS

MAX_WEIGHTS = 50_000_000
"""Bound of labels x features, which is what owns the memory: 4 bytes each."""


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """A trained model.

    Parameters
    ----------
    labels : tuple of str
        Sorted; the columns of the scores.
    features : Features
        What it sees of a text.
    decision : Decision
        Which side of each label's plane a text is on, and how far.
    calibration : Calibration
        What that means as a probability.
    """

    labels: tuple[str, ...]
    features: Features
    decision: Decision
    calibration: Calibration

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return how likely each label is for each text, of shape (n_texts, n_labels).

        In multi-class mode the scores of a text sum to 1; in multi-label mode each stands alone,
        and a label is given from 0.5 on (`EachForItself` says what that makes of scores).
        """
        return self.calibration.scores(self.decision.margins(self.features.rows(texts)))

    def predict(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the labels of each text, sorted.

        In multi-class mode exactly one. In multi-label mode those that are as likely as the
        label's own threshold, which training chose; the likeliest where none is, so never no label.
        """
        chosen = self.calibration.chosen(self.scores(texts))
        return [tuple(self.labels[number] for number in np.flatnonzero(row)) for row in chosen]


def train_classifier(
    texts: Sequence[str], labels: Sequence[Sequence[str]], *, mode: str, seed: int
) -> TextClassifier:
    """Learn from documents.

    Parameters
    ----------
    texts : sequence of str
        Training documents.
    labels : sequence of sequences of str
        The labels of each; exactly one in multi-class mode.
    mode : {"MULTI_CLASS", "MULTI_LABEL"}
        Whether labels exclude each other.
    seed : int
        Same data and seed, same model, byte for byte on the same kind of machine.

    Raises
    ------
    IterationFailedError
        There are not two labels to tell apart, or no text has a word; more data is needed.
    """
    found = tuple(sorted({label for each in labels for label in each}))
    if len(found) < _FEWEST_LABELS:
        message = (
            f"The training data has documents of these labels: {list(found)}; "
            f"at least {_FEWEST_LABELS} labels are needed."
        )
        raise IterationFailedError(message)
    features, rows = features_of(texts, most=max(1, MAX_WEIGHTS // len(found)))
    if features.words == 0 or not any(_has_word(text) for text in texts):
        message = "The training documents hold no words to learn from."
        raise IterationFailedError(message)
    targets = _numbered(labels, found, is_exclusive=mode == MULTI_CLASS)
    learned = validated(rows, features.words, targets, seed=seed)
    fit = one_of_all if targets.is_exclusive else each_for_itself
    return TextClassifier(
        found,
        features if learned.width == rows.width else features.narrowed(learned.width),
        learned.decision,
        fit(learned.margins, learned.has),
    )


def _numbered(
    labels: Sequence[Sequence[str]], found: Sequence[str], *, is_exclusive: bool
) -> Targets:
    place = {label: number for number, label in enumerate(found)}
    beginnings = np.zeros(len(labels) + 1, np.int64)
    np.cumsum([len(each) for each in labels], out=beginnings[1:])
    numbers = np.array([place[label] for each in labels for label in each], np.int32)
    return Targets(beginnings, numbers, len(found), is_exclusive)


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


_FEWEST_LABELS = 2

# Here and not at the first call, which people wait for.
make_ready(counting, features, decision, naive_bayes)
