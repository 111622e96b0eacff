"""An environment's file on this machine: what is replaced, what is left out, what stays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.environment.environments import environment_settings, known_environments
from console.environment.local_copy import local_copy
from console.environment.target import ENVIRONMENTS_FOLDER
from console.errors import CommandError
from flywheel.errors import SettingsError
from flywheel.settings.environment_file import parse_environment

Write = Callable[[str], Path]

TOPICS = """
[flywheels.topics]
task = "classification"
mode = "multi-label"
label_delimiter = ";"
language = "de"
labels = ["BILLING", "Ämter, \\"neue\\"", "back\\\\slash", "😀"]
[flywheels.topics.csv]
header = true
label = "topics"
text = "body"
sep = "\\t"
[[flywheels.topics.policy.rules]]
metric = "F1Score"
label = "BILLING"
max_drop = 0.02
"""
PEOPLE = """
[flywheels.people]
task = "entities"
language = "en"
entity_types = ["PERSON", "CITY"]
[flywheels.people.batch]
min_documents = 77
bad_rows = "refuse"
"""
ADOPTED = """
[flywheels.old]
adopt = "arn:aws:comprehend:eu-west-1:999999999999:flywheel/old"
data_access_role_arn = "arn:aws:iam::999999999999:role/data"
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes ``mine.toml``."""

    def written(text: str) -> Path:
        (tmp_path / "mine.toml").write_text(text, "utf-8")
        return tmp_path

    return written


def test_labels_and_rules_stay_when_a_file_runs_here(write: Write) -> None:
    """Only waits and minimums differ from what the file says, flywheel by flywheel."""
    folder = write(TOPICS + PEOPLE)
    copy, file = local_copy("mine", folder), environment_settings("mine", folder)
    short = environment_settings("local").flywheels[0].batch
    assert copy.environment.name == "local"
    for runs, said in zip(copy.environment.flywheels, file.flywheels, strict=True):
        assert runs.model_dump(exclude={"batch", "policy"}) == said.model_dump(
            exclude={"batch", "policy"}
        )
        waits = short.model_dump(exclude_unset=True)
        assert runs.batch == said.batch.model_copy(update=waits)
        assert runs.policy == said.policy.model_copy(update={"approval_timeout_hours": 1})
    assert copy.environment.notifications.notice_window_seconds == 1


def test_what_is_replaced_is_named_when_values_differ(write: Write) -> None:
    """Each key once, with the value that runs and all that the file has."""
    copy = local_copy("mine", write("[batch]\nquiet_seconds = 1\n" + TOPICS + PEOPLE))
    assert "min_documents = 1 (mine.toml: 200, 77)" in copy.replaced
    assert "approval_timeout_hours = 1 (mine.toml: 120)" in copy.replaced
    assert not [line for line in copy.replaced if line.startswith("quiet_seconds")]


def test_what_belongs_to_an_account_is_left_out_when_it_is_named(write: Write) -> None:
    """Nothing is sent from this machine, and adopted flywheels are not there."""
    head = (
        'account = "999999999999"\nregion = "eu-west-1"\n'
        '[notifications]\nemails = ["a@example.com"]\nslack_webhook_secret = "x/y"\n'
    )
    copy = local_copy("mine", write(head + PEOPLE + ADOPTED))
    runs = copy.environment
    assert (runs.account, runs.region, runs.keep_data) == (None, None, False)
    assert (runs.notifications.emails, runs.notifications.slack_webhook_secret) == ((), None)
    assert [flywheel.name for flywheel in runs.flywheels] == ["people"]
    named = {line.partition(":")[0] for line in copy.left_out}
    assert named == {"account", "region", "emails", "slack_webhook_secret", "flywheels.old"}


def test_the_file_is_refused_when_none_of_its_flywheels_can_run(write: Write) -> None:
    """The local cloud has no flywheel that somebody made elsewhere."""
    with pytest.raises(CommandError, match="exist only on AWS"):
        local_copy("mine", write(ADOPTED))


def test_a_wrong_file_is_refused_by_its_own_name_when_it_is_read(write: Write) -> None:
    """Whoever wrote it knows which one is meant."""
    with pytest.raises(SettingsError, match=r"mine\.toml"):
        local_copy("mine", write("nonsense = 1\n" + PEOPLE))


def test_an_unknown_environment_is_refused_when_it_is_named(write: Write) -> None:
    """Nothing else runs in its place."""
    with pytest.raises(CommandError) as refused:
        local_copy("nowhere", write(PEOPLE))
    assert refused.value.where == "--env nowhere"
    assert "mine" in refused.value.remedy


@pytest.mark.parametrize("name", known_environments())
def test_the_copy_parses_when_the_environment_ships_with_the_project(name: str) -> None:
    """What runs here is what `cdk synth` reads from the copy's folder."""
    copy = local_copy(name, ENVIRONMENTS_FOLDER)
    assert bool(copy.replaced) is (name != "local")
    with copy.folder() as folder:
        read = parse_environment("local.toml", lambda file: (folder / file).read_text("utf-8"))
        assert [path.name for path in folder.iterdir()] == ["local.toml"]
    assert read == copy.environment
