"""One verdict as one HTML page that needs nothing else: no network, no script, no font.

Decides order, words and looks. Whatever comes from data is shown as `flywheel.notices.notice.shown`
shows it, and escaped; a browser is told by the page itself to load and to run nothing. Read next:
`console.report.charts` (the drawings) and `console.report.facts` (what it says).
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from console.report.charts import change_bars, floor_chart, interval_chart
from console.report.facts import NAMED, AnsweredDocuments, NamedDocument, ReportFacts
from console.report.style import STYLE
from console.views.verdict import change, number
from flywheel.evaluation.evidence import Evidence
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.policy import METRICS

_LABELS_DRAWN = 40
_CHANGES_TOLD = 15
_DECIDES = {"REJECT": "FAIL", "HOLD": "UNKNOWN", "PROMOTE": "PASS"}
_WORDS_OF = {
    "PROMOTE": "the challenger meets every rule",
    "REJECT": "the challenger misses a rule",
    "HOLD": "something is not known; the active model stays",
}
_LONGEST_NAME = 28
_NUMBER = ' class="n"'


def report_page(facts: ReportFacts) -> str:
    """Return the page."""
    document = facts.document
    title = f"Verdict {document['batch']} of {_plain(document['flywheel'])}"
    sections = [
        *_head(facts, title),
        *_section("Why", _reasons(document)),
        *_section("Rules", _rules(document["rules"])),
        *_section("Averages", _averages(document["evidence"])),
        *_answers(facts),
        *_section("Labels of the new data", [_p(words) for words in facts.shift]),
        *_section("Made from", _made_from(facts)),
    ]
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style></head><body><main>",
            *sections,
            "</main></body></html>",
            "",
        ]
    )


def _head(facts: ReportFacts, title: str) -> Iterator[str]:
    document, decision = facts.document, str(facts.document["decision"])
    yield f"<h1>{title}</h1>"
    bootstrap = "; BOOTSTRAP: there was no champion" if document["is_bootstrap"] else ""
    done = f"carried out as {facts.outcome}" if facts.outcome else "not carried out yet"
    yield (
        f'<p class="decision {escape(decision)}"><b>{escape(decision)}</b> '
        f"{escape(_WORDS_OF.get(decision, ''))}{bootstrap}; {escape(done)}.</p>"
    )
    yield _p(
        f"Environment {document['environment']}, decided {document['decided_at']} by "
        f"{document['actor']}, iteration {document['iteration_id']}.",
        "dim",
    )


def _reasons(document: Mapping[str, Any]) -> Iterator[str]:
    decisive = _DECIDES.get(document["decision"])
    for rule in document["rules"]:
        if rule["outcome"] in {decisive, "WARNING"}:
            warning = "Warning: " if rule["outcome"] == "WARNING" else ""
            yield _p(f"{warning}{rule['rule']}: {rule['reason']}.")


def _rules(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        yield from _rule(rule)
    if any(_drawn(rule) for rule in rules):
        yield _p(
            "A dot is what was measured (hollow: the champion), a band its one-sided bounds, the "
            "dashed line what the rule asks, the thin line no change.",
            "dim",
        )


def _rule(rule: Mapping[str, Any]) -> Iterator[str]:
    outcome = escape(str(rule["outcome"]))
    yield (
        f'<div class="rule"><h3><span class="badge {outcome}">{outcome}</span> '
        f"{_plain(rule['rule'])}</h3>"
    )
    yield _p(str(rule["reason"]))
    if drawn := _drawn(rule):
        yield drawn
    if rule.get("low") is not None and rule["method"] not in rule["reason"]:
        yield _p(f"By {rule['method']}.", "dim")
    yield "</div>"


def _drawn(rule: Mapping[str, Any]) -> str | None:
    """Draw what a rule saw against its bound; None where it saw nothing."""
    old, new, bound = rule["champion"], rule["challenger"], rule["bound"]
    if not rule["metric"] or new is None or bound is None:
        return None
    label = rule.get("label")
    measured = rule["metric"] if label is None else f"{rule['metric']} of {label!r}"
    kind = str(rule["rule"]).removeprefix(measured)
    words = f"{rule['rule']}: {rule['reason']}"
    if kind.startswith(" at least"):
        return floor_chart(champion=old, challenger=new, floor=bound, words=words)
    if old is None:
        return None
    asked = -bound if kind.startswith(" not worse") else bound
    low, high = rule.get("low"), rule.get("high")
    return interval_chart(gain=new - old, low=low, high=high, bound=asked, words=words)


def _averages(evidence: Mapping[str, Any]) -> Iterator[str]:
    rows, stored = [], Evidence.from_document(evidence)
    for metric in METRICS:
        old, new = stored.values(metric)
        rows.append((metric, number(old), number(new), change(old, new)))
    yield _table(("", "champion", "challenger", "change"), rows, numbers_from=1)
    yield _p(f"Champion: {evidence['champion_arn'] or 'none'}", "dim")
    yield _p(f"Challenger: {evidence['challenger_arn'] or 'none'}", "dim")


def _answers(facts: ReportFacts) -> Iterator[str]:
    """Tell what both models answered, where they were asked."""
    paired = facts.document["evidence"].get("paired")
    if not paired:
        return
    labels = [each for each in paired["labels"] if each["champion"] is not None]
    yield from _section("F1 of each label", _label_bars(labels))
    counts = [
        _p(
            f"Of {number_of(paired['documents'], 'test document')} the challenger fixes "
            f"{paired['fixed']:,} and breaks {paired['broken']:,}; {paired['disputed']:,} are "
            "answered otherwise."
        )
    ]
    if facts.missing:
        counts.append(_p(f"Single documents are not told: {facts.missing}."))
    if facts.answered is None:
        counts.append(_ids("Fixed", paired["fixed_ids"]))
        counts.append(_ids("Broken", paired["broken_ids"]))
        yield from _section("Champion against challenger", counts)
        return
    confusion = _confusion(facts.answered, paired["fixed"], paired["broken"])
    yield from _section("Champion against challenger", [*counts, *confusion])
    for title, found, total in (
        ("Documents fixed", facts.answered.fixed, paired["fixed"]),
        ("Documents broken", facts.answered.broken, paired["broken"]),
    ):
        yield from _section(title, _named(found, total))


def _label_bars(labels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Draw the largest changes of labels, losses first."""
    gains = [(each, each["challenger"] - each["champion"]) for each in labels]
    largest = sorted(gains, key=lambda pair: -abs(pair[1]))[:_LABELS_DRAWN]
    largest.sort(key=lambda pair: pair[1])
    bars = [
        (
            shown(each["label"], _LONGEST_NAME),
            gain,
            f"{gain:+z.3f} ({each['documents']:,})",
        )
        for each, gain in largest
    ]
    if bars:
        yield change_bars(bars, "Change of F1 of each label; the table below says the same")
        yield _p("Change of F1, with test documents of the label in brackets.", "dim")
        if len(gains) > len(bars):
            yield _p(
                f"Not drawn: {number_of(len(gains) - len(bars), 'label')} that changed less.", "dim"
            )
        rows = [
            (
                each["label"],
                f"{each['documents']:,}",
                number(each["champion"]),
                number(each["challenger"]),
                f"{gain:+z.3f}",
            )
            for each, gain in gains
        ]
        heads = ("label", "documents", "champion", "challenger", "change")
        table = _table(heads, rows, numbers_from=1)
        yield f"<details><summary>All {number_of(len(rows), 'label')}</summary>{table}</details>"


def _confusion(answered: AnsweredDocuments, fixed: int, broken: int) -> Iterator[str]:
    """Tell both models' answers against each other: right and wrong, then what became what."""
    counts = (
        ("champion right", f"{answered.both_right:,}", f"{broken:,} (broken)"),
        ("champion wrong", f"{fixed:,} (fixed)", f"{answered.both_wrong:,}"),
    )
    yield _table(("", "challenger right", "challenger wrong"), counts, numbers_from=1)
    rows = sorted(answered.changes.items(), key=lambda item: (-item[1], item[0]))
    told = [(*words, f"{count:,}") for words, count in rows[:_CHANGES_TOLD]]
    if told:
        heads = ("it is", "champion says", "challenger says", "documents")
        yield _table(heads, told, numbers_from=3)
        if len(rows) > len(told):
            yield _p(f"Not listed: {number_of(len(rows) - len(told), 'rarer change')}.", "dim")


def _named(found: Sequence[NamedDocument], total: int) -> Iterator[str]:
    if not found:
        return
    has_excerpts = any(each.excerpt is not None for each in found)
    heads = ("id", "it is", "champion says", "challenger says")
    rows = [
        (each.id, each.actual, each.champion, each.challenger)
        + ((each.excerpt or "",) if has_excerpts else ())
        for each in found
    ]
    yield _table((*heads, "begins") if has_excerpts else heads, rows)
    if total > len(found):
        yield _p(f"The first {NAMED} of {total:,}.", "dim")


def _made_from(facts: ReportFacts) -> Iterator[str]:
    document = facts.document
    inputs, evidence = document["inputs"], document["evidence"]
    rows = [
        ("verdict sha256", facts.sha256),
        ("the one before", document["previous_sha256"]),
        ("policy sha256", document["policy_sha256"]),
        ("manifest", f"{inputs['manifest_key']}, sha256 {inputs['manifest_sha256']}"),
    ]
    if (held := inputs.get("rejudges")) is not None:
        rows.append(("judged again", f"the models of batch {held}, on more test documents"))
    if test_set := inputs["test_set"]:
        told = f"version {test_set['version']}, {number_of(test_set['documents'], 'document')}"
        rows.append(("test set", f"{told}, sha256 {test_set['sha256']}"))
    for each in (evidence.get("paired") or {}).get("predictions", ()):
        cost = f"{each['seconds']:g} s, {each['usd']:.4f} USD" if each["usd"] else "kept"
        rows.append(("answers", f"{each['model']}: {cost}, sha256 {each['sha256']}"))
    rows.append(("flywheel", document["flywheel_arn"]))
    rows.append(("version", document["product_version"]))
    yield _table(("", ""), rows)


def _section(title: str, parts: Iterable[str]) -> Iterator[str]:
    """Give a section; nothing where it is empty."""
    inner = [part for part in parts if part]
    if inner:
        yield f"<section><h2>{escape(title)}</h2>"
        yield from inner
        yield "</section>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int = 99) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{_NUMBER if place >= numbers_from else ''}>{_plain(value)}</{tag}>"
            for place, value in enumerate(values)
        )

    head = f"<thead><tr>{cells('th', heads)}</tr></thead>" if any(heads) else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def _ids(title: str, ids: Sequence[str]) -> str:
    return _p(f"{title}: {', '.join(ids)}") if ids else ""


def _p(words: str, name: str = "") -> str:
    attribute = f' class="{name}"' if name else ""
    return f"<p{attribute}>{_plain(words)}</p>"


def _plain(text: object) -> str:
    """Return text as the page may hold it: no control, no mark of direction, no link, no tag."""
    return escape(shown(str(text), 2000))
