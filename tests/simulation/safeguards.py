"""Each safeguard, switched off: what the simulator must then catch.

A safeguard is removed by replacing a piece of the real code or a promise of a port; production has
no switch for it. Read next: `tests.simulation.gate` (what their removal must break).
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

import adapters.ledger.batches as batches_module
import adapters.ledger.uploads as uploads_module
import compare_models.handler as compare_module
import flywheel.verdict as verdict_module
import seal_batch.handler as seal_module
import start_iteration.handler as start_module
from adapters.ledger.table import Change, Put, Write
from adapters.notices import Notices
from flywheel.batches import BatchName, BatchOutcome, Manifest
from flywheel.errors import ConcurrentChangeError
from flywheel.notices import Notice
from flywheel.verdict import Decision
from tests.simulation.history import History
from tests.simulation.memory_ports import MemoryInbox, MemoryRows
from tests.simulation.memory_service import MemoryService

Removal = Callable[[], AbstractContextManager[Any]]


def _without_expectations(module: Any, *names: str) -> AbstractContextManager[Any]:
    """Have a module's conditional changes expect nothing of the named attributes."""

    def change(key: Any, values: Mapping[str, Any], expect: Mapping[str, Any] | None = None) -> Any:
        kept = {name: value for name, value in (expect or {}).items() if name not in names}
        return Change(key, values, kept)

    return patch.object(module, "Change", change)


@contextmanager
def _ledger() -> Iterator[None]:
    """Every delivery is the first one."""
    real = uploads_module.Uploads.receive

    def receive(self: Any, upload: Any, **details: Any) -> Any:
        row = real(self, upload, **details)
        return replace(row, state=uploads_module.UploadState.RECEIVED)

    with (
        patch.object(uploads_module.Uploads, "receive", receive),
        _without_expectations(uploads_module, "state"),
        patch.object(
            uploads_module, "Put", lambda key, values, replaces=False: Put(key, values, True)
        ),
    ):
        yield


@contextmanager
def _version_pin() -> Iterator[None]:
    """What is read is the newest version of the key."""

    def newest(self: MemoryInbox, upload: Any) -> Any:
        versions = [found for found in self.found if found.key == upload.key]
        return iter([self.found[versions[-1]][0]])

    with patch.object(MemoryInbox, "version_chunks", newest):
        yield


@contextmanager
def _dataset_name() -> Iterator[None]:
    """Each try gives its dataset a name of its own."""
    chance = random.Random(0)  # noqa: S311 - names are no secret
    real = BatchName.dataset

    def name(self: BatchName, kind: Any) -> str:
        return f"{real(self, kind)}-{chance.getrandbits(32)}"

    with patch.object(BatchName, "dataset", name):
        yield


@contextmanager
def _outbox() -> Iterator[None]:
    """Notices are published and nothing is kept of them."""

    def publish(self: Notices, flywheel: str, notice: Notice) -> bool:
        return self._send(flywheel, notice, [])

    numbers = count()

    def forgotten(*_: Any) -> Put:
        return Put(batches_module.Key("FORGOTTEN", str(next(numbers))), {})

    with (
        patch.object(Notices, "publish", publish),
        patch.object(batches_module, "notice_row", forgotten),
    ):
        yield


@contextmanager
def _reconcile() -> Iterator[None]:
    """Nothing runs on a schedule."""
    with patch.object(History, "_schedule", lambda self: None):
        yield


@contextmanager
def _missing_metrics() -> Iterator[None]:
    """A metric that is missing passes."""
    real = verdict_module.decide

    def decide(evidence: Any, policy: Any) -> Any:
        verdict = real(evidence, policy)
        is_held = verdict.decision is Decision.HOLD and evidence.challenger_arn
        return replace(verdict, decision=Decision.PROMOTE) if is_held else verdict

    with patch.object(compare_module, "decide", decide):
        yield


@contextmanager
def _one_batch() -> Iterator[None]:
    """A batch opens whether or not another one is under way."""
    import adapters.ledger.flywheels as flywheels_module  # noqa: PLC0415 - only here
    import adapters.workflow as workflow_module  # noqa: PLC0415 - only here

    with (
        _without_expectations(flywheels_module, "open_batch", "last_batch"),
        patch.object(workflow_module, "_blocked", lambda known, row: None),
    ):
        yield


@contextmanager
def _champion_check() -> Iterator[None]:
    """The challenger is made active whatever is live by now."""

    def carry_out(comprehend: Any, stored: Any) -> tuple[BatchOutcome, bool]:
        if stored.verdict.decision is not Decision.PROMOTE:
            return compare_module._OUTCOMES[stored.verdict.decision], False
        comprehend.describe()
        comprehend.make_active(stored.verdict.evidence.challenger_arn)
        return BatchOutcome.PROMOTED, False

    with patch.object(compare_module, "_carry_out", carry_out):
        yield


@contextmanager
def _join_condition() -> Iterator[None]:
    """An upload joins what is staged without a look at its state."""
    with (
        _without_expectations(uploads_module, "state"),
        patch.object(
            uploads_module, "Put", lambda key, values, replaces=False: Put(key, values, True)
        ),
    ):
        yield


@contextmanager
def _join_after_seal() -> Iterator[None]:
    """What came after the manifest was written joins the batch all the same."""
    real = seal_module._planned

    def manifest(services: Any, name: Any, row: Any, rules: Any) -> Manifest:
        return real(services, name, row, rules)

    with patch.object(seal_module, "_manifest", manifest):
        yield


@contextmanager
def _one_transaction() -> Iterator[None]:
    """The writes of a transaction are carried out one by one."""

    def write(self: MemoryRows, writes: Sequence[Write]) -> None:
        for one in writes:
            self.world.call("table.write", lambda one=one: self.apply([one]))

    with patch.object(MemoryRows, "write", write):
        yield


@contextmanager
def _token_and_adoption() -> Iterator[None]:
    """The service forgets tokens, and no iteration is adopted."""
    real = MemoryService.start_iteration

    def start(self: MemoryService, token: str) -> str | None:
        self.remembers_tokens = False
        return real(self, token)

    def iteration_id(comprehend: Any, batch: Any, row: Any) -> str | None:
        name = BatchName(batch.flywheel, batch.batch, batch.attempt)
        found: str | None = comprehend.start_iteration(name.token("iteration", row.arn))
        return found

    with (
        patch.object(MemoryService, "start_iteration", start),
        patch.object(start_module, "_iteration_id", iteration_id),
    ):
        yield


@contextmanager
def _attempt() -> Iterator[None]:
    """A failed batch is opened again whatever became of it meanwhile."""
    real = batches_module.Batches.reopen

    def reopen(self: Any, batch: Any, **details: Any) -> Any:
        with (
            _without_expectations(batches_module, "state", "outcome", "attempt"),
            patch.object(
                batches_module,
                "change_flywheel",
                lambda name, values, expect=None: _CHANGE_FLYWHEEL(name, values),
            ),
        ):
            return real(self, batch, **details)

    with patch.object(batches_module.Batches, "reopen", reopen):
        yield


@contextmanager
def _content() -> Iterator[None]:
    """A seal does not know what the flywheel holds."""
    import adapters.ledger.flywheels as flywheels_module  # noqa: PLC0415 - only here
    from flywheel.uploads import DatasetKind  # noqa: PLC0415 - only here

    def nothing(self: Any, name: str, generation: int) -> dict[DatasetKind, list[str]]:
        return {kind: [] for kind in DatasetKind}

    with patch.object(flywheels_module.Flywheels, "known_segments", nothing):
        yield


_CHANGE_FLYWHEEL = batches_module.change_flywheel

SAFEGUARDS: Mapping[str, Removal] = {
    "ledger": _ledger,
    "version pin": _version_pin,
    "deterministic dataset name": _dataset_name,
    "outbox": _outbox,
    "reconcile": _reconcile,
    "missing-metric hold": _missing_metrics,
    "one open batch": _one_batch,
    "champion re-check": _champion_check,
    "join condition": _join_condition,
    "no join after the seal": _join_after_seal,
    "one transaction": _one_transaction,
    "token + adoption": _token_and_adoption,
    "conditional attempt": _attempt,
    "rows by content": _content,
}
"""What is switched off, and how."""

CRASHES = (KeyError, ValueError, TypeError, StopIteration, RecursionError, ConcurrentChangeError)
"""What code that lost a safeguard may run into; caught as well as a broken invariant."""
