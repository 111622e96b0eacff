"""Who may import whom: the rooms of the house, read from the source with `ast`."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_FOLDERS = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
OWN = {"flywheel", "adapters", "infra", "local", "console", *FUNCTION_FOLDERS}
POWERTOOLS = {"aws_lambda_powertools"}
AWS_SDK = {"boto3", "botocore", "mypy_boto3_*"}

ALLOWED = {
    "functions/flywheel": {"flywheel"},
    "functions/adapters": {"adapters", "flywheel", *AWS_SDK, *POWERTOOLS},
    "infra": {"infra", "flywheel.settings", "flywheel.errors", "aws_cdk", "constructs"},
    "console": {
        "console",
        "flywheel",
        "adapters",
        "local",
        *AWS_SDK,
        "typer",
        "rich",
        "click",
        "numpy",
    },
    **{
        f"functions/{folder}": {folder, "flywheel", "adapters", *POWERTOOLS}
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
        and not (
            path.stem in {"settings", "settings_problems", "policy_settings", "row_settings"}
            and room == "functions/flywheel"
            and module == "pydantic"
        )
    ]
    assert not wrong


def test_local_knows_no_room_of_the_product_when_it_is_read() -> None:
    """What stands for AWS knows neither policy, ledger nor notices, as AWS does not."""
    files = sorted((ROOT / "local").rglob("*.py"))
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if module.split(".")[0] in OWN - {"local"}
        and not is_allowed(module, {"flywheel.labeled_documents", "flywheel.physical_rows"})
    ]
    assert not wrong


def test_the_engine_and_the_cloud_know_nothing_of_each_other_when_they_are_read() -> None:
    """The engine can be used without the cloud, and the cloud without the engine."""
    for room, other in (("comprehend", "local.cloud"), ("cloud", "comprehend_engine")):
        for path in sorted((ROOT / "local" / room).rglob("*.py")):
            assert not any(is_allowed(module, {other}) for module in imported(path)), path
