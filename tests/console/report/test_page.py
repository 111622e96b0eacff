"""The report page of a verdict: whole, escaped, alone, and without texts unless asked for."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from console.errors import CommandError
from console.report.facts import EXCERPT_CHARACTERS, ReportFacts, counted
from console.report.page import report_page
from console.report.reporting import checked_excerpts
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.looks import error_of_look
from flywheel.evaluation.paired_evidence import Predictions, paired_evidence
from flywheel.evaluation.predictions import ScoredDocument, scored
from flywheel.evaluation.verdict import decide, measured_by
from flywheel.evaluation.verdict_document import verdict_document
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment
from flywheel.settings.policy import Policy, Rule
from tests.flywheel.evaluation.test_verdict_document import FACTS
from tests.flywheel.settings.environment_texts import FLYWHEEL

EVIL = "<script>alert(1)</script>"
QUOTES = 'billing" onload="alert(1)" x=\'<b>'
LABELS = (QUOTES, "delivery", f"{EVIL}\u202e")
SECRET = "my card number is 4711"
VOID = {"meta", "line", "rect", "circle"}
POLICY = Policy(
    rules=(
        Rule(metric="AverageF1Score", min=0.5, min_improvement=0.005),
        Rule(metric="AverageAccuracy", max_drop=0.02),
    ),
    critical_labels=(QUOTES,),
)


class Page(HTMLParser):
    """Reads a page strictly: every tag that opens is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag without an inside."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Hold it against the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note words."""
        self.words.append(data)


def rows_of(count: int) -> list[LabeledRow]:
    """Return test rows whose texts are hostile and secret."""
    return [
        LabeledRow(LABELS[place % 3], f"{EVIL} {SECRET} {place} " + "x" * 200)
        for place in range(count)
    ]


def answers(rows: list[LabeledRow], wrong_each: int) -> list[list[str]]:
    """Return a model's answers, of which every so many is wrong."""
    return [
        [LABELS[(place + 1) % 3] if place % wrong_each == 0 else row.label]
        for place, row in enumerate(rows)
    ]


def facts(*, has_excerpts: bool = False, count: int = 120) -> ReportFacts:
    """Return what a page says of a verdict by both models' answers."""
    rows = rows_of(count)
    documents: list[ScoredDocument] = list(
        scored(rows, answers(rows, 4), answers(rows, 9), DataFormat())
    )
    paired = paired_evidence(
        documents,
        measured_by(POLICY),
        kind="multi-class",
        labels=3,
        error=error_of_look(POLICY),
        test_set_sha256="ab" * 32,
        predictions=(
            Predictions("m/1", "answers/1", "c" * 64, "job/1", 0.0, 0.0),
            Predictions("m/2", "answers/2", "d" * 64, "job/2", 41.5, 0.06),
        ),
    )
    counts = dict.fromkeys(LABELS, count // 3)
    evidence = Evidence(
        "m/1",
        dict.fromkeys(("AverageF1Score", "AverageAccuracy"), 0.75),
        "m/2",
        dict.fromkeys(("AverageF1Score", "AverageAccuracy"), 0.88),
        True,
        test_set=TestSetFacts("ab" * 32, count, counts),
        paired=paired,
    )
    stated = replace(FACTS, policy=POLICY.model_dump(mode="json"))
    document = json.loads(verdict_document(decide(evidence, POLICY).to_json(), stated.to_json()))
    return ReportFacts(
        document=document,
        sha256="e" * 64,
        outcome=BatchOutcome.PROMOTED,
        shift=[f"The labels of the new data shift by 40 % of it: {EVIL!r} 50 % -> 90 %."],
        answered=counted(rows, documents, has_excerpts=has_excerpts),
    )


def test_the_page_says_it_all_when_both_models_answered() -> None:
    """Decision, why, every rule, averages, labels, answers, shift, hashes."""
    told = facts()
    page = Page(report_page(told))
    words = " ".join(" ".join(page.words).split())
    assert "PROMOTE" in words
    assert "carried out as PROMOTED" in words
    for rule in told.document["rules"]:
        assert rule["rule"].split(" of ")[0] in words
        assert rule["outcome"] in words
    for title in ("Why", "Rules", "Averages", "F1 per label", "Champion against challenger"):
        assert title in words
    assert "Documents fixed" in words
    assert "shift by 40 %" in words
    assert told.sha256 in words
    paired = told.document["evidence"]["paired"]
    assert all(each in words for each in (*paired["fixed_ids"], *paired["broken_ids"]))
    assert told.answered is not None
    both = told.answered.both_right + told.answered.both_wrong
    assert both + paired["fixed"] + paired["broken"] == paired["documents"]


def test_every_rule_is_drawn_when_it_is_about_a_metric() -> None:
    """With the bound, the gain, and the interval where there is one."""
    told = facts()
    page = Page(report_page(told))
    drawn = [attributes.get("aria-label") or "" for tag, attributes in page.tags if tag == "svg"]
    about = [rule for rule in told.document["rules"] if rule["metric"]]
    assert len(drawn) == len(about) + 1
    intervals = [tag for tag, attributes in page.tags if attributes.get("class") == "interval"]
    floors = [rule for rule in about if "at least 0.500" in rule["rule"]]
    assert len(intervals) == len(about) - len(floors)


@pytest.mark.parametrize("has_excerpts", [False, True])
def test_nothing_runs_or_loads_when_data_is_hostile(*, has_excerpts: bool) -> None:
    """Tags of data are words; the page names no other place and forbids to load anything."""
    written = report_page(facts(has_excerpts=has_excerpts))
    page = Page(written)
    assert EVIL not in written
    assert "\u202e" not in written
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "a", "base"}
    for _, attributes in page.tags:
        assert not attributes.keys() & {"src", "href", "style", "xlink:href", "action"}
        assert not [name for name in attributes if name.startswith("on")]
    assert "://" not in written
    assert "url(" not in written
    assert "@import" not in written
    metas = [attributes for tag, attributes in page.tags if tag == "meta"]
    (policy,) = [
        str(each["content"])
        for each in metas
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    (style,) = re.findall(r"<style>(.*?)</style>", written, re.DOTALL)
    named = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{named}'" in policy


def test_a_label_stays_in_its_attribute_when_it_has_quotes() -> None:
    """A drawing is named by the rule, and the rule by the label."""
    page = Page(report_page(facts()))
    drawn = [attributes["aria-label"] or "" for tag, attributes in page.tags if tag == "svg"]
    assert [name for name in drawn if QUOTES in name.replace("\\'", "'")]
    assert [words for words in page.words if words.startswith(QUOTES[:25])]


def test_a_link_is_no_link_when_a_label_has_one() -> None:
    """Controls, marks of direction and addresses are shown as what they are."""
    document = {**facts().document, "flywheel": "https://evil.example/\u202e\x1b[2J"}
    written = report_page(replace(facts(), document=document))
    assert "Verdict 3 of https[:]//evil.example/\\u202e\\x1b[2J" in written


def test_no_text_is_shown_when_it_was_not_asked_for() -> None:
    """Ids and labels are enough to look a document up."""
    assert SECRET not in report_page(facts())


def test_texts_are_short_when_they_are_asked_for() -> None:
    """120 characters of a text, and no more."""
    told = facts(has_excerpts=True)
    assert SECRET in report_page(told)
    assert told.answered is not None
    excerpts = [each.excerpt or "" for each in (*told.answered.fixed, *told.answered.broken)]
    assert {len(excerpt) for excerpt in excerpts} == {EXCERPT_CHARACTERS}


def test_the_page_says_so_when_answers_cannot_be_read() -> None:
    """It is made all the same, with the ids that the verdict names."""
    told = facts()
    written = report_page(replace(told, answered=None, missing="answers/1 is not there"))
    assert "Single documents are not shown: answers/1 is not there" in written
    assert told.document["evidence"]["paired"]["fixed_ids"][0] in written


@pytest.mark.parametrize(
    "change",
    [
        {"champion_arn": None, "champion": None},
        {"challenger_arn": None, "challenger": {}},
        {"has_test_set": False},
        {"challenger": {"AverageF1Score": float("nan")}},
    ],
)
def test_a_page_is_made_when_little_is_known(change: dict[str, Any]) -> None:
    """A first model, no model, no test set, no number."""
    known = Evidence("m/1", {"AverageF1Score": 0.8}, "m/2", {"AverageF1Score": 0.9}, True)
    verdict = decide(replace(known, **change), Policy())
    document = json.loads(verdict_document(verdict.to_json(), FACTS.to_json()))
    words = " ".join(Page(report_page(ReportFacts(document, "e" * 64, None))).words)
    assert verdict.decision.value in words
    assert "not carried out yet" in words


def environment(name: str, text: str = "") -> Environment:
    """Return an environment of this name."""
    return parse_environment(f"{name}.toml", lambda _: text + FLYWHEEL)


def test_texts_are_refused_when_the_environment_is_prod() -> None:
    """Unless its file allows them; elsewhere a file may forbid them."""
    with pytest.raises(CommandError, match="not shown"):
        checked_excerpts(environment("prod"))
    with pytest.raises(CommandError, match="not shown"):
        checked_excerpts(environment("dev", "[report]\nexcerpts = false\n"))
    checked_excerpts(environment("prod", "[report]\nexcerpts = true\n"))
    checked_excerpts(environment("dev"))
