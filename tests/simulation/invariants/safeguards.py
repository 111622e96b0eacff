"""The design's safeguards, and the patches that remove them.

The gate plays histories without one safeguard at a time: an invariant must break. A patch of the
product's code or of a port removes a safeguard; production has no switch for it. `look_safeguards`
removes those on the number of comparisons.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from application.batches import seal as seal_batch
from application.batches import start as start_iteration
from application.batches import workflow
from application.comparison import compare as compare_models
from application.comparison import next_step, stored_answers, verdict_maker
from application.comparison.stored_answers import StoredAnswers
from application.ledger import batches, datasets, outbox, uploads
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import change_flywheel
from application.ledger.upload_rows import UploadRow
from application.port_values import Change, Put, Write
from application.ports import FlywheelService
from application.services import Services
from flywheel.batches.batches import BatchName, BatchOutcome
from flywheel.evaluation import predictions
from flywheel.settings.policy import METRICS
from tests.simulation.callers import Callers
from tests.simulation.invariants import look_safeguards
from tests.simulation.memory.buckets import MemoryInbox
from tests.simulation.memory.jobs import MemoryJobs
from tests.simulation.memory.rows import MemoryRows
from tests.simulation.memory.service import MemoryService

Patches = Sequence[Any]
_replace: Callable[..., Any] = patch.object


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One safeguard.

    Parameters
    ----------
    name : str
    removal : callable
        Returns the patches that remove it.
    shown_by : set of str
        The invariants that are there for it: one of them must break.
    """

    name: str
    removal: Callable[[], Patches]
    shown_by: Set[str]

    @contextmanager
    def removed(self) -> Iterator[None]:
        """Play without it."""
        with ExitStack() as stack:
            for change in self.removal():
                stack.enter_context(change)
            yield


def _no_ledger() -> Patches:
    """Remember of no upload that it was seen."""
    real = uploads.Uploads.receive

    def receive(self: uploads.Uploads, upload: Any, **given: Any) -> UploadRow:
        fresh = uploads.Uploads(_Unconditional(self._table))
        return real(fresh, upload, **given)

    return [_replace(uploads.Uploads, "receive", receive)]


def _no_version_pin() -> Patches:
    """Read whatever the key holds by now."""
    real = MemoryInbox.version_chunks

    def newest(self: MemoryInbox, upload: Any) -> Iterator[bytes] | None:
        same = [each for each in self.stored if each.key == upload.key]
        return real(self, same[-1] if same else upload)

    return [_replace(MemoryInbox, "version_chunks", newest)]


def _names_by_the_clock() -> Patches:
    """Let each try of a seal name datasets by the moment."""
    moment = threading.local()
    manifest, dataset = seal_batch._manifest, BatchName.dataset

    def begin(services: Services, *given: Any) -> Any:
        moment.words = f"{services.now():%d%H%M%S%f}"
        return manifest(services, *given)

    return [
        _replace(seal_batch, "_manifest", begin),
        _replace(BatchName, "dataset", lambda self, kind: dataset(self, kind) + moment.words),
    ]


def _no_outbox() -> Patches:
    """Publish a notice once; where that fails it is gone."""
    return [
        _replace(outbox.Outbox, "notices", lambda self: []),
        _replace(outbox.Outbox, "release", outbox.Outbox.forget),
    ]


def _no_reconcile() -> Patches:
    """Look for nothing that was left behind."""
    return [_replace(Callers, "reconcile", lambda self: None)]


def _missing_metrics_are_fine() -> Patches:
    """Take what the service does not say about the challenger for good."""

    def averages(metrics: Mapping[str, float] | None) -> Mapping[str, float]:
        given = metrics or {}
        return {name: given[name] if given.get(name, -1) >= 0 else 1.0 for name in METRICS}

    return [_replace(verdict_maker, "averages", averages)]


def _several_open_batches() -> Patches:
    """Open a batch whether another one is under way or not."""
    real = change_flywheel

    def change(name: str, changes: Mapping[str, Any], expect: Any = None) -> Change:
        rest = {key: value for key, value in (expect or {}).items() if key != "open_batch"}
        return real(name, changes, rest)

    return [
        _replace(workflow.OpeningPolicy, "obstacle", lambda policy: None),
        _replace(batches, "change_flywheel", change),
    ]


def _no_second_look_at_the_champion() -> Patches:
    """Write a promotion whatever is live by now."""

    def promote(
        services: Services, comprehend: FlywheelService, batch: BatchRow, *given: Any
    ) -> next_step.VerdictOutcome:
        *_, stored = given
        comprehend.make_active(stored.verdict.evidence.challenger_arn or "")
        return next_step.VerdictOutcome(BatchOutcome.PROMOTED)

    return [
        _replace(compare_models, "_promote", promote),
        _replace(next_step, "_obstacle", lambda facts: None),
    ]


def _nobody_is_waited_for() -> Patches:
    """Continue as if a person had approved."""
    return [_replace(next_step, "_by_answer", lambda approval, now: next_step.Promote())]


def _joins_unconditionally() -> Patches:
    """Stage an upload whatever its row says by now."""
    real = uploads.Uploads.stage

    def stage(self: uploads.Uploads, *given: Any, **more: Any) -> None:
        real(uploads.Uploads(_Unconditional(self._table)), *given, **more)

    return [_replace(uploads.Uploads, "stage", stage)]


def _joins_after_the_seal() -> Patches:
    """Decide anew in each try what is in a batch: the manifest does not hold."""
    plan = seal_batch._planned
    return [_replace(seal_batch, "_manifest", plan)]


def _notices_in_a_second_write() -> Patches:
    """Write a state, and then its notice in a second transaction."""
    real = MemoryRows.write

    def write(self: MemoryRows, writes: Sequence[Write]) -> None:
        notices = [one for one in writes if one.key.pk == "OUTBOX"]
        states = [one for one in writes if one.key.pk != "OUTBOX"]
        for part in (states, notices):
            if part:
                real(self, part)

    return [_replace(MemoryRows, "write", write)]


def _neither_token_nor_adoption() -> Patches:
    """Forget tokens, and recognise no iteration whose reply was lost."""
    real = MemoryService.start_iteration

    def start(self: MemoryService, token: str) -> str | None:
        self.forget_tokens()
        return real(self, token)

    def ask(
        services: Services, comprehend: FlywheelService, batch: BatchRow, row: Any
    ) -> str | None:
        name = BatchName(batch.flywheel, batch.batch, batch.attempt)
        return comprehend.start_iteration(name.token("iteration", row.arn))

    return [
        _replace(MemoryService, "start_iteration", start),
        _replace(start_iteration, "_iteration_id", ask),
    ]


def _jobs_without_a_token() -> Patches:
    """Start a job anew each time it is asked for."""
    real = MemoryJobs.start

    def start(self: MemoryJobs, *given: str) -> str:
        self.forget_tokens()
        return real(self, *given)

    return [_replace(MemoryJobs, "start", start)]


def _answers_kept_by_model_alone() -> Patches:
    """Keep a model's answers whatever test set they are to, and compare as far as they go."""
    real = predictions.scored

    def key(self: StoredAnswers, model: str) -> str:
        return f"answers/{self.flywheel}/{model}.jsonl"

    def scored(rows: Sequence[Any], old: Any, new: Sequence[Any], shape: Any) -> Any:
        shortest = min(len(rows), len(new), len(rows if old is None else old))
        return real(rows[:shortest], old, new, shape)

    return [_replace(StoredAnswers, "key", key), _replace(stored_answers, "scored", scored)]


def _unconditional_attempts() -> Patches:
    """Open a failed batch again whatever became of it since somebody looked."""
    real = datasets.Retries.reopen

    def reopen(self: datasets.Retries, *given: Any, **more: Any) -> None:
        real(datasets.Retries(_Unconditional(self._table), self._actor), *given, **more)

    return [_replace(datasets.Retries, "reopen", reopen)]


class _Unconditional:
    """A table on which rows are written without a look at what they are; the audit excepted."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def write(self, writes: Sequence[Write]) -> None:
        """Write whatever the rows hold."""
        self._table.write([self._without_condition(write) for write in writes])

    @staticmethod
    def _without_condition(write: Write) -> Write:
        if write.key.sk in {"AUDIT", "AUDIT_HEAD"}:
            return write
        if isinstance(write, Put):
            return replace(write, replaces=True)
        return replace(write, expect={}) if isinstance(write, Change) else write


SAFEGUARDS = {
    safeguard.name: safeguard
    for safeguard in (
        Safeguard("ledger", _no_ledger, {"an upload is received once"}),
        Safeguard(
            "version pin", _no_version_pin, {"no row is lost", "uploads are processed correctly"}
        ),
        Safeguard(
            "deterministic dataset name",
            _names_by_the_clock,
            {"a row is sent once", "slots are counted"},
        ),
        Safeguard("outbox", _no_outbox, {"people are notified"}),
        Safeguard("reconcile", _no_reconcile, {"no upload is lost", "all comes to rest"}),
        Safeguard("missing metrics hold", _missing_metrics_are_fine, {"a promotion has metrics"}),
        Safeguard("one open batch", _several_open_batches, {"one batch is open"}),
        Safeguard(
            "champion looked at again",
            _no_second_look_at_the_champion,
            {"a person's champion is not overwritten"},
        ),
        Safeguard(
            "a person first",
            _nobody_is_waited_for,
            {"nothing goes live before a person approved"},
        ),
        Safeguard("join condition", _joins_unconditionally, {"an upload is staged once"}),
        Safeguard(
            "no join after the seal",
            _joins_after_the_seal,
            {"no row is lost", "a row is sent once"},
        ),
        Safeguard("one transaction", _notices_in_a_second_write, {"people are notified"}),
        Safeguard(
            "token or adoption", _neither_token_nor_adoption, {"an attempt starts one iteration"}
        ),
        Safeguard(
            "conditional attempt",
            _unconditional_attempts,
            {"attempts only rise", "a batch goes forward"},
        ),
        Safeguard("token of a job", _jobs_without_a_token, {"a model is asked once"}),
        Safeguard(
            "answers under the test set",
            _answers_kept_by_model_alone,
            {"a verdict stands on one test set"},
        ),
        Safeguard("looks wear off slowly", look_safeguards.no_look_wears_on, {"looks are counted"}),
        Safeguard(
            "looks of a generation",
            look_safeguards.a_generation_counts_no_look,
            {"looks are counted"},
        ),
        Safeguard(
            "looks at a pair",
            look_safeguards.each_look_at_a_pair_is_the_first,
            {"looks at a pair are counted"},
        ),
        Safeguard("anchor", look_safeguards.every_promotion_moves_the_anchor, {"the anchor stays"}),
    )
}
"""Every safeguard by name."""
