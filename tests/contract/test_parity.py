"""docs/parity.md is what the contract checks, and what it says of moto is so."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from comprehend_engine.settings import EngineSettings
from engine_testing.rig import Rig, client
from tests.contract.parity import PAGE, SWITCHES, in_moto, page
from tests.contract.public_answers import PUBLIC_RULES
from tests.contract.refusals import MODEL, NEW, SERVED

if TYPE_CHECKING:
    from mypy_boto3_comprehend.client import ComprehendClient

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def moto() -> "Iterator[ComprehendClient]":
    """Serve moto's Comprehend; yield a client."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    comprehend: ComprehendClient = client("comprehend", f"http://{host}:{port}")
    yield comprehend
    comprehend.close()
    server.stop()


def test_the_page_is_new_when_the_contract_is() -> None:
    """Where this fails: make parity."""
    assert PAGE.read_text("utf-8") == page()


def test_every_served_operation_is_in_the_contract_when_the_engine_names_them(rig: Rig) -> None:
    """The engine's own list and the contract's are one."""
    with pytest.raises(ClientError) as refusal:
        rig.comprehend.detect_sentiment(Text="fine", LanguageCode="en")
    listed = str(refusal.value).partition("Served here, as AWS JSON 1.1: ")[2].removesuffix(".")
    assert set(listed.split(", ")) == SERVED


def test_every_public_rule_has_its_test_when_the_page_names_one() -> None:
    """A test that is renamed or gone must not stay on the page."""
    for public in PUBLIC_RULES:
        file, _, name = public.test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), public.test


def test_the_switches_are_settings_when_the_page_names_them() -> None:
    """A switch that is renamed or gone must not stay on the page."""
    assert set(SWITCHES) <= {field.name for field in fields(EngineSettings)}


def test_moto_does_what_the_page_says_when_it_is_asked(moto: "ComprehendClient") -> None:
    """No datasets, no history; ids that the service could not give, two iterations at once."""
    absent = ("CreateDataset", "DescribeFlywheelIteration", "UpdateFlywheel", "ClassifyDocument")
    assert not [name for name in absent if in_moto(name)]
    arn = moto.create_flywheel(FlywheelName="f", **NEW)["FlywheelArn"]
    started = moto.start_flywheel_iteration(FlywheelArn=arn)["FlywheelIterationId"]
    pattern = MODEL.shape_for("FlywheelIterationId").metadata["pattern"]
    assert re.fullmatch(pattern, str(started)) is None
    assert moto.start_flywheel_iteration(FlywheelArn=arn)["FlywheelIterationId"]
