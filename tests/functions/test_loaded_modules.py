"""Each function loads what it uses: this project's modules behind one event, counted.

A module that a function does not use is read and compiled at each cold start, and is one more place
that a reader has to rule out. The counts are what an event really loads, from its handler on.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.functions.register_upload.test_handler import delivery
from tests.functions.world import NAME, World, csv, documents

pytestmark = pytest.mark.slow

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
PACKAGES = {path.name for path in FUNCTIONS.iterdir() if path.is_dir()}

MOST_MODULES = {
    "register_upload": 77,
    "seal_batch": 63,
    "start_iteration": 39,
    "compare_models": 100,
    "close_batch": 91,
    "reconcile": 89,
}


@contextmanager
def fresh_process() -> Iterator[None]:
    """Have none of the project's modules loaded, and afterwards those from before."""
    before = {name: sys.modules.pop(name) for name in own_modules()}
    try:
        yield
    finally:
        for name in own_modules():
            del sys.modules[name]
        sys.modules.update(before)


def own_modules() -> list[str]:
    """Return the names of what is loaded from the functions' asset, packages too."""
    return [name for name in sys.modules if name.partition(".")[0] in PACKAGES]


def loaded_by(function: str, event: dict[str, Any], context: LambdaContext) -> list[str]:
    """Return the modules that a function has loaded once it handled an event."""
    with fresh_process():
        importlib.import_module(f"{function}.handler").handler(event, context)
        return sorted(
            name
            for name in own_modules()
            if Path(sys.modules[name].__file__ or "").name != "__init__.py"
        )


@pytest.fixture
def life(world: World, context: LambdaContext) -> dict[str, list[str]]:
    """Have each function of a batch's life handle its event in a process of its own."""
    world.upload("test.csv", documents(8, first=200), kind="test")
    body = csv(documents(8))
    upload = world.put(f"{NAME}/train/monday.csv", body)
    batch = {"flywheel": NAME, "batch": 1}
    closing = {"execution": batch, "state_machine_arn": world.cloud.configuration.state_machine_arn}
    loaded = {}
    loaded["register_upload"] = loaded_by("register_upload", delivery(upload, len(body)), context)
    loaded["seal_batch"] = loaded_by("seal_batch", batch, context)
    world.await_datasets()
    loaded["start_iteration"] = loaded_by("start_iteration", batch, context)
    world.await_iteration()
    loaded["compare_models"] = loaded_by("compare_models", batch, context)
    assert world.active_model is not None
    loaded["close_batch"] = loaded_by("close_batch", closing, context)
    loaded["reconcile"] = loaded_by("reconcile", {}, context)
    return loaded


def test_a_function_loads_no_more_than_it_uses_when_it_handles_an_event(
    life: dict[str, list[str]],
) -> None:
    """Whoever adds a module to a function sees it here, and may raise its count."""
    counts = {function: len(modules) for function, modules in life.items()}
    assert counts.keys() == MOST_MODULES.keys()
    assert {name for name, count in counts.items() if count > MOST_MODULES[name]} == set(), {
        name: life[name] for name, count in counts.items() if count > MOST_MODULES[name]
    }
