"""`flywheel policy check` and `flywheel simulate gate`, as people and programs run them."""

import json
from pathlib import Path

import pytest

from console.errors import ExitCode
from console.policy import odds as policy_odds
from flywheel.evaluation.advice import documents_needed
from flywheel.evaluation.comparisons import exact_accuracy
from flywheel.settings.environment_file import parse_environment
from tests.console.command_line import invoke

FLYWHEEL = """
[flywheels.tickets]
task = "classification"
mode = "multi-class"
language = "en"
labels = ["FRAUD", "OTHER"]
"""


def simulated(*options: str) -> dict[str, float]:
    """Return how often each policy promotes in one cell."""
    result = invoke("simulate", "gate", *options, "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    cells = json.loads(result.stdout)
    assert {tuple(cell) for cell in cells} == {
        ("policy", "difference", "test_documents", "disagreement", "iterations", "promoted")
    }
    return {cell["policy"]: cell["promoted"] for cell in cells}


@pytest.mark.slow
@pytest.mark.parametrize("documents", ["50", "100", "200", "500", "1000", "2000", "5000", "10000"])
def test_noise_is_not_promoted_when_both_models_are_equally_good(documents: str) -> None:
    """At most 5 % of the looks with evidence, over 40 % without, at every size."""
    found = simulated("--difference", "0", "--test-documents", documents)
    assert found["paired"] <= 0.05
    assert found["averages"] <= min(0.05, found["paired"])
    assert found["higher-wins"] > 0.4


@pytest.mark.slow
@pytest.mark.parametrize("documents", ["50", "100", "200", "1000"])
def test_a_worse_model_hardly_ever_wins_when_evidence_is_asked_for(documents: str) -> None:
    """Two points worse; non-inferiority with a margin of one point errs in 5 %."""
    found = simulated("--difference", "-0.02", "--test-documents", documents)
    assert found["paired"] <= 0.005
    assert found["averages"] <= found["paired"]
    assert found["non-inferiority"] <= 0.05
    assert found["higher-wins"] > 10 * found["paired"]


@pytest.mark.slow
def test_a_better_model_goes_live_when_the_test_set_is_large_enough() -> None:
    """Three points better on 1,000 documents; averages alone find it less often."""
    found = simulated("--difference", "0.03", "--test-documents", "1000")
    assert found["paired"] >= 0.85
    assert 0.3 < found["averages"] < found["paired"]


@pytest.mark.slow
def test_all_looks_share_one_error_when_a_family_is_strict() -> None:
    """Equal models over twelve looks at one test set; each look for itself errs far more often."""
    found = simulated("--difference", "0", "--test-documents", "100", "--iterations", "12")
    assert found["paired-strict"] <= 0.05 < found["paired"]


@pytest.mark.slow
def test_the_advised_number_is_enough_when_a_gain_is_as_observed() -> None:
    """A verdict that holds names how many documents would show its gain in 4 of 5 cases."""
    held = exact_accuracy(0.8, 0.84, fixed=14, broken=6, documents=200, error=0.05)
    assert not held.shows_gain
    needed = documents_needed(held, 0.0, 0.005, 0.04)
    assert needed is not None
    found = simulated("--difference", "0.04", "--test-documents", str(needed))
    assert 0.78 <= found["paired"] <= 0.88


@pytest.mark.slow
def test_a_run_repeats_to_the_digit_when_its_seed_is_the_same() -> None:
    """And another seed gives other trials."""
    options = ("--difference", "0.03", "--test-documents", "50")
    assert simulated(*options) == simulated(*options)
    assert simulated(*options) != simulated(*options, "--seed", "2")


def test_a_difference_is_refused_when_the_models_hardly_disagree() -> None:
    """Models cannot differ by more than they disagree."""
    result = invoke("simulate", "gate", "--difference", "0.3")
    assert result.exit_code == ExitCode.USAGE
    assert "disagree on at least 0.3 of all documents, not on 0.1" in result.stderr


@pytest.mark.slow
def test_people_get_a_table_when_they_simulate() -> None:
    """It fits 80 columns, with every policy."""
    result = invoke("simulate", "gate", "--test-documents", "50", "--iterations", "2")
    assert result.exit_code == ExitCode.DONE
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout


def test_a_policy_is_explained_when_it_is_checked(tmp_path: Path) -> None:
    """In plain words, with its hash, and the same as JSON."""
    file = tmp_path / "dev.toml"
    file.write_text('[policy]\ncritical_labels = ["FRAUD"]\nmode = "shadow"\n' + FLYWHEEL)
    result = invoke("policy", "check", "--file", str(file))
    assert result.exit_code == ExitCode.DONE
    words = " ".join(result.stdout.split())
    assert (
        "F1Score of 'FRAUD' may drop by at most 0.05. A larger drop of a label that is seen holds"
        in words
    )
    assert "no model is ever made active" in words
    (document,) = json.loads(invoke("policy", "check", "--file", str(file), "--json").stdout)
    assert document["policy"]["critical_labels"] == ["FRAUD"]
    assert document["policy_sha256"][:12] in words


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("rules = []", "tickets.policy.rules: at least one rule is needed"),
        (
            'rules = [{ metric = "F9", min = 0.5 }]',
            "tickets.policy.rules.0.metric: Input should be 'AverageF1Score', 'AveragePrecision'",
        ),
        (
            'rules = [{ metric = "AverageF1Score", max = 0.5 }]',
            "more is better for every metric, so its bound is `min`",
        ),
        ('comparison = "non-inferiority"\nmargin = 2', "tickets.policy.margin"),
        ("margin = 0.02", "margin = 0.02 goes with"),
        ('critical_labels = ["FRAUD", "FRAUD"]', "named twice: FRAUD"),
        (
            'rules = [{ metric = "AverageF1Score", min_improvement = 0.01 }, '
            '{ metric = "AverageF1Score", max_drop = 0.02 }]',
            "min_improvement and max_drop of AverageF1Score contradict each other",
        ),
    ],
)
def test_a_policy_is_refused_when_it_is_wrong(tmp_path: Path, policy: str, said: str) -> None:
    """The file, the key, the value, and what is allowed."""
    (tmp_path / "dev.toml").write_text(f"[policy]\n{policy}\n{FLYWHEEL}")
    result = invoke("policy", "check", "--file", str(tmp_path / "dev.toml"))
    assert result.exit_code == ExitCode.USAGE
    assert "dev.toml" in result.stderr
    assert said in result.stderr


def test_a_file_is_checked_whatever_it_is_called(tmp_path: Path) -> None:
    """A name that no environment could have hides nothing of what is wrong inside."""
    file = tmp_path / "b01_My draft.toml"
    file.write_text(f"[policy]\nrules = []\n{FLYWHEEL}")
    assert "at least one rule is needed" in invoke("policy", "check", "--file", str(file)).stderr


def test_accuracy_is_refused_when_the_flywheel_is_a_recognizer(tmp_path: Path) -> None:
    """Nobody measures it, so the rule would hold every challenger."""
    task = '[flywheels.names]\ntask = "entities"\nlanguage = "en"\nentity_types = ["PERSON"]\n'
    rules = 'rules = [{ metric = "AverageAccuracy", min = 0.5 }]'
    (tmp_path / "dev.toml").write_text(f"{task}[policy]\n{rules}\n")
    result = invoke("policy", "check", "--file", str(tmp_path / "dev.toml"))
    assert result.exit_code == ExitCode.USAGE
    assert "is not measured of a recognizer" in result.stderr


def test_a_flywheel_is_refused_when_the_file_has_no_such(tmp_path: Path) -> None:
    """The known ones are named; so are the known environments."""
    (tmp_path / "dev.toml").write_text(FLYWHEEL)
    result = invoke("policy", "check", "mails", "--file", str(tmp_path / "dev.toml"))
    assert result.exit_code == ExitCode.USAGE
    assert "Use one of: tickets" in result.stderr
    missing = invoke("policy", "check", "--file", str(tmp_path / "none.toml"))
    assert "there is no such file" in missing.stderr
    nowhere = invoke("policy", "check", "--env", "nowhere")
    assert "Use one of: dev, local, prod" in nowhere.stderr


@pytest.mark.parametrize("verb", [("pause",), ("approve", "1"), ("reject", "1"), ("rollback",)])
def test_a_reason_is_refused_when_it_says_nothing(verb: tuple[str, ...]) -> None:
    """It goes into the audit, which is read long after."""
    result = invoke(*verb, "--reason", " ", "--env", "local")
    assert result.exit_code == ExitCode.USAGE
    assert "give the reason in a few words" in result.stderr


def test_a_policy_is_simulated_once_when_flywheels_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All names stand in one line; programs get the odds of each flywheel."""
    monkeypatch.setattr(policy_odds, "_MOST_TRIALS", 50)
    file = tmp_path / "dev.toml"
    file.write_text(f"{FLYWHEEL}{FLYWHEEL.replace('tickets', 'mails')}")
    options = ("policy", "check", "--file", str(file), "--test-documents", "100")
    result = invoke(*options)
    assert result.exit_code == ExitCode.DONE, result.stderr
    words = " ".join(result.stdout.split())
    assert words.count("policy ") - words.count("The policy") == 1
    assert "mails, tickets in dev, policy" in words or "tickets, mails in dev, policy" in words
    assert words.count("On 100 test documents it promotes, of simulated challengers") == 1
    documents = json.loads(invoke(*options, "--json").stdout)
    assert {document["flywheel"] for document in documents} == {"tickets", "mails"}
    assert documents[0]["odds"] == documents[1]["odds"]
    shown = {each["difference"]: each for each in documents[0]["odds"]}
    assert shown.keys() == {0.0, 0.03, -0.02}
    assert f"equally good {100 * shown[0.0]['promoted']:.1f} %" in words
    assert "Each rate is of 50 trials, ± is its standard error." in words
    assert shown[-0.02]["promoted"] <= shown[0.03]["promoted"]
    assert all(0 < each["standard_error"] < 0.2 for each in shown.values())


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ('task = "classification"\nmode = "multi-label"\nlabels = ["A", "B", "C"]', 3),
        ('task = "entities"\nentity_types = ["PERSON"]', 1),
    ],
)
def test_odds_are_drawn_for_the_task_when_a_policy_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, labels: int
) -> None:
    """Better models are promoted more often than equal ones, those more often than worse ones."""
    monkeypatch.setattr(policy_odds, "_MOST_TRIALS", 100)
    (tmp_path / "dev.toml").write_text(f'[flywheels.notes]\nlanguage = "en"\n{task}\n')
    settings = parse_environment("dev.toml", lambda _: (tmp_path / "dev.toml").read_text("utf-8"))
    (flywheel,) = settings.flywheels
    drawn = policy_odds.task_of(flywheel)
    assert len(drawn.labels) == labels
    equal, better, worse = policy_odds.odds([(flywheel.policy, drawn)], 400, processes=1)[0]
    assert equal.trials == better.trials == worse.trials == 100
    assert worse.promoted <= equal.promoted <= 0.15
    assert better.promoted > equal.promoted + 0.3
