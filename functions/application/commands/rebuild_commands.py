"""What people do to a flywheel's generations: ask for the next one, or give it up.

Both are written down here and carried out by one function, step by step. Read next:
`rebuild_flywheel.handler`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.commands.data_commands import DataActs
from application.ledger.flywheel_rows import FlywheelRow, RebuildState
from application.rebuilds.provenance import taint_of_return, was_promoted
from flywheel.errors import ActRefusedError
from flywheel.notices.notice import Notice
from flywheel.notices.rebuilds import rebuild_given_up, rebuilding

_FEWEST_LABELS = 2


@dataclass(frozen=True, slots=True)
class RebuildActs(DataActs):
    """The acts on one flywheel's generations."""

    def rebuild(
        self, reason: str, add_labels: Sequence[str], drop_labels: Sequence[str], now: datetime
    ) -> Notice:
        """Ask for the next generation, from all accepted rows that were not withdrawn.

        Raises
        ------
        ActRefusedError
            A batch is under way, a generation is being made, or the labels do not fit.
        """
        row = self._idle_row()
        if row.rebuild is not None and row.rebuild.block_reason is not None:
            raise ActRefusedError(
                f"it is being rebuilt already ({row.rebuild.step}): wait, or give that up with "
                f"`flywheel rebuild {self.name} --abandon --reason TEXT`"
            )
        self._check_labels(add_labels, drop_labels)
        asked = RebuildState(
            step="REQUESTED",
            reason=reason,
            before_arn=row.arn,
            last_batch=row.last_batch,
            add_labels=tuple(add_labels),
            drop_labels=tuple(drop_labels),
            earlier=row.rebuild,
        )
        notice = rebuilding(
            self.environment,
            self.name,
            row.next_generation,
            reason,
            actor=self.ledger.actor,
            now=now,
        )
        self.ledger.rebuilds.ask(row, asked, notice, now)
        return notice

    def give_up_rebuild(self, reason: str, now: datetime) -> Notice:
        """Give up a generation of which no model was promoted.

        The function carries the way back on.

        Raises
        ------
        ActRefusedError
            There is none, a batch or a change of the champion is under way, a model of it is
            live, or the earlier flywheel was deleted.
        """
        row = self._idle_row()
        asked = row.rebuild
        if asked is None:
            raise ActRefusedError("it is not being rebuilt, so there is nothing to abandon")
        if asked.step == "RETURNING":
            raise ActRefusedError("its new generation was abandoned already")
        if row.change is not None:
            raise ActRefusedError("somebody is changing the champion right now")
        is_return = asked.step == "SWITCHED"
        if is_return:
            self._check_way_back(row, asked)
        notice = rebuild_given_up(
            self.environment,
            self.name,
            row.generation if is_return else row.next_generation,
            arn=asked.arn,
            before_arn=asked.before_arn,
            is_return=is_return,
            taint=taint_of_return(self.ledger, row, asked),
            reason=reason,
            actor=self.ledger.actor,
            now=now,
        )
        self.ledger.rebuilds.give_up(row, reason, notice, now)
        return notice

    def _check_way_back(self, row: FlywheelRow, asked: RebuildState) -> None:
        if was_promoted(self.ledger, row, asked):
            raise ActRefusedError(
                f"a model of generation {row.generation} is live: roll back, or rebuild again"
            )
        past = self.ledger.rebuilds.past(row, asked.before_arn)
        if past is None or past.left is None:
            raise ActRefusedError(
                f"an earlier release made generation {row.generation}, and did not keep what it "
                "takes to go back: rebuild again instead"
            )
        if not self.comprehend.has_flywheel(asked.before_arn):
            raise ActRefusedError(
                f"Comprehend does not have {asked.before_arn} any more: rebuild again instead"
            )

    def _check_labels(self, add: Sequence[str], drop: Sequence[str]) -> None:
        if not (add or drop):
            return
        labels = set(self._labels())
        there, unknown = sorted(set(add) & labels), sorted(set(drop) - labels)
        if there:
            raise ActRefusedError(f"these labels are there already: {', '.join(there)}")
        if unknown:
            known = ", ".join(sorted(labels)[:20])
            raise ActRefusedError(f"no such labels: {', '.join(unknown)}; there are: {known}")
        if len((labels | set(add)) - set(drop)) < _FEWEST_LABELS:
            raise ActRefusedError(f"at least {_FEWEST_LABELS} labels must be left")
