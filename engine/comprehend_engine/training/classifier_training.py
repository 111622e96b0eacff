"""The training process's work on a classifier: read documents, train, test.

Decides which documents of the lake train and which test, and the counts of a test. Only the
training process imports it. Knows neither flywheels nor S3. Read next:
`comprehend_engine.learning.classifier` (how it learns) and `comprehend_engine.training.process`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comprehend_engine.documents.classified_documents import read_labeled_file
from comprehend_engine.evaluation.counts import decision_counts
from comprehend_engine.learning.classifier import TextClassifier, train_classifier
from comprehend_engine.learning.model_files import load, save
from comprehend_engine.tasks import MULTI_CLASS
from comprehend_engine.training.hold_out import is_held_out


@dataclass(frozen=True, slots=True)
class LabeledTexts:
    """Documents and their labels, of shape (n_documents,) each."""

    texts: Sequence[str]
    labels: Sequence[Sequence[str]]


def read_texts(
    files: Sequence[Path], *, delimiter: str | None = None, side: str = "both"
) -> LabeledTexts:
    """Read documents from files of the data lake.

    Parameters
    ----------
    files : sequence of Path
        CSV files of labels and text.
    delimiter : str of length 1, optional
        Separates the labels of a document; None where each has one label.
    side : {"both", "train", "held out"}
        All documents, or one side of the hold-out.
    """
    texts, labels = [], []
    for file in files:
        for chosen, text in read_labeled_file(file.read_bytes(), file.name, delimiter):
            if side == "both" or is_held_out(text) == (side == "held out"):
                texts.append(text)
                labels.append(chosen)
    return LabeledTexts(texts, labels)


def train(data: LabeledTexts, model_file: Path, *, mode: str, seed: int) -> dict[str, Any]:
    """Train and save a classifier; return the number of training documents."""
    save(train_classifier(data.texts, data.labels, mode=mode, seed=seed), model_file)
    return {"documents": len(data.texts)}


def evaluate(data: LabeledTexts, model_file: Path, *, mode: str) -> dict[str, Any]:
    """Test a saved classifier; return the number of test documents and the counts."""
    model: TextClassifier = load(model_file)
    count = confusion_counts if mode == MULTI_CLASS else label_counts
    return {"documents": len(data.texts), "counts": count(model, data)}


def confusion_counts(model: TextClassifier, data: LabeledTexts) -> list[tuple[str, str, int]]:
    """Return (actual, predicted, documents) for each pair that occurs, sorted."""
    if not data.texts:
        return []
    predictions = model.predict(data.texts)
    pairs = Counter(
        (actual, predicted)
        for (actual,), (predicted,) in zip(data.labels, predictions, strict=True)
    )
    return sorted((*pair, count) for pair, count in pairs.items())


def label_counts(model: TextClassifier, data: LabeledTexts) -> list[tuple[str, int, int, int]]:
    """Return (label, true positives, false positives, false negatives) per label, sorted."""
    predicted = model.predict(data.texts) if data.texts else []
    pairs = zip(map(set, data.labels), map(set, predicted), strict=True)
    return decision_counts(pairs, label_of=str)
