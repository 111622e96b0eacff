"""The training process's work on an entity recognizer: read documents, train, test.

Decides which documents of the lake train and which test, and the counts of a test: a predicted
mention is correct where begin, end and type are. Only the training process imports it. Knows
neither flywheels nor S3. Read next: `comprehend_engine.learning.entities` (how it learns).

Notes
-----
*Source*: developer guide, "Testing the model": 10 % of the documents are held out, more where there
are fewer than 50 annotations. How many more is not documented.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comprehend_engine.documents.annotated_documents import ANNOTATIONS_FILE
from comprehend_engine.documents.annotation_files import annotations_by_place, documents_of
from comprehend_engine.documents.source_files import SourceFile
from comprehend_engine.evaluation.counts import decision_counts
from comprehend_engine.learning.entities import EntityModel, Mention, train_entities
from comprehend_engine.learning.model_files import load, save
from comprehend_engine.training.hold_out import HOLD_OUT_FRACTION, is_held_out

FEW_ANNOTATIONS = 50
"""With fewer annotations, a larger fraction of the documents is held out."""

HOLD_OUT_FRACTION_OF_FEW = 0.2
"""The fraction that is held out then."""


@dataclass(frozen=True, slots=True)
class AnnotatedTexts:
    """Documents and their mentions, of shape (n_documents,) each."""

    texts: Sequence[str]
    mentions: Sequence[Sequence[Mention]]


def read_annotated(files: Sequence[Path], *, side: str = "both") -> AnnotatedTexts:
    """Read annotated documents from files of the data lake.

    Parameters
    ----------
    files : sequence of Path
        Files of documents, one per line, each with its annotations beside it.
    side : {"both", "train", "held out"}
        All documents, or one side of the hold-out.
    """
    texts: list[str] = []
    mentions: list[list[Mention]] = []
    for file in files:
        beside = file.with_name(ANNOTATIONS_FILE)
        places = annotations_by_place(_local_file(beside), is_by_line=True)
        for line, text in documents_of(_local_file(file), is_by_line=True):
            if text:
                texts.append(text)
                mentions.append([Mention(*span) for span in places.get((file.name, line), ())])
    if side == "both":
        return AnnotatedTexts(texts, mentions)
    few = sum(map(len, mentions)) < FEW_ANNOTATIONS
    fraction = HOLD_OUT_FRACTION_OF_FEW if few else HOLD_OUT_FRACTION
    chosen = [
        number
        for number, text in enumerate(texts)
        if is_held_out(text, fraction) == (side == "held out")
    ]
    return AnnotatedTexts([texts[n] for n in chosen], [mentions[n] for n in chosen])


def train(data: AnnotatedTexts, model_file: Path, *, seed: int) -> dict[str, Any]:
    """Train and save a recognizer; return the numbers of documents and of mentions per type."""
    save(train_entities(data.texts, data.mentions, seed=seed), model_file)
    mentions = Counter(mention.type for each in data.mentions for mention in each)
    return {"documents": len(data.texts), "mentions": dict(sorted(mentions.items()))}


def evaluate(data: AnnotatedTexts, model_file: Path) -> dict[str, Any]:
    """Test a saved recognizer; return the number of test documents and the counts."""
    return {"documents": len(data.texts), "counts": mention_counts(load(model_file), data)}


def mention_counts(model: EntityModel, data: AnnotatedTexts) -> list[tuple[str, int, int, int]]:
    """Return (type, true positives, false positives, false negatives) per type, sorted."""
    pairs = zip(map(_spans, data.mentions), map(_spans, model.find(data.texts)), strict=True)
    return decision_counts(pairs, label_of=lambda span: span[2])


def _spans(mentions: Sequence[Mention]) -> set[tuple[int, int, str]]:
    return {(mention.begin, mention.end, mention.type) for mention in mentions}


def _local_file(file: Path) -> SourceFile:
    return SourceFile(str(file), file.read_bytes())
