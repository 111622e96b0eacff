"""What was recorded, and what is stored and sent now: the stories are played once a session."""

import json
from typing import Any

import pytest

from tests.stored.deployed import deployed, synthesized
from tests.stored.record import play
from tests.stored.samples import Samples, as_stored, pretty, readable, recorded
from tests.stored.stage import Document


def as_filed(value: Any) -> Any:
    """Return a value as it is read back from a file."""
    return json.loads(pretty(value))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Return what the stack names now."""
    found: Document = as_filed(readable(deployed(synthesized(tmp_path_factory.mktemp("stack")))))
    return found


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Samples, Document]:
    """Play the stories with the recorded workflow."""
    (workflow,) = recorded("deployed")["workflow"]
    samples, account = play(tmp_path_factory.mktemp("engine"), as_stored(workflow))
    return as_filed(samples), as_filed(readable(account))
