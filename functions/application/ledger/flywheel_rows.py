"""What the ledger knows of a flywheel, as values, and the writes that change its row.

Knows no act. Read next: `application.ledger.flywheels`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from application.ledger.test_sets import AddedRows, FrozenTestSet, freeze
from application.port_values import Change, Item, Key

_PAST_ITERATIONS_KEPT = 5


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a flywheel opens no batch."""

    by: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class RebuildState:
    """A next generation of which no model was promoted so far.

    Parameters
    ----------
    step : str
        REQUESTED, CREATING, SWITCHED or RETURNING.
    reason : str
    before_arn : str
        The earlier generation's flywheel.
    last_batch : int
        The earlier generation's last batch.
    add_labels, drop_labels : sequence of str
    arn : str or None
        The new flywheel, once it was created.
    earlier : RebuildState or None
        The rebuild that made the earlier generation, where no model of that one was promoted
        either: endpoints still follow the flywheel before it.
    """

    step: str
    reason: str
    before_arn: str
    last_batch: int
    add_labels: Sequence[str] = ()
    drop_labels: Sequence[str] = ()
    arn: str | None = None
    earlier: "RebuildState | None" = None

    @property
    def block_reason(self) -> str | None:
        """Why no batch may open; None once batches go to the new generation."""
        if self.step == "RETURNING":
            return "its new generation was abandoned, and it goes back to the earlier one (rebuild)"
        return None if self.step == "SWITCHED" else "its next generation is being made (rebuild)"

    @property
    def followed_arns(self) -> list[str]:
        """Earlier flywheels whose endpoints move when a model is promoted, newest first."""
        return [self.before_arn, *(self.earlier.followed_arns if self.earlier else ())]


@dataclass(frozen=True, slots=True)
class ChampionChange:
    """A change of the champion by a person that is under way: written before anything is done.

    Parameters
    ----------
    how : str
        ``promote`` or ``rollback``.
    model : str
        What becomes active.
    by, reason, at, request : str
    before : str or None
        What must be active until then.
    """

    how: str
    model: str
    by: str
    reason: str
    at: str
    request: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class FlywheelRow:
    """One flywheel as the ledger knows it.

    Parameters
    ----------
    name, arn : str
    generation : int
    open_batch : int or None
        The batch that is under way; None when the flywheel is idle.
    open_attempt : int
        Its attempt.
    last_batch : int
        The highest number given so far; 0 before the first.
    expected_champion : str or None
        The model that was active after the last verdict.
    train_datasets, test_datasets : int
        Dataset slots used; the service gives none back.
    past_seconds : sequence of int
        How long the last iterations took.
    last_iteration_at : datetime or None
    test_set : FrozenTestSet or None
        The frozen test set; None before the first.
    freeze_asked_by : str or None
        Who asked for drafts to be frozen with the next batch.
    failures_in_row : int
        Batches that failed since the last verdict.
    pause : PauseReason or None
        Why no batch opens, if so.
    taint : sequence of str
        What was taken back and is in the flywheel's datasets all the same.
    asked_by : str or None
        Who asked for the next batch by a ``_GO`` marker.
    rebuild : RebuildState or None
        The next generation that is under way.
    deployed_arn : str
        The first generation's, as the stack knows it.
    dropped_labels : sequence of str
        Labels of earlier generations whose rows are not sent any more.
    champions : int
        How many entries the history of champions has.
    barred : sequence of str
        Models that somebody rolled back from: none is promoted by a verdict.
    promotion_pause : PauseReason or None
        Why no verdict is carried out, since a rollback.
    change : ChampionChange or None
        A change of the champion by a person that is under way.
    promoting : str or None
        The attempt at a batch whose verdict is being carried out.
    promote_verdicts : int
        How many verdicts said PROMOTE.
    generation_looks : int
        Verdicts on challengers in this generation, whatever became of their test set.
    past_test_set : FrozenTestSet or None
        The last one of the generations before, without its labels: its looks count for the first
        one of this generation.
    anchor : str or None
        The model that non-inferiority must not drift away from: the last champion that a person
        made, or that was shown to be better. None where none was made since rows have one.
    given_up_generation : int
        The highest generation that was given up; its number, and so its name in the service, is
        not used again.
    stored_test_set : mapping or None
        The test set as the row holds it, which an earlier release wrote with fewer values.
    """

    name: str
    arn: str
    generation: int = 1
    open_batch: int | None = None
    open_attempt: int = 1
    last_batch: int = 0
    expected_champion: str | None = None
    train_datasets: int = 0
    test_datasets: int = 0
    past_seconds: Sequence[int] = ()
    last_iteration_at: datetime | None = None
    test_set: FrozenTestSet | None = None
    freeze_asked_by: str | None = None
    failures_in_row: int = 0
    pause: PauseReason | None = None
    taint: Sequence[str] = ()
    asked_by: str | None = None
    rebuild: RebuildState | None = None
    deployed_arn: str = ""
    dropped_labels: Sequence[str] = ()
    champions: int = 0
    barred: Sequence[str] = ()
    promotion_pause: PauseReason | None = None
    change: ChampionChange | None = None
    promoting: str | None = None
    promote_verdicts: int = 0
    generation_looks: int = 0
    past_test_set: FrozenTestSet | None = None
    anchor: str | None = None
    given_up_generation: int = 0
    stored_test_set: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def next_generation(self) -> int:
        """The number that the next rebuild makes."""
        return max(self.generation, self.given_up_generation) + 1

    @property
    def is_idle(self) -> bool:
        """Whether no batch is under way."""
        return self.open_batch is None

    @property
    def last_test_set(self) -> FrozenTestSet | None:
        """The newest frozen test set, of an earlier generation where this one has none."""
        return self.test_set or self.past_test_set

    @property
    def test_documents(self) -> int:
        """How many documents judge every model."""
        return self.test_set.documents if self.test_set else 0


def rebuild_values(asked: RebuildState) -> dict[str, Any]:
    """Return a rebuild as the row holds it."""
    values = {
        **asdict(asked),
        "add_labels": list(asked.add_labels),
        "drop_labels": list(asked.drop_labels),
        "earlier": rebuild_values(asked.earlier) if asked.earlier else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def rebuild_of(values: Mapping[str, Any]) -> RebuildState:
    """Return a rebuild from what the row holds."""
    earlier = rebuild_of(values["earlier"]) if "earlier" in values else None
    return RebuildState(**{**values, "earlier": earlier})


def unchanged_rebuild(row: FlywheelRow) -> dict[str, Any]:
    """Return the expectation that no rebuild has begun or gone on since the row was read."""
    return {"arn": row.arn, "rebuild": rebuild_values(row.rebuild) if row.rebuild else None}


def unchanged_champion(row: FlywheelRow) -> dict[str, Any]:
    """Return the expectation that nobody changed, or changes, the champion since it was read."""
    return {"champions": row.champions or None, "change": None}


def unchanged_test_set(row: FlywheelRow) -> dict[str, Any]:
    """Return the expectation that no batch is open and no rows were frozen since it was read."""
    return {"open_batch": None, "arn": row.arn, "test_set": row.stored_test_set}


def freeze_changes(
    row: FlywheelRow, rows: AddedRows, now: datetime, *, is_judged_again: bool = False
) -> dict[str, Any]:
    """Return the changes of a flywheel's row that make rows part of its test set."""
    again, past = is_judged_again, row.past_test_set
    frozen = freeze(row.test_set, rows, now, past=past, is_judged_again=again)
    # Written with it, since a row of an earlier release has them in its test set alone.
    return {"test_set": frozen, "generation_looks": row.generation_looks}


def iteration_key(name: str, iteration_id: str) -> Key:
    """Return the key of the row that says of an iteration that the ledger knows it."""
    return Key(f"FLYWHEEL#{name}", f"ITERATION#{iteration_id}")


def change_flywheel(
    name: str, changes: Mapping[str, Any], expect: Mapping[str, Any] | None = None
) -> Change:
    """Return the write that changes a flywheel's row, for a transaction."""
    return Change(flywheel_key(name), changes, expect or {})


def with_past(past_seconds: Sequence[int], seconds: int) -> list[int]:
    """Return the remembered durations with one more; the oldest is forgotten."""
    return [*past_seconds, seconds][-_PAST_ITERATIONS_KEPT:]


def flywheel_key(name: str) -> Key:
    """Return the key of a flywheel's row."""
    return Key(f"FLYWHEEL#{name}", "FLYWHEEL")


def flywheel_row(item: Item) -> FlywheelRow:
    """Return a flywheel from its row."""
    fields = {name: item[name] for name in FlywheelRow.__dataclass_fields__ if name in item}
    # Every row has these; one without them is damaged, and no default may hide that.
    fields |= {name: item[name] for name in ("generation", "last_batch")}
    for name, read in _READERS.items():
        if name in fields:
            fields[name] = read(fields[name])
    fields.setdefault("deployed_arn", item["arn"])
    test_set = fields.get("test_set")
    # Earlier releases counted looks in the test set alone.
    fields.setdefault("generation_looks", test_set.looks if test_set else 0)
    return FlywheelRow(**fields, stored_test_set=item.get("test_set"))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "last_iteration_at": datetime.fromisoformat,
    "test_set": lambda values: FrozenTestSet(**values),
    "past_test_set": lambda values: FrozenTestSet(**values),
    "pause": lambda values: PauseReason(**values),
    "promotion_pause": lambda values: PauseReason(**values),
    "rebuild": rebuild_of,
    "change": lambda values: ChampionChange(**values),
}
"""How the values of a row are read that are no plain ones."""
