"""A test set as a job's input, and a job's output as answers to it.

Decides the form in which answers are kept, what of a model's scores counts as its answer, and how a
row and two answers become a scored document. Pure: texts come in. Read next:
`application.comparison.answers` (who asks for them), `flywheel.evaluation.scored_documents`.

Notes
-----
*Source*: developer guide, "Outputs for asynchronous analysis jobs": one JSON object a line, with
Line and either Classes, Labels or Entities; pricing page: units of 100 characters, three at least.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flywheel.evaluation.scored_documents import Answer, Counts, Kind, ScoredDocument
from flywheel.intake.annotations import spans_of
from flywheel.intake.document_groups import group_documents
from flywheel.intake.labeled_documents import Row, text_key
from flywheel.intake.row_labels import labels_of
from flywheel.settings.data_format import DataFormat

_LINE_ENDS = str.maketrans(dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""What may end a line, each turned into one space, so that offsets stay what they are."""

_LEAST_SCORE = 0.5
"""Labels of several that a score makes an answer; the service documents no other threshold."""

_USD_PER_UNIT = 0.0005
_UNIT_CHARACTERS = 100
_LEAST_UNITS = 3

Prediction = Sequence[Any]
"""What one model predicts for one document: labels, or ``[begin, end, type]`` of each mention."""


def kind_of(shape: DataFormat) -> Kind:
    """Return what an answer is in a flywheel."""
    if shape.task == "entities":
        return "entities"
    return "multi-label" if shape.is_multi_label else "multi-class"


def one_line(text: str) -> str:
    """Return a text as one line of a job's input, as long as before."""
    return text.translate(_LINE_ENDS)


def cost(texts: Iterable[str]) -> float:
    """Return what a job on these texts costs, in USD."""
    units = (max(_LEAST_UNITS, -(-len(text) // _UNIT_CHARACTERS)) for text in texts)
    return sum(units) * _USD_PER_UNIT


def answers_of(lines: Iterable[str], documents: int) -> list[Prediction]:
    """Return the answers of a job's output, document by document.

    Raises
    ------
    ValueError
        A document has no answer, or the output is of another form; the message says which.
    """
    predictions: dict[int, Prediction] = {}
    for line in lines:
        if line.strip():
            answer = json.loads(line)
            if "Line" not in answer:
                raise ValueError("a line of the output has no Line")
            predictions[int(answer["Line"])] = _prediction(answer)
    missing = [number for number in range(documents) if number not in predictions]
    if missing:
        raise ValueError(f"{len(missing):,} documents have no answer, the first is {missing[0]:,}")
    return [predictions[number] for number in range(documents)]


def _prediction(answer: Mapping[str, Any]) -> Prediction:
    if "Classes" in answer:
        best = max(answer["Classes"], key=lambda each: each["Score"], default=None)
        return [best["Name"]] if best else []
    if "Labels" in answer:
        return sorted(each["Name"] for each in answer["Labels"] if each["Score"] >= _LEAST_SCORE)
    if "Entities" in answer:
        entities = answer["Entities"]
        return [[each["BeginOffset"], each["EndOffset"], each["Type"]] for each in entities]
    reason = answer.get("ErrorMessage", "it has neither Classes, Labels nor Entities")
    raise ValueError(f"document {answer['Line']} has no answer: {reason}")


def scored(
    rows: Sequence[Row],
    champion: Sequence[Prediction] | None,
    challenger: Sequence[Prediction],
    shape: DataFormat,
) -> Iterator[ScoredDocument]:
    """Give each row with both models' predictions, and the group that it belongs to."""
    grouping = group_documents(rows)
    is_grouped = grouping.grouped != "none"
    for number, (row, group) in enumerate(zip(rows, grouping.groups, strict=True)):
        actual = _actual(row, shape)
        old = None if champion is None else _answer(champion[number], actual, shape)
        yield ScoredDocument(
            id=text_key(row.text).hex()[:12],
            actual=_counted(actual, shape),
            champion=old,
            challenger=_answer(challenger[number], actual, shape),
            group=str(group) if is_grouped else "",
        )


_Fact = Any
"""A label, or a mention as ``(begin, end, type)``."""


def _actual(row: Row, shape: DataFormat) -> list[_Fact]:
    if shape.task == "entities":
        return list(spans_of(row.label))
    return list(labels_of(row.label, shape))


def _answer(prediction: Prediction, actual: Sequence[_Fact], shape: DataFormat) -> Answer:
    facts = {tuple(each) for each in prediction} if shape.task == "entities" else {*prediction}
    return Answer(_counted(facts, shape), _counted(facts.intersection(actual), shape))


def _counted(facts: Iterable[_Fact], shape: DataFormat) -> Counts:
    if shape.task == "entities":
        return tuple(sorted(Counter(kind for _, _, kind in facts).items()))
    return tuple(sorted((label, 1) for label in facts))
