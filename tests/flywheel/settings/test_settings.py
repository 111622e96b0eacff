import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from flywheel.errors import SettingsError
from flywheel.settings.environment import (
    BatchRules,
    Environment,
    FlywheelSettings,
    Notifications,
    ReceivedSettings,
)
from flywheel.settings.environment_file import parse_environment
from flywheel.settings.policy import MetricName, Policy, Rule
from tests.flywheel.settings.environment_texts import ADOPTED, FLYWHEEL, parse


def test_tables_are_merged_when_a_file_extends_another() -> None:
    """A table within is merged, anything else is replaced, over several files."""
    environment = parse(
        'extends = "team.toml"\n[batch]\nmin_documents = 3\n[notifications]\nemails = ["a@b.cd"]',
        team_toml='extends = "base.toml"\n[batch]\nmin_documents = 2\nquiet_seconds = 2',
        base_toml="[batch]\nquiet_seconds = 1\npoll_seconds = 70\n[notifications]\n"
        'emails = ["x@y.zz", "z@y.xx"]\nnotice_window_seconds = 9' + FLYWHEEL,
    )
    batch = environment.flywheels[0].batch
    assert (batch.min_documents, batch.quiet_seconds, batch.poll_seconds) == (3, 2, 70)
    assert environment.notifications.emails == ("a@b.cd",)
    assert environment.notifications.notice_window_seconds == 9
    assert environment.name == "dev"


@pytest.mark.parametrize(
    ("own", "labels"),
    [
        ('labels = ["C", "D"]', ("C", "D")),
        ('labels_file = "own.txt"', ("E", "F")),
        ('language = "de"', ("A", "B")),
    ],
)
@pytest.mark.parametrize("below", ['labels = ["A", "B"]', 'labels_file = "base.txt"'])
def test_the_labels_are_displaced_when_an_extending_file_gives_others(
    below: str, own: str, labels: tuple[str, ...]
) -> None:
    """A base's labels count only where the extending file says nothing, written either way."""
    environment = parse(
        f'extends = "base.toml"\n[flywheels.tickets]\n{own}',
        base_toml=FLYWHEEL.replace('labels = ["A", "B"]', below),
        base_txt="A\nB\n",
        own_txt="E\nF\n",
    )
    assert environment.flywheels[0].labels == labels


def test_a_new_flywheel_is_displaced_when_an_extending_file_adopts() -> None:
    """What a base says of a new flywheel is gone, over several files, but not its batch rules."""
    rules = "[flywheels.tickets.batch]\nmin_documents = 7"
    environment = parse(
        f'extends = "team.toml"{ADOPTED}',
        team_toml='extends = "base.toml"\n[flywheels.tickets]\nlabels_file = "gone.txt"',
        base_toml=FLYWHEEL + rules + FLYWHEEL.replace("tickets", "intents"),
    )
    by_name = {flywheel.name: flywheel for flywheel in environment.flywheels}
    adopted = by_name["tickets"]
    assert adopted.adopt is not None
    assert (adopted.task, adopted.mode, adopted.language, adopted.labels) == (None,) * 4
    assert adopted.batch.min_documents == 7
    assert by_name["intents"].labels == ("A", "B")


@pytest.mark.parametrize(
    ("hours", "seconds", "looks"), [(1, 2, 1800), (30, 60, 1800), (72, 144, 1800), (1, 900, 4)]
)
def test_a_deadline_is_taken_when_its_looks_fit_a_workflow(
    hours: int, seconds: int, looks: int
) -> None:
    """The most looks are allowed, one more is not (`test_settings_refused`)."""
    text = f"[batch]\niteration_deadline_hours = {hours}\npoll_seconds = {seconds}" + FLYWHEEL
    assert parse(text).flywheels[0].batch.iteration_looks == looks


def test_a_flywheel_overrides_when_the_environment_has_defaults() -> None:
    """The environment's batch rules and policy hold for each flywheel that says nothing else."""
    own = (
        "[flywheels.tickets.batch]\nmin_documents = 7\n"
        '[[flywheels.tickets.policy.rules]]\nmetric = "AverageRecall"\nmin = 0.9\n'
    )
    environment = parse(
        "[batch]\nmin_documents = 5\nquiet_seconds = 5\n"
        '[[policy.rules]]\nmetric = "AverageF1Score"\nmin = 0.6\n'
        + FLYWHEEL
        + own
        + FLYWHEEL.replace("tickets", "intents")
    )
    by_name = {flywheel.name: flywheel for flywheel in environment.flywheels}
    assert by_name["tickets"].batch.min_documents == 7
    assert by_name["tickets"].batch.quiet_seconds == 5
    assert by_name["tickets"].policy.rules[0].metric == "AverageRecall"
    assert by_name["intents"].batch.min_documents == 5
    assert by_name["intents"].policy.rules[0].min == 0.6


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("A\nB\n", ("A", "B")),
        ("A\r\nB\r\n", ("A", "B")),
        ("\n  A b \n\n\tÜ\n", ("A b", "Ü")),
        ("A\nB, with a comma", ("A", "B, with a comma")),
    ],
)
def test_labels_are_read_when_a_file_holds_them(text: str, labels: tuple[str, ...]) -> None:
    """One label a line; blank lines and blanks around a label do not count."""
    given = FLYWHEEL.replace('labels = ["A", "B"]', 'labels_file = "labels/mine.txt"')
    assert parse(given, labels_mine_txt=text).flywheels[0].labels == labels


def test_a_whole_number_is_taken_when_a_fraction_is_asked() -> None:
    """TOML's 1 is as good as 1.0."""
    environment = parse('[[policy.rules]]\nmetric = "AverageF1Score"\nmin = 1\n' + FLYWHEEL)
    assert environment.flywheels[0].policy.rules[0].min == 1.0


def test_nothing_but_the_arns_is_needed_when_a_flywheel_is_adopted() -> None:
    """Task, mode, language and labels come from the existing flywheel."""
    (flywheel,) = parse(ADOPTED).flywheels
    assert str(flywheel.adopt).endswith("flywheel/old-one")
    assert (flywheel.task, flywheel.mode, flywheel.language, flywheel.labels) == (None,) * 4
    assert flywheel.batch == BatchRules()


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((Rule(metric="AverageRecall", min=0.9),), ["min", "min_improvement"]),
        ((Rule(metric="AverageRecall", min_improvement=0.01),), ["min", "min_improvement"]),
        ((Rule(metric="AverageRecall", min=0.9, min_improvement=0.0),), ["min+min_improvement"]),
    ],
)
def test_a_policy_has_a_floor_and_an_improvement_when_it_names_none(
    rules: tuple[Rule, ...], expected: list[str]
) -> None:
    """No policy promotes a useless first model or a tie."""
    policy = Policy(rules=rules)
    kinds = [
        "+".join(kind for kind in ("min", "min_improvement") if getattr(rule, kind) is not None)
        for rule in policy.all_rules()
    ]
    assert kinds == expected
    assert Policy.model_validate(policy.model_dump()) == policy


def test_the_defaults_are_cautious_when_nothing_is_said() -> None:
    """What a file leaves out has production's values."""
    (flywheel,) = parse(FLYWHEEL).flywheels
    assert flywheel.policy.all_rules() == (
        Rule(metric="AverageF1Score", min=0.5),
        Rule(metric="AverageF1Score", min_improvement=0.005),
    )
    assert (flywheel.batch.max_bad_rows, flywheel.batch.max_bad_rows_fraction) == (50, 0.01)
    assert flywheel.batch.bad_rows == "leave_out"
    assert Notifications().notice_window_seconds == 300


@pytest.mark.parametrize("text", [FLYWHEEL, ADOPTED])
def test_settings_arrive_whole_when_the_functions_receive_them(text: str) -> None:
    """All but the labels comes back from what the functions are sent."""
    (sent,) = parse("[batch]\nmin_documents = 7\n" + text).flywheels
    received = ReceivedSettings.from_document(json.loads(sent.for_functions()))
    assert received.labels is None
    assert received.model_dump(exclude={"labels"}) == sent.model_dump(exclude={"labels"})
    assert received.model_dump_json(exclude_none=True) == sent.for_functions()


def test_unknown_keys_are_left_out_when_another_release_sent_them() -> None:
    """A deploy while an iteration runs does no harm, whichever side is new."""
    (sent,) = parse(FLYWHEEL).flywheels
    document = json.loads(sent.for_functions())
    expected = ReceivedSettings.from_document(document)
    document["colour"] = {"red": 1}
    document["batch"]["colour"] = "red"
    document["policy"]["colour"] = ["red"]
    for rule in document["policy"]["rules"]:
        rule["colour"] = 0.5
    assert ReceivedSettings.from_document(document) == expected
    assert document["batch"]["colour"] == "red"


def test_defaults_count_when_another_release_sent_less() -> None:
    """Whole sections may be missing, and looks that synth refuses are taken as they came."""
    document = {"name": "tickets", "batch": {"poll_seconds": 1}}
    received = ReceivedSettings.from_document(document)
    assert received.batch == BatchRules(poll_seconds=1)
    assert received.policy == Policy()


@pytest.mark.parametrize(
    ("document", "file", "problem"),
    [
        (
            {"name": "tickets", "batch": {"quiet_seconds": "1", "colour": 1}},
            "settings of tickets",
            "batch.quiet_seconds: Input should be a valid integer (given: '1')",
        ),
        (
            {"name": "tickets", "policy": {"rules": [{"metric": "F9", "min": 0.5}]}},
            "settings of tickets",
            "policy.rules.0.metric: Input should be 'AverageF1Score', ",
        ),
        (
            {"name": "tickets", "policy": {"rules": [{"metric": "AverageRecall", "max": 1}]}},
            "settings of tickets",
            "policy.rules.0: a rule needs `min`, `min_improvement` or `max_drop`",
        ),
        (
            {"name": "tickets", "batch": 3},
            "settings of tickets",
            "batch: Input should be a valid dictionary",
        ),
        ({}, "settings of a flywheel without a name", "name: Field required"),
    ],
)
def test_received_settings_are_refused_when_what_remains_is_wrong(
    document: dict[str, Any], file: str, problem: str
) -> None:
    """The error is one of ours, with the flywheel and the key."""
    with pytest.raises(SettingsError) as caught:
        ReceivedSettings.from_document(document)
    assert caught.value.file == file
    (told,) = caught.value.problems
    assert told.startswith(problem)


def test_settings_stay_small_when_a_flywheel_has_the_most_labels() -> None:
    """A thousand long labels do not count against a parameter's 8 KB."""
    settings = FlywheelSettings(
        name="tickets",
        task="classification",
        mode="multi-class",
        language="en",
        labels=tuple(f"{number:05000}" for number in range(1000)),
        policy=Policy(
            rules=tuple(
                Rule(metric=name, min=0.123456, min_improvement=0.01)
                for name in get_args(MetricName)
            )
        ),
    )
    assert len(settings.for_functions().encode()) < 4096


@pytest.mark.parametrize(
    "section", [Environment, Notifications, FlywheelSettings, BatchRules, Policy, Rule]
)
def test_settings_cannot_change_when_they_were_parsed(section: type[BaseModel]) -> None:
    """What was checked stays as it was, and unknown keys are never dropped in silence."""
    assert section.model_config["frozen"] is True
    assert section.model_config["extra"] == "forbid"


def test_the_parser_reads_only_what_it_is_given_when_it_parses(tmp_path: Path) -> None:
    """The caller says where files lie; the parser itself opens none."""
    (tmp_path / "dev.toml").write_text(FLYWHEEL, "utf-8")
    environment = parse_environment("dev.toml", lambda file: (tmp_path / file).read_text("utf-8"))
    assert environment.flywheels[0].name == "tickets"
