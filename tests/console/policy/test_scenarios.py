"""The scenarios of `flywheel simulate gate`: their rows, their seeds, and what each one holds."""

import io
import json
import pickle
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from console.errors import ExitCode
from console.policy.gate_simulation import SCENARIOS
from console.policy.scenarios.scenario import Scenario, Size, simulated
from console.views.gate import scenario_table
from tests.console.command_line import invoke


def played(name: str, trials: int, *, processes: int = 1, **sizes: Size) -> list[dict[str, Any]]:
    """Return the rows of the draws with these sizes."""
    scenario = SCENARIOS[name]
    draws = [draw for draw in scenario.draws if sizes.items() <= draw.items()]
    assert draws, sizes
    return rows_of(replace(scenario, draws=draws), trials, processes=processes)


def rows_of(
    scenario: Scenario, trials: int, *, seed: int = 1, processes: int = 1
) -> list[dict[str, Any]]:
    """Return all rows of a scenario."""
    found = simulated(scenario, trials=trials, seed=seed, processes=processes)
    return [row for rows in found for row in rows]


def by_policy(rows: list[dict[str, Any]], value: str = "promoted") -> dict[str, float]:
    """Return one value of each policy's only row."""
    assert len({row["policy"] for row in rows}) == len(rows)
    return {row["policy"]: row[value] for row in rows}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_a_scenario_reaches_other_processes_when_it_is_sent(scenario: Scenario) -> None:
    """Trials are shared by processes, so a scenario must survive the way to them."""
    assert pickle.loads(pickle.dumps(scenario)) == scenario


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_a_scenario_has_a_row_for_each_draw_and_policy_when_it_is_played(
    scenario: Scenario,
) -> None:
    """With its sizes, trials and shares; the table fits 80 columns."""
    rows = rows_of(scenario, 1)
    assert len(rows) == sum(len(scenario.policies(sizes)) for sizes in scenario.draws)
    for row in rows:
        assert row["scenario"] == scenario.name
        assert row["trials"] == 1
        assert set(scenario.draws[0]) <= set(row)
        shares = [row[name] for name in ("promoted", "rejected", "held") if name in row]
        assert len(shares) == 1 or sum(shares) == 1
    # The widest values that many trials give.
    wide = [{**row, **dict.fromkeys(("promoted", "rejected", "held"), 0.99)} for row in rows]
    page = io.StringIO()
    Console(file=page, width=80).print(scenario_table(scenario, wide))
    assert "…" not in page.getvalue()


@pytest.mark.slow
def test_a_scenario_repeats_to_the_digit_when_its_seed_is_the_same() -> None:
    """However many processes share the trials; another seed gives other trials."""
    scenario = SCENARIOS["hold-and-extend"]
    rows = rows_of(scenario, 120)
    assert rows == rows_of(scenario, 120, processes=2)
    assert rows != rows_of(scenario, 120, seed=2)


def test_a_program_gets_a_list_when_a_scenario_is_simulated() -> None:
    """One object for each row of the table; people get the table with what is drawn."""
    options = ("simulate", "gate", "--scenario", "hold-and-extend", "--trials", "100")
    result = invoke(*options, "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    rows = json.loads(result.stdout)
    assert [row["difference"] for row in rows] == [0.0, 0.0, 0.03, 0.03]
    assert {"scenario", "policy", "documents", "trials", "promoted"} <= set(rows[0])
    table = invoke(*options).stdout
    assert "hold-and-extend: A challenger that is held is judged again" in table
    assert f"{100 * rows[2]['promoted']:.1f}" in table


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--scenario", "none"), "there is no such scenario"),
        (("--scenario", "hold-and-extend", "--iterations", "2"), "draws its own sizes"),
        (("--scenario", "hold-and-extend", "--difference", "0"), "draws its own sizes"),
        (("--trials", "200"), "200 trials are too few"),
    ],
)
def test_options_are_refused_when_they_do_not_go_together(
    options: tuple[str, ...], problem: str
) -> None:
    """With what to do instead."""
    result = invoke("simulate", "gate", *options)
    assert result.exit_code == ExitCode.USAGE
    assert problem in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("carriers", [30, 50])
def test_averages_promote_no_recognizer_when_few_documents_have_a_mention(carriers: int) -> None:
    """As long as lines counted as evidence, 21 % and 36 % of equal ones were promoted."""
    rows = played("entities-sparse", 40, documents_with_mentions=carriers)
    assert by_policy(rows, "promoted_by_averages") == {"paired": 0, "averages": 0}


@pytest.mark.slow
def test_averages_promote_nothing_when_the_rule_is_about_precision() -> None:
    """They do not say how often a label was predicted."""
    (row,) = played("precision-rare", 40, predicted=8)
    assert row["promoted_by_averages"] == 0
    assert row["held"] > 0


@pytest.mark.slow
def test_a_guard_rejects_no_better_model_when_a_label_lost_by_chance() -> None:
    """At sight, most would be rejected; a broken label still stops."""
    better = played("critical-labels", 100, labels=20, documents_each=30, challenger="better")
    guarded = [row for row in better if row["policy"] == "from 30"]
    assert max(row["rejected"] for row in guarded) <= 0.2
    assert min(row["rejected_at_sight"] for row in guarded) > 0.5
    broken = played("critical-labels", 100, labels=20, documents_each=30, challenger="one broken")
    promoted = {row["promoted"] for row in broken if row["policy"] == "from 30"}
    assert max(promoted) <= 0.02
    unguarded = [row["promoted"] for row in broken if row["policy"] == "from 50"]
    assert min(unguarded) > 0.05


@pytest.mark.slow
def test_a_held_pair_hardly_gains_a_chance_when_it_is_judged_again() -> None:
    """All further looks together add a fifth; they added more than the first one had."""
    equal, alone = played("hold-and-extend", 2000, difference=0.0)
    assert equal["promoted_at_first_look"] <= equal["promoted"] <= 0.05
    assert equal["promoted"] - equal["promoted_at_first_look"] <= 0.01
    assert alone["promoted"] > 0.06


@pytest.mark.slow
def test_a_strict_policy_spends_one_error_when_the_test_set_grows() -> None:
    """Each look for itself promotes noise in most histories."""
    found = by_policy(played("growing-test-set", 25))
    assert found["strict, looks_planned = 12"] <= 0.08
    assert found["strict, looks_planned = 52"] <= 0.08
    assert found["per-look"] > 0.3


def test_small_losses_stay_near_the_anchor_when_they_add_up() -> None:
    """Twenty of half a point; without an anchor the models lose two points."""
    loss = by_policy(played("non-inferiority-chain", 50, disagreement=0.02), "loss")
    assert 0 < loss["with anchor"] <= 0.016
    assert loss["champion alone"] > 0.016


@pytest.mark.slow
def test_repeated_documents_count_once_when_they_are_groups() -> None:
    """As if they were independent, one equal model in five would be promoted."""
    named = by_policy(played("repeated-documents", 60, copies=5, groups="named"))
    alone = by_policy(played("repeated-documents", 60, copies=5, groups="none"))
    assert max(named.values()) <= 0.1
    assert min(alone.values()) >= 0.12


def test_averages_hardly_promote_when_the_rare_labels_are_the_hard_ones() -> None:
    """With the harmonic mean of all labels' documents, 15 % of equal models were promoted."""
    (row,) = played(
        "macro-f1-averages",
        500,
        labels=20,
        supports="one rare",
        recalls="rare low",
        disagreement=0.4,
    )
    assert row["promoted"] <= 0.02
    assert row["held"] > 0.1


@pytest.mark.parametrize("labels", [2, 5, 20, 77])
def test_no_model_is_better_when_recalls_are_swapped(labels: int) -> None:
    """With an odd number of labels, the challenger had one good label less than the champion."""
    (row,) = played("macro-f1-averages", 500, labels=labels, recalls="swapped", disagreement=0.4)
    assert 0.4 < row["rejected"] < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("documents", [100, 300, 1000])
def test_the_advised_number_is_enough_when_the_gain_is_as_seen(documents: int) -> None:
    """In 4 of 5 cases, also where the test set is small."""
    (row,) = played("advised-number", 500, documents=documents, true_gain="as seen")
    assert 0.75 <= row["promoted"] <= 0.9


@pytest.mark.slow
def test_noise_is_promoted_in_at_most_5_percent_when_a_pair_is_judged_again() -> None:
    """5,000 chains: the standard error is 0.25 points."""
    equal, _ = played("hold-and-extend", 5000, difference=0.0)
    assert equal["promoted"] <= 0.045


@pytest.mark.slow
@pytest.mark.parametrize("labels", [2, 5, 20, 77])
def test_averages_promote_noise_in_at_most_5_percent_when_labels_disagree_most(
    labels: int,
) -> None:
    """5,000 trials of each kind of labels: the standard error is at most 0.3 points."""
    rows = played("macro-f1-averages", 5000, labels=labels, disagreement=0.4)
    assert max(row["promoted"] for row in rows) <= 0.05


@pytest.mark.slow
def test_noise_is_promoted_in_at_most_5_percent_when_documents_repeat() -> None:
    """1,000 trials of accuracy: the standard error is 0.65 points."""
    scenario = SCENARIOS["repeated-documents"]
    rows = rows_of(
        replace(
            scenario,
            draws=[{"different_documents": 150, "copies": 2, "groups": "named"}],
            policies=lambda sizes: {"accuracy": scenario.policies(sizes)["accuracy"]},
        ),
        1000,
    )
    assert by_policy(rows)["accuracy"] <= 0.05


@pytest.mark.slow
def test_noise_is_promoted_in_at_most_5_percent_when_a_strict_history_is_long() -> None:
    """300 histories of 156 looks: the standard error is about 0.9 points."""
    scenario = SCENARIOS["growing-test-set"]
    name = "strict, looks_planned = 12"
    rows = rows_of(
        replace(scenario, policies=lambda sizes: {name: scenario.policies(sizes)[name]}), 300
    )
    assert by_policy(rows)[name] <= 0.05
