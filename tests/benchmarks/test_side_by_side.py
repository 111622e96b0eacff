"""The engine alone on tiny sets, as a measured process; and what is said of peers."""

import random
from pathlib import Path

from benchmarks import classification, entities
from benchmarks.side_by_side import ENGINE, Cost, Outcome, verdicts
from benchmarks.tables import Result
from console.sample_tickets import generate_tickets
from flywheel.labeled_documents import Row, csv_line


def test_classification_is_measured_when_the_engine_is_alone(tmp_path: Path) -> None:
    """One row with all figures, and the notes say that nobody stood beside it."""
    tickets = [csv_line(Row(label, text)) for label, text in generate_tickets(120, seed=1)]
    (tmp_path / "train.csv").write_text("".join(tickets[:90]), "utf-8")
    (tmp_path / "test.csv").write_text("".join(tickets[90:]), "utf-8")
    result = classification.compared(tmp_path, runs=1, ways=[ENGINE])
    assert [len(row) for row in result.rows] == [len(result.columns)]
    assert result.rows[0][0] == ENGINE
    assert result.notes[0] == "No peer was measured."
    assert result.notes[1].startswith("90 documents, 30 more to test, 8 labels, one a document.")


def test_sets_share_one_table_when_several_are_measured() -> None:
    """Each row and each note says whose it is."""
    results = {
        name: Result(name, ("way", "wall, s"), [(ENGINE, seconds)], ("No peer was measured.",))
        for name, seconds in (("spam", "0.1"), ("intents", "0.2"))
    }
    table = classification.one_table(results)
    assert table.columns == ("set", "way", "wall, s")
    assert table.rows == [("spam", ENGINE, "0.1"), ("intents", ENGINE, "0.2")]
    assert table.notes == ["spam. No peer was measured.", "intents. No peer was measured."]


def test_entities_are_measured_when_the_engine_is_alone(tmp_path: Path) -> None:
    """The same of mentions."""
    chance = random.Random(1)
    for part in ("train", "test"):
        entities.write(tmp_path / part, *entities.patterns(chance, 40))
    result = entities.compared(tmp_path, runs=1, ways=[ENGINE])
    assert [len(row) for row in result.rows] == [len(result.columns)]
    assert result.notes[0] == "No peer was measured."


def test_mentions_are_where_they_were_when_a_set_is_read_again(tmp_path: Path) -> None:
    """Patterns give each mention's place in the text that is written."""
    documents, mentions = entities.patterns(random.Random(1), 20)
    entities.write(tmp_path / "train", documents, mentions)
    assert entities.read(tmp_path / "train") == (documents, mentions)


def test_only_good_peers_are_to_be_as_fast_as_when_some_are_hasty() -> None:
    """A bad peer's time is no measure, its memory is where it is of the named kin."""
    found = {
        ENGINE: Outcome({"F1": 0.92}, Cost(2.0, 3.0, 300.0)),
        "good": Outcome({"F1": 0.90}, Cost(4.0, 4.0, 500.0)),
        "nearly": Outcome({"F1": 0.895}, Cost(2.5, 2.0, 400.0)),
        "lean hasty": Outcome({"F1": 0.5}, Cost(0.1, 0.1, 100.0)),
    }
    assert verdicts(found, "lean") == [
        "Quality (F1): 0.9200, the best peer (good) 0.9000: difference +0.0200.",
        "Wall: 2.00 s, the fastest peer within 0.01 of the best (nearly) 2.50 s: ratio 0.80.",
        "CPU: 3.00 s, the fastest peer within 0.01 of the best (nearly) 2.00 s: ratio 1.50.",
        "Memory: 300 MiB, the leanest way of lean (lean hasty) 100 MiB: ratio 3.00.",
    ]
