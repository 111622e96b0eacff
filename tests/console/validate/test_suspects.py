"""`flywheel validate` suggests which labels look wrong, and changes nothing by it."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from console.demo.sample_tickets import generate_tickets
from console.demo.tasks import csv_bytes
from console.validate import suspected_labels, suspects
from console.validate.suspects import Sample
from flywheel.intake.labeled_rows import LabeledRow
from tests.console.command_line import Run

PLANTED_EACH = 20


def with_planted(tickets: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], set[int]]:
    """Return tickets, each twentieth with another label, and the lines of these."""
    chance, labels = Random(1), sorted({label for label, _ in tickets})
    planted = set(range(7, len(tickets) + 1, PLANTED_EACH))
    return [
        (chance.choice([other for other in labels if other != label]), text)
        if line in planted
        else (label, text)
        for line, (label, text) in enumerate(tickets, 1)
    ], planted


def write(folder: Path, rows: list[tuple[str, str]]) -> str:
    """Write a file of rows and return its path."""
    path = folder / "labeled.csv"
    path.write_bytes(csv_bytes(rows))
    return str(path)


@pytest.fixture
def planted(tmp_path: Path) -> tuple[str, set[int]]:
    """Return a file of sample tickets with wrong labels, and their lines."""
    rows, lines = with_planted(list(generate_tickets(1500, seed=3)))
    return write(tmp_path, rows), lines


def suspected(run: Run, *arguments: str) -> dict[str, Any]:
    """Return what a file's labels look like."""
    result = run("validate", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)["suspected_labels"]
    return found


def test_wrong_labels_are_found_when_they_are_planted(
    run: Run, planted: tuple[str, set[int]]
) -> None:
    """Nine in ten suspicions are right, the most certain first, and most errors are found."""
    path, wrong = planted
    found = suspected(run, path)
    lines = [each["line"] for each in found["suspects"]]
    assert found["count"] == len(lines)
    assert len(wrong.intersection(lines)) >= 0.9 * len(lines)
    assert len(wrong.intersection(lines)) >= 0.5 * len(wrong)
    scores = [each["score"] for each in found["suspects"]]
    assert scores == sorted(scores, reverse=True)
    assert all(each["label"] != each["suggested"] for each in found["suspects"])


@pytest.mark.slow
def test_people_see_the_first_ones_when_there_are_many(
    run: Run, planted: tuple[str, set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many rows, a count of the rest, no text, and no other exit code."""
    path, _ = planted
    monkeypatch.setattr(suspects, "SHOWN", 5)
    result = run("validate", path)
    count = suspected(run, path)["count"]
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "wrong to a model that has not seen the row (1,500 rows checked)" in words
    assert f"and {count - 5} more; --json lists them all." in words
    assert "This is a suggestion and refuses nothing" in words
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.slow
def test_nothing_is_suspected_when_labels_are_right(run: Run, tmp_path: Path) -> None:
    """Next to nothing: the labels of sample tickets are right, but some texts say little."""
    found = suspected(run, write(tmp_path, list(generate_tickets(800, seed=4))))
    assert (found["looked_at"], found["count"] <= 12) == (800, True)


def test_labels_are_not_looked_at_when_that_is_not_wanted(
    run: Run, planted: tuple[str, set[int]]
) -> None:
    """The report stands alone."""
    result = run("validate", planted[0], "--no-suspects", "--json")
    assert "suspected_labels" not in json.loads(result.stdout)
    assert "wrong" not in run("validate", planted[0], "--no-suspects").stdout


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("A", f"word {n}") for n in range(30)], "fewer than 50 rows"),
        ([("A", f"word {n}") for n in range(60)], "fewer than two labels have 10 rows"),
        (
            [("A" if n > 4 else "B", f"word {n}") for n in range(60)],
            "fewer than two labels have 10 rows",
        ),
        (
            [("A" if n % 2 else "B", "?" * (n + 1)) for n in range(60)],
            "The training documents have no words.",
        ),
    ],
)
def test_it_is_said_why_when_labels_cannot_be_looked_at(
    run: Run, tmp_path: Path, rows: list[tuple[str, str]], reason: str
) -> None:
    """A program reads the reason; people are told of a good file as ever."""
    path = write(tmp_path, rows)
    found = suspected(run, path)
    assert (found["looked_at"], found["count"], found["reason"]) == (0, 0, reason)
    assert "labeled.csv: OK" in run("validate", path).stdout


@pytest.mark.slow
def test_several_labels_are_looked_at_when_the_mode_says_so(run: Run, tmp_path: Path) -> None:
    """A row is suspected where none of its labels is likely."""
    rows, wrong = with_planted(list(generate_tickets(1500, seed=5)))
    found = suspected(run, write(tmp_path, rows), "--mode", "multi-label", "--delimiter", "|")
    lines = {each["line"] for each in found["suspects"]}
    assert lines
    assert len(lines & wrong) >= 0.9 * len(lines)


def test_a_refused_file_is_not_looked_at_when_it_has_many_rows(run: Run, tmp_path: Path) -> None:
    """Its faults come first."""
    rows = [*generate_tickets(100, seed=1), ("", "no label"), ("", "none either")]
    result = run("validate", write(tmp_path, rows), "--json")
    assert result.exit_code == 1
    assert "suspected_labels" not in json.loads(result.stdout)


@pytest.mark.slow
def test_the_report_is_told_when_the_looking_is_stopped(
    run: Run, planted: tuple[str, set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the eighth of ten: what two parts found is told, and the code says stopped."""
    real: Any = vars(suspected_labels)["train_classifier"]
    parts: list[Any] = []

    def stopped(*args: Any, **options: Any) -> Any:
        parts.append(args)
        if len(parts) % 8 == 0:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(suspected_labels, "train_classifier", stopped)
    result = run("validate", planted[0])
    words = " ".join(result.stdout.split())
    assert result.exit_code == 130
    assert "labeled.csv: OK, 1,500 documents" in words
    assert "Stopped looking for wrong labels; the report above is complete." in words
    assert "600 of 1,500 rows checked" in words
    document = json.loads(run("validate", planted[0], "--json").stdout)
    assert document["documents"] == 1500
    assert document["suspected_labels"]["reason"] == "stopped before all rows were checked"


def test_a_part_is_drawn_when_there_are_too_many_rows() -> None:
    """Each row is as likely as any other, with its own line."""
    sample = Sample(most=100)
    sample.take_all((line, LabeledRow("A", f"text {line}")) for line in range(1, 1001))
    assert (sample.seen, len(sample.rows)) == (1000, 100)
    assert all(row.text == f"text {line}" for line, row in sample.rows)
    assert 400 < sum(line for line, _ in sample.rows) / 100 < 600
