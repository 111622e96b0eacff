"""One verdict as one HTML page that needs nothing else: no network, no script, no font.

Decides which rows the page's tables have and where its drawings place values;
``templates/verdict.html.j2`` has the order and the words, ``templates/charts.svg.j2`` the shapes,
``templates/style.css`` the colors. Every value that a template shows is made harmless and escaped
(`_harmless`), and the page itself forbids a browser to load or run anything. Read next:
`console.report.facts` (what is read).
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from console.report.facts import AnsweredDocuments, NamedDocument, ReportFacts
from console.views.verdict import ending, made_from
from flywheel.evaluation.effective_rules import RuleOutcome
from flywheel.evaluation.paired_evidence import LabelChange
from flywheel.evaluation.verdict_document import decided_verdict
from flywheel.evaluation.verdict_view import AverageChange, VerdictView, change, number
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

WIDTH = 560
ROW = 22
"""Height of one bar with the space around it."""

BARS_MIDDLE = 325
_BARS_HALF = 125
_MARGIN = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """The change of one label's F1 as a bar to the left or right of no change.

    Parameters
    ----------
    label : LabelChange
    gain : float
    x, y, width : float
    """

    label: LabelChange
    gain: float
    x: float
    y: float
    width: float


def has_chart(rule: RuleOutcome) -> bool:
    """Return whether a rule has the values that its drawing needs."""
    if rule.bound_kind is None or rule.challenger is None:
        return False
    return rule.bound_kind == "min" or rule.champion is not None


def scale_of(rule: RuleOutcome) -> Callable[[float], float]:
    """Return what places a value between the margins: a floor has [0, 1], a gain its bounds."""
    if rule.least_gain is None:
        return _scale(0.0, 1.0)
    drawn = (0.0, rule.gain, rule.least_gain, rule.low, rule.high)
    values = [value for value in drawn if value is not None]
    return _scale(min(values), max(values))


def bars(labels: Sequence[LabelChange]) -> Iterator[Bar]:
    """Yield the bar of each label, the longest over half of the drawing's width."""
    gains = [label.gain or 0.0 for label in labels]
    largest = max(map(abs, gains), default=0.0) or 1.0
    for place, (label, gain) in enumerate(zip(labels, gains, strict=True)):
        width = abs(gain) / largest * _BARS_HALF
        x = BARS_MIDDLE if gain > 0 else BARS_MIDDLE - width
        yield Bar(label, gain, x, place * ROW, max(width, 0.5))


def _scale(low: float, high: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: _MARGIN + (value - low) / span * (WIDTH - 2 * _MARGIN)


_LABELS_DRAWN = 40
_CHANGES_LISTED = 15
_LONGEST_NAME = 28


def report_page(facts: ReportFacts) -> str:
    """Return the page."""
    templates = _templates()
    style = templates.get_template("style.css").render().encode()
    view = VerdictView(decided_verdict(facts.document))
    labels = tuple(each for each in view.labels if each.champion is not None)
    answered, evidence = facts.answered, facts.document["evidence"]
    changes = list(_changes(answered)) if answered else []
    return templates.get_template("verdict.html.j2").render(
        facts=facts,
        document=facts.document,
        view=view,
        verdict=view.verdict,
        style_sha256=base64.b64encode(hashlib.sha256(style).digest()).decode(),
        ending=ending(facts.outcome),
        has_charts=any(map(has_chart, view.verdict.outcomes)),
        averages=[(each.metric, *_values(each)) for each in view.averages],
        drawn_labels=_drawn(labels),
        labels=[(each.label, f"{each.documents:,}", *_values(each)) for each in labels],
        confusion=_confusion(answered, evidence["paired"]) if answered else [],
        changes=changes[:_CHANGES_LISTED],
        rarer_changes=len(changes[_CHANGES_LISTED:]),
        documents=_documents(answered, evidence["paired"]) if answered else [],
        document_heads=("id", "it is", "champion predicts", "challenger predicts", "begins"),
        made_from=made_from(facts.document, facts.sha256),
    )


@cache
def _templates() -> Environment:
    """Return the templates, with what they may call."""
    templates = Environment(
        loader=PackageLoader("console.report"),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {"WIDTH": WIDTH, "ROW": ROW, "BARS_MIDDLE": BARS_MIDDLE}
    templates.globals |= {each.__name__: each for each in (has_chart, scale_of, bars)}
    templates.filters |= {
        "change": change,
        "count": "{:,}".format,
        "number_of": number_of,
        "place": "{:.1f}".format,
        "shortened": partial(shown, most_characters=_LONGEST_NAME),
    }
    return templates


def _harmless(value: object) -> object:
    """Return what a template shows without controls, marks of direction and links."""
    return value if hasattr(value, "__html__") else shown(str(value), 2000)


def _values(each: AverageChange | LabelChange) -> tuple[str, str, str]:
    return number(each.champion), number(each.challenger), change(each.gain)


def _drawn(labels: tuple[LabelChange, ...]) -> list[LabelChange]:
    """Return the labels that changed most, largest loss first."""
    largest = sorted(labels, key=lambda each: -abs(each.gain or 0.0))[:_LABELS_DRAWN]
    return sorted(largest, key=lambda each: each.gain or 0.0)


def _confusion(answered: AnsweredDocuments, paired: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        ("champion right", f"{answered.both_right:,}", f"{paired['broken']:,} (broken)"),
        ("champion wrong", f"{paired['fixed']:,} (fixed)", f"{answered.both_wrong:,}"),
    ]


def _changes(answered: AnsweredDocuments) -> Iterator[tuple[str, ...]]:
    """Yield which labels became which, most documents first."""
    for words, count in sorted(answered.changes.items(), key=lambda item: (-item[1], item[0])):
        yield (*words, f"{count:,}")


def _documents(
    answered: AnsweredDocuments, paired: dict[str, Any]
) -> list[tuple[str, list[tuple[str, ...]], int]]:
    return [
        ("Documents fixed", list(map(_row, answered.fixed)), paired["fixed"]),
        ("Documents broken", list(map(_row, answered.broken)), paired["broken"]),
    ]


def _row(each: NamedDocument) -> tuple[str, ...]:
    words = (each.id, each.actual, each.champion, each.challenger)
    return words if each.excerpt is None else (*words, each.excerpt)
