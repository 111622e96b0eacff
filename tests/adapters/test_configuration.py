"""What a function is told: its environment, and each flywheel's settings from SSM."""

import json

import pytest

from adapters.clients import client
from adapters.parameters import configuration, known_flywheels
from adapters.wiring import services
from application.configuration import FunctionConfiguration
from flywheel.errors import BatchNotFoundError, ServiceRefusedError, SettingsError
from flywheel.settings.environment import FlywheelSettings
from tests.functions.cloud import SETTINGS_PATH, Cloud, answering


def deploy(name: str, path: str = SETTINGS_PATH, **settings: object) -> None:
    """Write one flywheel's parameter as the stack does."""
    whole = FlywheelSettings.model_validate(
        {
            "name": name,
            "task": "classification",
            "mode": "multi-class",
            "language": "en",
            "labels": ("billing", "delivery"),
            **settings,
        }
    )
    document = {"arn": f"arn-of-{name}", "settings": json.loads(whole.for_functions())}
    client("ssm").put_parameter(
        Name=f"{path}/{name}", Value=json.dumps(document), Type="String", Tier="Advanced"
    )


def test_the_environment_is_read_once_when_a_function_starts(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every field has a variable of its name; a later change is not seen."""
    assert configuration() == cloud.configuration
    monkeypatch.setenv("ENVIRONMENT", "other")
    assert configuration() == cloud.configuration


EVERY_FUNCTION = {
    "ENVIRONMENT": "test",
    "INBOX_BUCKET": "inbox",
    "STAGING_BUCKET": "staging",
    "VERDICTS_BUCKET": "verdicts",
    "LEDGER_TABLE": "ledger",
    "TOPIC_ARN": "topic",
    "SETTINGS_PATH": "/settings",
    "NOTICE_WINDOW_SECONDS": "60",
}


def test_all_that_is_missing_is_named_when_a_function_starts() -> None:
    """Nothing is used as if it were empty; the message is for whoever deploys."""
    given = {**EVERY_FUNCTION, "TOPIC_ARN": ""}
    del given["LEDGER_TABLE"]
    with pytest.raises(SettingsError) as caught:
        FunctionConfiguration.from_variables(given)
    assert caught.value.problems == ("LEDGER_TABLE is not set", "TOPIC_ARN is not set")


def test_a_resource_is_named_when_a_function_that_was_not_given_it_needs_it() -> None:
    """Each function is given only what it may use."""
    found = FunctionConfiguration.from_variables({**EVERY_FUNCTION, "HOME": "/"})
    assert (found.ledger_table, found.notice_window_seconds) == ("ledger", 60)
    with pytest.raises(SettingsError, match="STATE_MACHINE_ARN is not set"):
        found.needed("state_machine_arn")


def test_every_flywheel_is_known_when_there_are_more_than_a_page_of_them(cloud: Cloud) -> None:
    """SSM gives ten a page; another environment's parameters are not ours."""
    for number in range(12):
        deploy(f"flywheel-{number}")
    deploy("other", path="/other/flywheels")
    known = known_flywheels(client("ssm"), SETTINGS_PATH)
    assert sorted(known) == sorted(f"flywheel-{number}" for number in range(12))
    assert known["flywheel-3"].arn == "arn-of-flywheel-3"


def test_settings_arrive_as_deployed_when_a_function_reads_them(cloud: Cloud) -> None:
    """Synth writes them and the function reads them with the same parser."""
    rules = [{"metric": "AverageRecall", "min": 0.7}]
    deploy("tickets", batch={"min_documents": 7}, policy={"rules": rules})
    settings = services("test").flywheel("tickets").settings
    assert settings.batch.min_documents == 7
    assert [rule.metric for rule in settings.policy.all_rules()] == [
        "AverageRecall",
        "AverageF1Score",
    ]
    with pytest.raises(BatchNotFoundError, match="no flywheel 'intents'"):
        services("test").flywheel("intents")


def test_nothing_is_guessed_when_a_parameter_is_broken(cloud: Cloud) -> None:
    """A wrong value is an error; a key of another release is no concern of this one."""
    batch = {"min_documents": "many", "key_of_another_release": 1}
    document = {"arn": "x", "settings": {"name": "tickets", "batch": batch}}
    client("ssm").put_parameter(
        Name=f"{SETTINGS_PATH}/tickets", Value=json.dumps(document), Type="String"
    )
    with pytest.raises(SettingsError, match=r"batch\.min_documents"):
        known_flywheels(client("ssm"), SETTINGS_PATH)


def test_the_operation_is_named_when_ssm_refuses(cloud: Cloud) -> None:
    """A role without the right reads as what it is."""
    denied = answering("ssm", "GetParametersByPath", code="AccessDeniedException")
    with denied, pytest.raises(ServiceRefusedError, match="ssm:GetParametersByPath"):
        known_flywheels(client("ssm"), SETTINGS_PATH)


def test_the_state_machine_is_the_given_one_when_the_environment_cannot_name_it(
    cloud: Cloud,
) -> None:
    """CloseBatch gets its ARN from the state machine itself."""
    assert services("test", state_machine_arn="given").configuration.state_machine_arn == "given"
    ours = cloud.configuration.state_machine_arn
    assert services("test").configuration.state_machine_arn == ours
