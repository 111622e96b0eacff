"""Who may import whom: the rooms of the house, read from the source with `ast`."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_FOLDERS = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
OWN = {"flywheel", "application", "adapters", "infra", "local_cloud", "console", *FUNCTION_FOLDERS}
POWERTOOLS = {"aws_lambda_powertools"}
AWS_SDK = {"boto3", "botocore", "mypy_boto3_*"}

EVERYWHERE = {
    f"flywheel.{path.stem}" for path in (ROOT / "functions" / "flywheel").glob("[a-z]*.py")
}
"""Modules of the domain that stand beside its rooms: errors, numbers and names in words."""

ALLOWED = {
    "functions/flywheel/settings": {"flywheel.settings", "pydantic", *EVERYWHERE},
    "functions/flywheel/intake": {"flywheel.intake", "flywheel.settings", *EVERYWHERE},
    "functions/flywheel/batches": {
        "flywheel.batches",
        "flywheel.intake",
        "flywheel.settings",
        *EVERYWHERE,
    },
    "functions/flywheel/evaluation": {
        "flywheel.evaluation",
        "flywheel.intake",
        "flywheel.settings",
        *EVERYWHERE,
    },
    "functions/flywheel/notices": {"flywheel"},
    "functions/flywheel": {"flywheel", "pydantic"},
    "functions/application": {"application", "flywheel", *POWERTOOLS},
    "functions/adapters": {"adapters", "application", "flywheel", *AWS_SDK, *POWERTOOLS},
    "infra": {"infra", "flywheel.settings.environment", "flywheel.errors", "aws_cdk", "constructs"},
    "console": {
        "console",
        "flywheel",
        "application",
        "adapters",
        "local_cloud",
        "comprehend_engine",
        *AWS_SDK,
        "typer",
        "rich",
        "click",
        "jinja2",
        "numpy",
    },
    **{
        f"functions/{folder}": {folder, "flywheel", "application", "adapters", *POWERTOOLS}
        for folder in FUNCTION_FOLDERS
    },
}


def imported(path: Path) -> Iterator[str]:
    """Give the full names of the modules that a file imports, the standard library's left out."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
        yield from (name for name in names if name.split(".")[0] not in sys.stdlib_module_names)


def is_allowed(module: str, allowed: set[str]) -> bool:
    """Say whether a module is one of the allowed ones or below one."""
    return any(
        module.startswith(name.removesuffix("*"))
        if name.endswith("*")
        else module == name or module.startswith(f"{name}.")
        for name in allowed
    )


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_it_may_when_it_is_read(room: str) -> None:
    """Each room imports the standard library and the rooms and packages that it is allowed."""
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, room
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if not is_allowed(module, ALLOWED[room])
    ]
    assert not wrong


def test_local_knows_no_room_of_the_product_when_it_is_read() -> None:
    """What stands for AWS knows neither policy, ledger nor notices, as AWS does not."""
    files = sorted((ROOT / "local_cloud").rglob("*.py"))
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if module.split(".")[0] in OWN - {"local_cloud"}
    ]
    assert not wrong


def test_the_cloud_knows_nothing_of_the_engine_when_it_is_read() -> None:
    """One module starts both; only the rule on whom a server of this machine answers is shared."""
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / "local_cloud").rglob("*.py"))
        if path != ROOT / "local_cloud" / "environment.py"
        for module in imported(path)
        if is_allowed(module, {"comprehend_engine"}) and module != "comprehend_engine.api.loopback"
    ]
    assert not wrong


ENGINE_BASE = {
    f"comprehend_engine.{name}"
    for name in ("child_process", "clock", "errors", "settings", "tasks")
}
"""Modules of the engine that stand below its rooms; they import each other alone."""

ENGINE_ROOMS = {
    "api": set(),
    "storage": set(),
    "documents": {"api", "storage"},
    "evaluation": set(),
    "learning": set(),
    "training": {"documents", "evaluation", "learning"},
    "inference": {"learning"},
    "lifecycles": {"api", "documents", "evaluation", "inference", "storage", "training"},
    "operations": {"api", "documents", "inference", "lifecycles", "storage", "training"},
}
"""The engine's rooms, each with the rooms below it that it may import."""


def engine_parts() -> dict[str, set[str]]:
    """Return each part of the engine with the modules of the engine that it may import."""
    parts = {
        room: {f"comprehend_engine.{name}" for name in (room, *below)} | ENGINE_BASE
        for room, below in ENGINE_ROOMS.items()
    }
    parts |= {f"{name.split('.')[1]}.py": ENGINE_BASE for name in ENGINE_BASE}
    parts["engine.py"] = {f"comprehend_engine.{room}" for room in ENGINE_ROOMS} | ENGINE_BASE
    parts["serving.py"] = parts["engine.py"] | {"comprehend_engine.engine"}
    return parts


@pytest.mark.parametrize("part", sorted(engine_parts()))
def test_the_engines_rooms_import_one_way_when_they_are_read(part: str) -> None:
    """Each room of the engine imports only rooms below it, so there is no circle."""
    place = ROOT / "engine" / "comprehend_engine" / part
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files, part
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if is_allowed(module, {"comprehend_engine"})
        and not is_allowed(module, engine_parts()[part])
    ]
    assert not wrong


def test_every_room_of_the_engine_is_in_the_import_map_when_it_is_read() -> None:
    """No folder of the engine escapes the import map, and none imports one that imports it."""
    folders = {path.parent.name for path in (ROOT / "engine").glob("comprehend_engine/*/*.py")}
    assert folders == set(ENGINE_ROOMS)
    order = list(ENGINE_ROOMS)
    assert all(order.index(low) < order.index(room) for room in order for low in ENGINE_ROOMS[room])


CONSOLE_BASE = {f"console.{name}" for name in ("errors", "terminal", "progress")}
"""Modules of the command that stand below its rooms."""

CONSOLE_ROOMS = {
    "environment": set(),
    "policy": set(),
    "convert": set(),
    "record": {"environment"},
    "flywheels": {"environment", "record"},
    "views": {"environment", "policy", "record", "flywheels"},
    "validate": {"environment", "views"},
    "report": {"environment", "record", "views"},
    "demo": {"environment", "record", "flywheels", "views", "validate"},
}
"""The command's rooms, each with the rooms below it that it may import; `commands` imports all."""


@pytest.mark.parametrize("room", sorted(CONSOLE_ROOMS))
def test_the_commands_rooms_import_one_way_when_they_are_read(room: str) -> None:
    """Facts know no view, and no room knows the verbs that use it."""
    below = {f"console.{name}" for name in (room, *CONSOLE_ROOMS[room])} | CONSOLE_BASE
    files = sorted((ROOT / "console" / room).rglob("*.py"))
    assert files, room
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if is_allowed(module, {"console"}) and not is_allowed(module, below)
    ]
    assert not wrong


def test_every_room_of_the_command_is_in_the_import_map_when_it_is_read() -> None:
    """No folder of the command escapes the import map, and none imports one that imports it."""
    folders = {path.parent.name for path in (ROOT / "console").glob("*/__init__.py")}
    assert folders == {*CONSOLE_ROOMS, "commands"}
    order = list(CONSOLE_ROOMS)
    rooms = CONSOLE_ROOMS.items()
    assert all(order.index(low) < order.index(room) for room, below in rooms for low in below)


def engine_requirements(*, with_tests: bool) -> set[str]:
    """Return what the engine's distribution declares that it needs, by the names of its modules."""
    project = tomllib.loads((ROOT / "engine" / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = list(project["dependencies"])
    if with_tests:
        requirements += project["optional-dependencies"]["test"]
    modules = {"python-crfsuite": "pycrfsuite", "scikit-learn": "sklearn"}
    names = [re.split(r"[^\w-]", requirement)[0] for requirement in requirements]
    return {modules.get(name, name.replace("-", "_")) for name in names}


@pytest.mark.parametrize(
    ("folder", "own", "with_tests"),
    [
        ("engine/comprehend_engine", {"comprehend_engine"}, False),
        ("engine/tests", {"comprehend_engine", "engine_testing"}, True),
    ],
)
def test_the_engine_needs_its_own_distribution_alone_when_it_is_read(
    folder: str, own: set[str], with_tests: bool
) -> None:
    """Nothing of the house, and of third parties what its pyproject declares; types aside."""
    # botocore comes with boto3; pytest imports the plugin, which nothing else does.
    allowed = own | engine_requirements(with_tests=with_tests) | {"botocore"}
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if not is_allowed(module, allowed | ({"pytest"} if path.stem == "pytest_plugin" else set()))
        and not module.startswith("mypy_boto3_")
    ]
    assert not wrong
