"""Entity uploads in two halves, by the command, on the deployed stack."""

import csv
import json
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.environment.target import ENVIRONMENTS_FOLDER
from local_cloud.environment import LocalEnvironment, LocalSettings
from tests.console.command_line import invoke
from tests.end_to_end.conftest import RunVerb

pytestmark = pytest.mark.slow

NAMES = ("Ann", "Bob", "Cleo", "Dora", "Emil", "Fritz", "Greta", "Hugo")
PLACES = ("Bern", "Cork", "Delft", "Essen", "Fulda", "Graz", "Haifa", "Ischia")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEnvironment]:
    """Run an environment with a flywheel of entities beside the one that classifies."""
    folder = tmp_path_factory.mktemp("entities") / "environments"
    shutil.copytree(ENVIRONMENTS_FOLDER, folder)
    flywheel = """
        [flywheels.contracts]
        task = "entities"
        language = "en"
        entity_types = ["PERSON", "PLACE"]
    """
    file = folder / "local.toml"
    file.write_text(file.read_text("utf-8") + textwrap.dedent(flywheel), "utf-8")
    with LocalEnvironment(LocalSettings(environments_folder=folder)) as started:
        yield started


def write_pair(folder: Path, word: str, *, annotations: str = "annotations.csv") -> None:
    """Write documents that name a person and a place, and their annotations."""
    folder.mkdir()
    found = [(name, place) for name in NAMES for place in PLACES]
    texts = [f"{name} {word} in {place} today" for name, place in found]
    (folder / "documents.txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    with (folder / annotations).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("File", "Line", "Begin Offset", "End Offset", "Type"))
        for line, (text, pair) in enumerate(zip(texts, found, strict=True)):
            for kind, entity in zip(("PERSON", "PLACE"), pair, strict=True):
                begin = text.index(entity)
                writer.writerow(("documents.txt", line, begin, begin + len(entity), kind))


def shown(run_verb: RunVerb) -> dict[str, Any]:
    """Return the flywheel's status."""
    found: dict[str, Any] = run_verb("status", "contracts")["flywheels"][0]
    return found


def uploads() -> list[dict[str, Any]]:
    """Return what became of each upload, newest first."""
    result = invoke("uploads", "contracts", "--env", "local", "--json")
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("kind", ["test", "train"])
def test_the_first_half_waits_and_the_second_ends_it_when_they_come_one_by_one(
    run_verb: RunVerb, tmp_path: Path, kind: str
) -> None:
    """Each place names the file that is awaited; the second half is followed to its batch."""
    write_pair(tmp_path / "pair", "signs" if kind == "train" else "meets")
    options = ("contracts", "--kind", kind, "--wait")
    documents = str(tmp_path / "pair" / "documents.txt")
    waits = "documents.txt waits for annotations.csv in the same folder"
    first = run_verb("upload", documents, *options, exit_code=3)
    assert (first["state"], first["waits_for"]) == ("WAITING", waits)
    assert "lacks" not in first
    assert shown(run_verb)["halves_waiting"] == [waits]
    assert (uploads()[0]["state"], uploads()[0]["reasons"]) == ("WAITING", [waits])
    for view in (invoke("status", "contracts"), invoke("uploads", "contracts")):
        assert waits in " ".join(view.output.split())

    second = run_verb("upload", str(tmp_path / "pair" / "annotations.csv"), *options)
    if kind == "train":
        assert (second["outcome"], second["batch"]) == ("PROMOTED", 1)
    assert second["state"] == ("SEALED" if kind == "train" else "STAGED")
    assert shown(run_verb)["halves_waiting"] == []
    assert uploads()[0]["state"] == "PAIRED"
    assert uploads()[0]["paired_with"] == uploads()[1]["uid"]


def test_both_halves_are_one_upload_when_they_are_given_together(
    run_verb: RunVerb, tmp_path: Path
) -> None:
    """Wherever the annotations lie, and whatever their name is."""
    write_pair(tmp_path / "both", "writes", annotations="entities of march.csv")
    documents = str(tmp_path / "both" / "documents.txt")
    annotations = str(tmp_path / "both" / "entities of march.csv")
    options = ("contracts", "--kind", "train", "--annotations", annotations)
    result = invoke("upload", documents, *options, "--wait", "--env", "local", "--json")
    assert result.exit_code in {0, 3, 4}, result.output
    document = json.loads(result.stdout)
    assert document["state"] == "SEALED"
    assert document["companion"]["key"] == "contracts/train/annotations.csv"

    wrong = ("upload", documents, "--kind", "train", "--env", "local")
    for option, flywheel, words in (
        ("--entities", "contracts", "contracts learns from annotations"),
        ("--annotations", "tickets", "tickets classifies: an upload is one file"),
    ):
        refused = invoke(*wrong, flywheel, option, annotations)
        assert refused.exit_code == 2
        assert words in " ".join(refused.output.split())
