"""The commands that people send to a flywheel, as `Operate` receives them: one type per act.

Decides what a command must hold. What a command does is `application.commands.carry_out`. A payload
is one JSON object: the fields of a command, ``act`` among them, and who sends it
(`flywheel.actors`). Validation is strict: no other field, no other type.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from flywheel.batches.uploads import DatasetKind

_SHA256 = re.compile("[0-9a-f]{64}")
_LEAST_FRACTION, _MOST_FRACTION = 0.01, 0.9
_LONGEST_REASON, _LONGEST_NAME = 1000, 1024
_MOST_LABELS, _LONGEST_LABEL = 1000, 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """What all commands hold.

    Parameters
    ----------
    flywheel : str
        Its name in the environment's file.
    """

    __pydantic_config__: ClassVar[Any] = {"strict": True, "extra": "forbid"}

    flywheel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReasonedCommand(_Command):
    """A command that says why, for the audit and the notice."""

    reason: str

    def __post_init__(self) -> None:
        problem = reason_problem(self.reason)
        _check(problem is None, f"reason: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(_ReasonedCommand):
    """Let no batch open."""

    act: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(_ReasonedCommand):
    """Let batches open and verdicts promote again."""

    act: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBatch(_Command):
    """Open a batch now, with what is staged."""

    act: Literal["start"] = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTraining(_ReasonedCommand):
    """Stop the training that is under way."""

    act: Literal["stop"] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBatch(_ReasonedCommand):
    """Open a failed batch again; the newest one where none is named."""

    act: Literal["retry"] = "retry"
    batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(_ReasonedCommand):
    """Take back one upload, by its uid, or all uploads of a batch."""

    act: Literal["withdraw"] = "withdraw"
    uid: str | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        # `super()` without arguments does not work in a dataclass with slots.
        _ReasonedCommand.__post_init__(self)
        _check((self.uid is None) != (self.batch is None), "give either uid or batch")
        _check(len(self.uid or "") <= _LONGEST_NAME, "uid: too long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild(_ReasonedCommand):
    """Make the next generation."""

    act: Literal["rebuild"] = "rebuild"
    add_labels: tuple[str, ...] = ()
    drop_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _ReasonedCommand.__post_init__(self)
        labels = (*self.add_labels, *self.drop_labels)
        _check(len(labels) <= _MOST_LABELS, f"labels: give at most {_MOST_LABELS:,}")
        are_right = all(0 < len(label.strip()) <= len(label) <= _LONGEST_LABEL for label in labels)
        _check(are_right, f"labels: each has 1 to {_LONGEST_LABEL:,} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonRebuild(_ReasonedCommand):
    """Give up a generation of which no model was promoted."""

    act: Literal["abandon-rebuild"] = "abandon-rebuild"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeTestSet(_Command):
    """Have the drafts of the test set frozen with the next batch."""

    act: Literal["freeze-test-set"] = "freeze-test-set"
    is_partial_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTestSet(_Command):
    """Make a draft of a test set from staged training rows.

    Parameters
    ----------
    fraction : float
        Of each label's rows, 0.01 to 0.9.
    """

    act: Literal["split-test-set"] = "split-test-set"
    fraction: float

    def __post_init__(self) -> None:
        is_fraction = _LEAST_FRACTION <= self.fraction <= _MOST_FRACTION
        _check(is_fraction, f"fraction: give {_LEAST_FRACTION} to {_MOST_FRACTION}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRows(_Command):
    """Record rows that an adopted flywheel holds already.

    Parameters
    ----------
    file : str
        The file's name, for people.
    sha256 : str
        Of the rows in canonical form, which are in the staging bucket under `import_key`.
    """

    act: Literal["import"] = "import"
    kind: DatasetKind
    file: str
    sha256: str

    def __post_init__(self) -> None:
        _check(_SHA256.fullmatch(self.sha256) is not None, "sha256: give 64 hexadecimal digits")
        _check(0 < len(self.file) <= _LONGEST_NAME, f"file: give 1 to {_LONGEST_NAME:,} characters")


OperatorCommand = (
    Pause
    | Resume
    | StartBatch
    | StopTraining
    | RetryBatch
    | Withdraw
    | Rebuild
    | AbandonRebuild
    | FreezeTestSet
    | SplitTestSet
    | ImportRows
)


def import_key(flywheel: str, sha256: str) -> str:
    """Return where in the staging bucket the rows of an import are."""
    return f"imports/{flywheel}/{sha256}"


def reason_problem(reason: Any) -> str | None:
    """Say what is wrong with the reason that a person gives for an act; None where nothing is."""
    if not isinstance(reason, str) or not any(map(str.isalnum, reason)):
        return "say why in a few words"
    is_short = len(reason) <= _LONGEST_REASON
    return None if is_short else f"give at most {_LONGEST_REASON:,} characters"


def _check(is_right: bool, problem: str) -> None:
    if not is_right:
        raise ValueError(problem)
