"""An environment's folder for the demonstration on a user's own data.

Decides the file that says which flywheel there is; the rules are those of ``local.toml``, taken
from it, so that both stay the same, but for the floor of the policy.
"""

import json
from pathlib import Path

from console.demo_split import DemoDataError
from console.target import ENVIRONMENTS_FOLDER, LOCAL
from flywheel.environment_file import parse_environment
from flywheel.errors import SettingsError
from flywheel.settings import Environment
from flywheel.shapes import Shape

_FILE = f"{LOCAL}.toml"
_LABELS_FILE = "labels.txt"
_SERVICES_OWN = Shape()

FLOOR_OF_UNKNOWN_DATA = 0.2
"""What a first model must reach: nobody knows yet what is good on a user's data."""


def write_environment(
    folder: Path, flywheel: str, labels: tuple[str, ...], shape: Shape = _SERVICES_OWN
) -> None:
    """Write ``local.toml`` for one flywheel with these labels, or entity types.

    Raises
    ------
    DemoDataError
        The service takes no such labels; whoever made the data renames them.
    """
    base = _parse(ENVIRONMENTS_FOLDER)
    (folder / _LABELS_FILE).write_text("".join(f"{label}\n" for label in labels), "utf-8")
    (folder / _FILE).write_text(_toml(base, flywheel, _task(labels, shape)), "utf-8")
    try:
        _parse(folder)
    except SettingsError as error:
        problem = "; ".join(line.partition(": ")[2] or line for line in error.problems)
        raise DemoDataError("the data's labels", problem, "Rename or merge them") from error


def _parse(folder: Path) -> Environment:
    return parse_environment(_FILE, lambda file: (folder / file).read_text("utf-8"))


def _toml(base: Environment, flywheel: str, task: dict[str, object]) -> str:
    """Return the file; JSON's numbers, booleans and strings are TOML's too."""
    settings = base.flywheels[0]
    lines = [
        "keep_data = false",
        "[notifications]",
        f"notice_window_seconds = {base.notifications.notice_window_seconds}",
        "[batch]",
        *_keys(settings.batch.model_dump()),
        "[policy]",
        f"approve_first = {settings.policy.approve_first}",
    ]
    for rule in settings.policy.rules:
        asked = rule.model_dump(exclude_none=True)
        if rule.min is not None:
            asked["min"] = min(rule.min, FLOOR_OF_UNKNOWN_DATA)
        lines += ["[[policy.rules]]", *_keys(asked)]
    lines += [f"[flywheels.{flywheel}]", *_keys({"language": "en", **task})]
    return "\n".join(lines) + "\n"


def _task(labels: tuple[str, ...], shape: Shape) -> dict[str, object]:
    if shape.task == "entities":
        return {"task": shape.task, "entity_types": list(labels)}
    task = {"task": shape.task, "mode": shape.mode, "labels_file": _LABELS_FILE}
    return {**task, "label_delimiter": shape.delimiter} if shape.is_multi_label else {**task}


def _keys(values: dict[str, object]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]
