"""What the inference process makes of a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comprehend_engine.errors import IterationFailedError
from comprehend_engine.inference.process import MAX_CACHED_MODELS, ModelCache, classify_texts
from comprehend_engine.learning import model_files
from comprehend_engine.learning.classifier import TextClassifier, train_classifier
from comprehend_engine.tasks import MULTI_CLASS
from engine_testing.rig import rows


def trained(documents: Sequence[tuple[str, str]]) -> TextClassifier:
    """Return a classifier that learned from labeled documents."""
    texts, labels = [text for _, text in documents], [(label,) for label, _ in documents]
    return train_classifier(texts, labels, mode=MULTI_CLASS, seed=0)


@dataclass(frozen=True, slots=True)
class Scored:
    """A classifier that scores every text alike."""

    labels: Sequence[str] = ("a", "b", "c")

    def scores(self, texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the same scores for each text."""
        return np.array([[0.2, 0.6, 0.2]] * len(texts))


def test_labels_are_best_first_when_a_text_is_classified() -> None:
    """Equal scores are sorted by name, so a response is always the same."""
    model: Any = Scored()
    assert classify_texts(model, ["x"], None) == [[("b", 0.6), ("a", 0.2), ("c", 0.2)]]
    assert classify_texts(model, ["x", "y"], 1) == [[("b", 0.6)], [("b", 0.6)]]


def test_scores_agree_with_predictions_when_a_model_is_asked_for_both() -> None:
    """With two labels and with more; each text's scores sum to 1."""
    documents = [*rows(12), *(("other", f"something else {number}") for number in range(12))]
    for chosen in (documents[:24], documents):
        model, texts = trained(chosen), [text for _, text in chosen]
        returned = classify_texts(model, texts, None)
        assert [(labels[0][0],) for labels in returned] == model.predict(texts)
        assert [sum(score for _, score in labels) for labels in returned] == pytest.approx(
            [1.0] * len(chosen)
        )


def test_a_model_is_read_again_when_its_file_changes_or_others_push_it_out(tmp_path: Path) -> None:
    """It stays in memory as long as it is among the last that were asked."""
    model, models = trained(rows(5)), ModelCache()
    files = [tmp_path / f"{number}.model" for number in range(MAX_CACHED_MODELS + 1)]
    for file in files:
        model_files.save(model, file)
    first = models.get(files[0])
    assert models.get(files[0]) is first
    for file in files[1:]:
        models.get(file)
    assert models.get(files[0]) is not first
    with pytest.raises(IterationFailedError, match="missing"):
        models.get(tmp_path / "absent.model")
