from pathlib import Path

import pytest

from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment

FOLDER = Path(__file__).resolve().parents[2] / "environments"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "base")


def environment(name: str) -> Environment:
    """Return an environment as its real file describes it."""
    return parse_environment(f"{name}.toml", lambda file: (FOLDER / file).read_text("utf-8"))


def test_the_three_environments_are_there_when_the_folder_is_read() -> None:
    """A newcomer finds one to try here, one to try on AWS and one for production."""
    assert {"local", "dev", "prod"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_parses_when_its_file_is_read(name: str) -> None:
    """Every file in the folder is an environment that can be deployed."""
    parsed = environment(name)
    assert parsed.name == name
    assert parsed.flywheels


@pytest.mark.parametrize(
    ("key", "local", "dev", "prod"),
    [
        ("quiet_seconds", 1, 60, 900),
        ("max_gather_minutes", 1, 30, 60),
        ("min_documents", 1, 50, 200),
        ("max_age_hours", 1, 24, 168),
        ("min_hours_between_iterations", 0, 0, 24),
        ("iteration_deadline_hours", 1, 12, 24),
        ("poll_seconds", 2, 60, 60),
        ("service_min_per_label", 1, 10, 10),
        ("max_bad_rows", 50, 50, 50),
        ("max_bad_rows_fraction", 0.01, 0.01, 0.01),
        ("bad_rows", "leave_out", "leave_out", "leave_out"),
    ],
)
def test_batch_rules_are_as_documented_when_the_real_files_are_read(
    key: str, local: float | str, dev: float | str, prod: float | str
) -> None:
    """Small and soon on this machine, cautious in production."""
    for name, value in (("local", local), ("dev", dev), ("prod", prod)):
        for flywheel in environment(name).flywheels:
            assert getattr(flywheel.batch, key) == value, name


@pytest.mark.parametrize(("name", "seconds"), [("local", 1), ("dev", 60), ("prod", 300)])
def test_the_notice_window_is_as_documented_when_the_real_files_are_read(
    name: str, seconds: int
) -> None:
    """Upload notices are gathered the longer the more people read them."""
    assert environment(name).notifications.notice_window_seconds == seconds


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_the_policy_asks_for_a_floor_and_a_gain_when_the_real_files_are_read(name: str) -> None:
    """Every environment's champion must be useful, and better than the one before."""
    for flywheel in environment(name).flywheels:
        asked = [
            (rule.metric, kind, bound)
            for rule in flywheel.policy.all_rules()
            for kind, bound in rule.bounds()
        ]
        assert asked == [
            ("AverageF1Score", "min", 0.50),
            ("AverageF1Score", "min_improvement", 0.005),
        ]


@pytest.mark.parametrize(("name", "is_kept"), [("local", False), ("dev", True), ("prod", True)])
def test_data_is_kept_when_the_environment_is_not_local(name: str, is_kept: bool) -> None:
    """Only what lives on this machine goes away with its stack."""
    assert environment(name).keep_data is is_kept


@pytest.mark.parametrize("name", NAMES)
def test_no_file_names_an_account_or_a_person_when_it_is_shipped(name: str) -> None:
    """Whoever deploys fills in addresses; the files as shipped reach nobody."""
    parsed = environment(name)
    assert parsed.account is None
    assert parsed.notifications.emails == ()
    assert parsed.notifications.slack_webhook_secret is None
