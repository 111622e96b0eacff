"""An environment's folder for the demonstration.

Decides the file that says which flywheels there are; the rules are those of ``local.toml``, taken
from it, so that both stay the same, but for the floor on a user's own data. The flywheel with few
test documents asks for a gain in accuracy, the share of documents that are right: then how many of
them came right says it all. Read next: `console.demo.few_documents`.
"""

import json
from pathlib import Path

from console.demo.data import FLOOR_OF_UNKNOWN_DATA, DemoData
from console.demo.few_documents import few_flywheel
from console.demo.split import DemoDataError
from console.environment.target import ENVIRONMENTS_FOLDER, LOCAL
from flywheel.errors import SettingsError
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment

_FILE = f"{LOCAL}.toml"
_SERVICES_OWN = DataFormat()


def write_environment(folder: Path, data: DemoData) -> None:
    """Write ``local.toml`` for the flywheels of the story.

    Raises
    ------
    DemoDataError
        The service takes no such labels; whoever made the data renames them.
    """
    base = _parse(ENVIRONMENTS_FOLDER)
    floor = FLOOR_OF_UNKNOWN_DATA if data.is_own else 1.0
    lines = [*_everywhere(base, floor), *_flywheel(folder, data.flywheel, data.labels, data.shape)]
    if data.few is not None:
        name = few_flywheel(data.flywheel)
        lines += _flywheel(folder, name, data.few.labels, _SERVICES_OWN)
        rules = [*_floors(base, floor), {"metric": "AverageAccuracy", "min_improvement": 0.005}]
        lines += _tables(f"flywheels.{name}.policy.rules", rules)
    (folder / _FILE).write_text("\n".join(lines) + "\n", "utf-8")
    try:
        _parse(folder)
    except SettingsError as error:
        problem = "; ".join(line.partition(": ")[2] or line for line in error.problems)
        raise DemoDataError("the data's labels", problem, "Rename or merge them") from error


def _parse(folder: Path) -> Environment:
    return parse_environment(_FILE, lambda file: (folder / file).read_text("utf-8"))


def _everywhere(base: Environment, floor: float) -> list[str]:
    """Return the file's beginning; JSON's numbers, booleans and strings are TOML's too."""
    settings = base.flywheels[0]
    return [
        "keep_data = false",
        "[notifications]",
        f"notice_window_seconds = {base.notifications.notice_window_seconds}",
        "[batch]",
        *_keys(settings.batch.model_dump()),
        "[policy]",
        *_keys(settings.policy.model_dump(exclude={"rules"}, exclude_unset=True)),
        *_tables("policy.rules", _floors(base, floor)),
    ]


def _floors(base: Environment, floor: float) -> list[dict[str, object]]:
    """Return the rules of the base, none of which asks for more than a floor."""
    rules = []
    for rule in base.flywheels[0].policy.rules:
        asked = rule.model_dump(exclude_none=True)
        if rule.min is not None:
            asked["min"] = min(rule.min, floor)
        rules.append(asked)
    return rules


def _flywheel(folder: Path, name: str, labels: tuple[str, ...], shape: DataFormat) -> list[str]:
    """Return a flywheel's table; its labels are written beside the file."""
    task: dict[str, object] = {"language": "en", "task": shape.task}
    if shape.task == "entities":
        task["entity_types"] = list(labels)
    else:
        task |= {"mode": shape.mode, "labels_file": f"{name}.txt"}
        (folder / f"{name}.txt").write_text("".join(f"{label}\n" for label in labels), "utf-8")
    if shape.is_multi_label:
        task["label_delimiter"] = shape.delimiter
    return [f"[flywheels.{name}]", *_keys(task)]


def _tables(name: str, tables: list[dict[str, object]]) -> list[str]:
    return [line for table in tables for line in (f"[[{name}]]", *_keys(table))]


def _keys(values: dict[str, object]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]
