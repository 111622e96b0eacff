"""The same story on data of the user's own."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.sample_tickets import generate_tickets

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

Demo = Callable[..., dict[str, Any]]


def test_one_csv_is_enough_when_there_is_no_test_set(tmp_path: Path, run_demo: Demo) -> None:
    """A fifth of it becomes the test set, and three iterations are judged."""
    folder = tmp_path / "My Tickets (2026)"
    folder.mkdir()
    with (folder / "all.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(generate_tickets(600, seed=3))
    story = run_demo("--data", str(folder))
    assert len(story["iterations"]) == 4
    assert story["iterations"][0]["verdict"] == "PROMOTE"
    assert story["iterations"][2]["verdict"] != "PROMOTE"
    first, second, _, rebuilt = story["iterations"]
    assert story["active_model"] in {
        iteration["trained_model"] for iteration in (first, second, rebuilt)
    }


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real labeled sets are not here")
@pytest.mark.parametrize(
    ("name", "second"), [("banking77", {"PROMOTE"}), ("sms_spam", {"PROMOTE", "REJECT", "HOLD"})]
)
def test_real_data_is_judged_when_the_demo_runs_on_it(
    name: str, second: set[str], run_demo: Demo
) -> None:
    """More real data promotes where it helps, and mislabeled data never does."""
    story = run_demo("--data", str(SHARED / name))
    verdicts = [iteration["verdict"] for iteration in story["iterations"]]
    assert verdicts[0] == "PROMOTE"
    assert verdicts[1] in second
    assert verdicts[2] != "PROMOTE"
    assert all(iteration["rules"] for iteration in story["iterations"])
