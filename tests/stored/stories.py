"""The stories that are played to have everything written and sent once. A new kind needs a line."""

from collections.abc import Callable, Mapping

from tests.functions.world import csv, documents, swapped
from tests.stored.stage import Stage


def champions(stage: Stage) -> None:
    """Promote, reject."""
    stage.upload("test.csv", csv(documents(8, first=200)), kind="test")
    stage.upload("monday.csv", csv(documents(8, words=["early"])))
    stage.executed()
    stage.upload("tuesday.csv", csv(documents(8, first=50, words=["late"])))
    stage.executed()
    stage.upload("wrong.csv", csv(swapped(documents(12, first=100))))
    stage.executed()
    stage.reconcile()


STORIES: Mapping[str, Callable[[Stage], None]] = {"champions": champions}
