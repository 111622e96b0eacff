"""An environment's file made from one's own labeled file, and how it is then run."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from console.commands import files as init_verb
from console.demo.tasks import Row, csv_bytes
from console.environment.environments import environment_settings
from console.environment.local_copy import local_copy
from tests.console.command_line import Run

ROWS: list[Row] = [
    (label, f"{label} says {number}") for label in ("hot, dry", "wet") for number in range(12)
]


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have files written into a folder of the test's own."""
    folder = tmp_path / "environments"
    folder.mkdir()
    monkeypatch.setattr(init_verb, "ENVIRONMENTS_FOLDER", folder)
    return folder


def labeled(tmp_path: Path, rows: list[Row], name: str = "My Tickets.csv") -> str:
    """Write rows as a labeled file."""
    path = tmp_path / name
    path.write_bytes(csv_bytes(rows))
    return str(path)


def answer(result: Result) -> Any:
    """Return the one JSON document on standard output."""
    return json.loads(result.stdout)


def test_a_flywheel_has_the_files_labels_when_it_is_made(
    run: Run, tmp_path: Path, environments: Path
) -> None:
    """The file parses, runs here, and names what to do next."""
    result = run("init", labeled(tmp_path, ROWS), "--json")
    assert result.exit_code == 0, result.stderr
    document = answer(result)
    assert document["environment"] == "my-tickets"
    (flywheel,) = environment_settings("my-tickets", environments).flywheels
    assert (flywheel.name, flywheel.labels) == ("my-tickets", ("hot, dry", "wet"))
    assert flywheel.policy.approve_first == 0
    assert local_copy("my-tickets", environments).replaced
    up, upload = document["next"]
    assert up.endswith("flywheel up --env my-tickets")
    assert upload.endswith("' my-tickets --kind train --wait --env local")


def test_documents_may_have_several_labels_when_the_task_says_so(
    run: Run, tmp_path: Path, environments: Path
) -> None:
    """Labels are parted at the delimiter, and the language is the given one."""
    rows = [("a~b", f"both {n}") for n in range(12)] + [("b", f"one {n}") for n in range(12)]
    options = ("--task", "multi-label", "--delimiter", "~", "--language", "de", "--name", "topics")
    assert run("init", labeled(tmp_path, rows), *options).exit_code == 0
    (flywheel,) = environment_settings("topics", environments).flywheels
    assert (flywheel.labels, flywheel.label_delimiter) == (("a", "b"), "~")
    assert (flywheel.mode, flywheel.language) == ("multi-label", "de")


def test_types_are_those_annotated_when_the_task_is_entities(
    run: Run, tmp_path: Path, environments: Path
) -> None:
    """Documents come with their annotations beside them."""
    (tmp_path / "documents.txt").write_text("Mary sings\n", "utf-8")
    (tmp_path / "annotations.csv").write_text(
        "File,Line,Begin Offset,End Offset,Type\ndocuments.txt,0,0,4,PERSON\n", "utf-8"
    )
    file = str(tmp_path / "documents.txt")
    result = run("init", file, "--task", "entities", "--name", "people")
    assert result.exit_code == 0, result.output
    assert "--annotations" in result.output
    (flywheel,) = environment_settings("people", environments).flywheels
    assert flywheel.entity_types == ("PERSON",)


def test_nothing_is_overwritten_when_the_file_exists(
    run: Run, tmp_path: Path, environments: Path
) -> None:
    """An environment that somebody has deployed is not replaced."""
    file = labeled(tmp_path, ROWS)
    assert run("init", file).exit_code == 0
    before = (environments / "my-tickets.toml").read_text("utf-8")
    result = run("init", file, "--language", "de")
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert (environments / "my-tickets.toml").read_text("utf-8") == before


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("My Tickets", "no environment can have this name"),
        ("", "no environment can have this name"),
        ("much-too-long", "no environment can have this name"),
        ("here", "/environments/here.toml exists already"),
    ],
)
def test_a_name_is_refused_before_the_file_is_read(
    run: Run, tmp_path: Path, environments: Path, name: str, problem: str
) -> None:
    """The error is the option's, and says nothing of rows that nobody had to look at."""
    (environments / "here.toml").write_text("")
    result = run("init", labeled(tmp_path, [("", "no label")]), "--name", name)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"--name {name}: ")
    assert problem in result.stderr
    assert "REFUSED" not in result.output
    assert [path.name for path in environments.iterdir()] == ["here.toml"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"label,text\nA,one\n", "looks like a header"),
        (csv_bytes([("A", f"text {n}") for n in range(30)]), "2 to 1,000 labels"),
        (csv_bytes([(f"text {n}", "A") for n in range(1200)]), "--label 2 --text 1"),
        (csv_bytes([(f"text {n}", f"L{n % 3}") for n in range(90)]), "--label 2 --text 1"),
        (csv_bytes([*ROWS, ("", "no label")]), "REFUSED 1 of 25 rows"),
    ],
    ids=["header", "one label", "many swapped", "swapped", "bad row"],
)
def test_nothing_is_written_when_the_file_makes_no_flywheel(
    run: Run, tmp_path: Path, environments: Path, content: bytes, words: str
) -> None:
    """What is wrong is said, and what to do."""
    (tmp_path / "mine.csv").write_bytes(content)
    result = run("init", str(tmp_path / "mine.csv"))
    assert result.exit_code == 1, result.output
    assert words in " ".join(result.output.split())
    assert not list(environments.iterdir())


def test_it_is_remarked_when_labels_look_wrong(
    run: Run, tmp_path: Path, environments: Path
) -> None:
    """Scarce labels are named."""
    rows = [(f"L{number % 10}", f"text {number}") for number in range(30)]
    result = run("init", labeled(tmp_path, rows))
    assert result.exit_code == 0
    words = " ".join(result.output.split())
    assert "Fewer than 10 training documents" in words
    assert (environments / "my-tickets.toml").is_file()


def test_no_other_environment_runs_when_the_named_one_is_unknown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither --env nor FLYWHEEL_ENV falls back to local."""
    for arguments in (("up", "--env", "nowhere"), ("--env", "nowhere", "up")):
        result = run(*arguments)
        assert (result.exit_code, "--env nowhere" in result.stderr) == (2, True), result.output
    monkeypatch.setenv("FLYWHEEL_ENV", "nowhere")
    assert run("up").exit_code == 2
