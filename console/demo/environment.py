"""An environment's folder for the demonstration.

Decides the file that says which flywheels there are. The rules are those of ``local.toml``, taken
from it, so that both stay the same, but for the floor on a user's own data. The flywheel with few
test documents asks for a gain in accuracy, the share of documents that are right, so that a count
of right documents explains its verdicts. Read next: `console.demo.few_documents`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.demo.data import FLOOR_OF_UNKNOWN_DATA, DemoData
from console.demo.few_documents import few_flywheel
from console.demo.split import DemoDataError
from console.environment.environments import environment_settings
from console.environment.new_environment import flywheel_table
from console.environment.target import LOCAL
from console.environment.toml_text import toml_text
from flywheel.errors import SettingsError
from flywheel.settings.data_format import DataFormat
from flywheel.settings.policy import Rule

_GAIN_IN_ACCURACY = {"metric": "AverageAccuracy", "min_improvement": 0.005}


def write_environment(folder: Path, data: DemoData) -> None:
    """Write ``local.toml`` for the flywheels of the story.

    Raises
    ------
    DemoDataError
        The service takes no such labels; whoever made the data renames them.
    """
    base = environment_settings(LOCAL)
    first = base.flywheels[0]
    rules = _floors(first.policy.rules, FLOOR_OF_UNKNOWN_DATA if data.is_own else 1.0)
    flywheels = {data.flywheel: flywheel_table(data.labels, data.shape)}
    if data.few is not None:
        few = flywheel_table(data.few.labels, DataFormat())
        policy = {"rules": [*rules, _GAIN_IN_ACCURACY]}
        flywheels[few_flywheel(data.flywheel)] = few | {"policy": policy}
    document = {
        "keep_data": False,
        "notifications": {"notice_window_seconds": base.notifications.notice_window_seconds},
        "batch": first.batch.model_dump(),
        "policy": first.policy.model_dump(exclude={"rules"}, exclude_unset=True) | {"rules": rules},
        "flywheels": flywheels,
    }
    (folder / f"{LOCAL}.toml").write_text(toml_text(document), "utf-8")
    try:
        environment_settings(LOCAL, folder)
    except SettingsError as error:
        problem = "; ".join(line.partition(": ")[2] or line for line in error.problems)
        raise DemoDataError("the data's labels", problem, "Rename or merge them") from error


def _floors(rules: Sequence[Rule], floor: float) -> list[dict[str, Any]]:
    """Return these rules, none of which asks for more than a floor."""
    tables = [rule.model_dump(exclude_none=True) for rule in rules]
    return [
        table | ({"min": min(table["min"], floor)} if "min" in table else {}) for table in tables
    ]
