"""The real environments and one made here, each synthesized once a session.

``REWRITE_GOLDEN=1 pytest tests/infra`` writes the golden workflow anew; read the diff before it is
kept.
"""

import os

os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
os.environ["CDK_VALIDATION"] = "false"

from collections.abc import Callable

import aws_cdk as cdk
import pytest

from app import read_environment
from tests.infra.synthesis import Synthesized, environment_of, synthesize

ENVIRONMENTS = ("local", "dev", "prod")

TEAM = """
account = "123456789012"
region = "eu-west-1"

[notifications]
emails = ["one@example.com", "two@example.com"]
slack_webhook_secret = "flywheel/slack-webhook"

[flywheels.intents]
adopt = "arn:aws:comprehend:eu-west-1:123456789012:flywheel/old-one"
data_access_role_arn = "arn:aws:iam::123456789012:role/service-role/comprehend"
"""


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesized]:
    """Return a function that gives an environment of the real folder, synthesized once."""
    known: dict[str, Synthesized] = {}

    def get(name: str) -> Synthesized:
        if name not in known:
            environment = read_environment(cdk.App(context={"env": name}))
            known[name] = synthesize(environment, tmp_path_factory.mktemp(name))
        return known[name]

    return get


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def each(request: pytest.FixtureRequest, synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """Return each of the real environments in turn."""
    return synthesized(request.param)


@pytest.fixture(scope="session")
def dev(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """Return the environment of trial accounts."""
    return synthesized("dev")


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Return an environment with e-mail, Slack and nothing but an adopted flywheel."""
    return synthesize(environment_of(TEAM), tmp_path_factory.mktemp("team"))
