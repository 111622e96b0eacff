"""docs/policy.md says what happens: its examples are judged, its commands run, its tables read.

``REWRITE_GOLDEN=1`` writes what really happens into the page.
"""

import json
import os
import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from console.policy.gate_simulation import SCENARIOS
from flywheel.evaluation.advice import documents_needed
from flywheel.evaluation.comparisons import exact_accuracy
from flywheel.evaluation.evidence import Evidence, MeasuredLabels, TestSetFacts
from flywheel.evaluation.looks import error_of_look
from flywheel.evaluation.paired_evidence import paired_evidence
from flywheel.evaluation.predictions import ScoredDocument, tallies
from flywheel.evaluation.verdict import Verdict, decide, measured_by, wants_answers
from flywheel.settings.environment_file import parse_environment
from flywheel.settings.policy import METRICS, Policy
from tests.console.command_line import invoke
from tests.flywheel.evaluation.answers import answered

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "policy.md"
ENVIRONMENTS = ROOT / "docs" / "environments.md"
TEST_SET = "ab" * 32
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.toml)\n")
COLUMNS = 100


def blocks(kind: str) -> list[str]:
    """Return the fenced blocks of one kind."""
    return [body for found, body in BLOCK.findall(PAGE.read_text("utf-8")) if found == kind]


def examples() -> Iterator[tuple[str, str]]:
    """Give each worked example: policy and numbers, and the verdict that the page tells."""
    found = BLOCK.findall(PAGE.read_text("utf-8"))
    for (kind, body), (next_kind, told) in pairwise(found):
        if kind == "toml" and not FILE.match(body):
            assert next_kind == "text", body
            yield body, told


EXAMPLES = list(examples())
SESSIONS = blocks("console")


def playable() -> Iterator[Any]:
    """Give each session of commands; those that simulate take long."""
    for session in SESSIONS:
        is_slow = "flywheel simulate" in session or "--test-documents" in session
        yield pytest.param(session, marks=[pytest.mark.slow] if is_slow else [])


def policy_of(table: Mapping[str, Any]) -> Policy:
    """Return a policy as an environment's file gives it to a flywheel."""
    lines = [f"{key} = {toml(value)}" for key, value in table.items()]
    labels = sorted(Policy.model_validate(table).labels_named() | {"BILLING", "SHIPPING"})
    flywheel = f'task = "classification"\nmode = "multi-class"\nlanguage = "en"\nlabels = {labels}'
    file = "\n".join(["[policy]", *lines, "[flywheels.tickets]", flywheel])
    return parse_environment("dev.toml", lambda _: file).flywheels[0].policy


def toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def scored(answers: Mapping[str, Mapping[str, int]]) -> list[ScoredDocument]:
    """Return documents that both models answered; a wrong answer is the first other label."""
    documents = []
    for label in answers:
        wrong = next(other for other in answers if other != label)
        for kind, old, new in (
            ("fixed", wrong, label),
            ("broken", label, wrong),
            ("both_right", label, label),
            ("both_wrong", wrong, wrong),
        ):
            for number in range(answers[label].get(kind, 0)):
                documents.append(answered(f"{label}-{kind}-{number}", label, old, new))
    return documents


def evidence_of(example: Mapping[str, Any], policy: Policy) -> Evidence:
    """Return what an example's iteration showed."""
    showed = dict(example.get("iteration", {}))
    champion, challenger = showed.get("champion"), showed.get("challenger", {})
    counts, paired = showed.get("test_documents"), None
    labels = showed.get("labels")
    if "answers" in example:
        documents = scored(example["answers"])
        old, new = tallies(documents, kind="multi-class", labels=len(example["answers"]))
        assert old is not None
        champion, challenger = ({name: of.metric(name) for name in METRICS} for of in (old, new))
        counts = dict(new.actual)
        paired = paired_evidence(
            documents,
            measured_by(policy),
            kind="multi-class",
            labels=len(counts),
            error=error_of_look(policy),
            test_set_sha256=TEST_SET,
        )
    return Evidence(
        champion_arn="champion" if champion else None,
        champion=champion,
        challenger_arn="challenger",
        challenger=challenger,
        has_test_set=showed.get("has_test_set", True),
        test_set=TestSetFacts(TEST_SET, sum(counts.values()), counts, showed.get("looks_before", 0))
        if counts
        else None,
        paired=paired,
        labels=MeasuredLabels(labels["champion"], labels["challenger"]) if labels else None,
        paired_missing=showed.get("answers_missing", ""),
    )


def words(verdict: Verdict, policy: Policy) -> str:
    """Return a verdict as the page tells it."""
    asks = ": both models are asked for their answers" if wants_answers(verdict, policy) else ""
    lines = [f"- {reason}" for reason in verdict.reasons]
    lines += [f"- warning: {warning}" for warning in verdict.warnings]
    wrap = partial(textwrap.fill, width=COLUMNS, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join([f"{verdict.decision}{asks}", *map(wrap, lines)]) + "\n"


def judged(body: str) -> str:
    """Return what really becomes of an example."""
    example = tomllib.loads(body)
    assert set(example) <= {"policy", "iteration", "answers"}, body
    policy = policy_of(example.get("policy", {}))
    return words(decide(evidence_of(example, policy), policy), policy)


def played(session: str) -> str:
    """Return a session of commands with what they really print."""
    told = []
    for command in re.findall(r"^\$ (.+)$", session, re.MULTILINE):
        program, *arguments = shlex.split(command)
        assert program == "flywheel", command
        output = invoke(*arguments).output.splitlines()
        told.append("\n".join([f"$ {command}", *(line.rstrip() for line in output)]))
    return "\n\n".join(told) + "\n"


def hold_equal(written: str, real: str) -> None:
    """Hold a block of the page equal to what is, or write that into the page."""
    if os.environ.get("REWRITE_GOLDEN"):
        text = PAGE.read_text("utf-8")
        PAGE.write_text(text.replace(f"\n{written}```\n", f"\n{real}```\n", 1), "utf-8")
    else:
        assert real == written


@pytest.mark.parametrize(("body", "told"), EXAMPLES)
def test_a_verdict_is_as_the_guide_says_when_its_example_is_judged(body: str, told: str) -> None:
    """Decision, reasons and warnings, word for word."""
    hold_equal(f"{body}```\n\n```text\n{told}", f"{body}```\n\n```text\n{judged(body)}")


@pytest.mark.parametrize("session", list(playable()))
def test_a_command_prints_what_the_guide_says_when_it_is_run(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures to the digit, with the files that the guide shows beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for body in blocks("toml"):
        if name := FILE.match(body):
            (tmp_path / name[1]).write_text(body, "utf-8")
    hold_equal(session, played(session))


def test_the_guide_has_every_kind_of_verdict_when_it_is_read() -> None:
    """Nothing above passes because nothing was found."""
    decisions = [re.split(r"\W", told)[0] for _, told in EXAMPLES]
    assert {decisions.count(each) >= 3 for each in ("PROMOTE", "REJECT", "HOLD")} == {True}
    assert any("asked for their answers" in told for _, told in EXAMPLES)
    assert sum(session.count("$ flywheel simulate gate") for session in SESSIONS) >= 3
    scenarios = [name for each in SESSIONS for name in re.findall(r"--scenario (\S+)", each)]
    assert sorted(scenarios) == sorted(SCENARIOS)
    assert sum(session.count("$ flywheel policy check") for session in SESSIONS) >= 2


def test_sizes_of_a_test_set_are_those_of_the_advice_when_the_guide_lists_them() -> None:
    """The number that a HOLD would advise for this gain and disagreement."""
    header, *rows = table_after("models disagree on")
    for gain, *sizes in rows:
        for disagreement, size in zip(header[1:], sizes, strict=True):
            points, documents = int(re.sub(r"\D", "", gain)) / 100, 10**6
            share = int(re.sub(r"\D", "", disagreement)) / 100
            fixed, broken = (round(documents * (share + way * points) / 2) for way in (1, -1))
            found = exact_accuracy(
                0.8, 0.8 + points, fixed=fixed, broken=broken, documents=documents, error=0.04
            )
            needed = documents_needed(found, 0.0, 0.005, 0.04)
            assert size == f"{needed:,}", (gain, disagreement)


def test_every_key_is_listed_with_its_default_when_the_guide_lists_them() -> None:
    """No key is left out, and none is invented."""
    _, *rows = table_after("key | default |")
    listed = {named(key)[0]: default for key, default, *_ in rows}
    assert listed == {key: shown(value) for key, value in defaults().items()}


def test_every_environment_has_the_values_that_its_page_says() -> None:
    """The columns are what the files in environments/ come to."""
    section = ENVIRONMENTS.read_text("utf-8").partition("## `[policy]`")[2]
    header, *rows = tables(section)[0]
    names = header[2:5]
    assert {named(row[0])[0] for row in rows} == set(Policy.model_fields)
    for key, default, *values, _ in rows:
        (name,) = named(key)
        assert default == shown(defaults()[name]), name
        for environment, value in zip(names, values, strict=True):
            file = parse_environment(f"{environment}.toml", environment_text)
            real = file.flywheels[0].policy.model_dump(mode="json")[name]
            if name != "rules":
                assert (value or default) == shown(real), (name, environment)


def environment_text(name: str) -> str:
    """Return a file of the folder of environments."""
    return (ROOT / "environments" / name).read_text("utf-8")


def defaults() -> dict[str, Any]:
    """Return each key's default as JSON."""
    return Policy().model_dump(mode="json")


def shown(value: object) -> str:
    """Write a value as the tables do."""
    if isinstance(value, list):
        return "see above" if value else "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str) else f"{value:g}" if value != "" else "none"


def named(cell: str) -> list[str]:
    """Return the keys that a cell names."""
    return re.findall(r"`(\w+)`", cell)


def table_after(words: str) -> list[list[str]]:
    """Return the guide's first table whose heading has these words."""
    found = tables(PAGE.read_text("utf-8"))
    return next(each for each in found if words in " | ".join(each[0]))


def tables(text: str) -> list[list[list[str]]]:
    """Return all tables as rows of cells, without the lines of dashes."""
    return [
        [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in found.splitlines()
            if not line.startswith("|---")
        ]
        for found in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    ]
