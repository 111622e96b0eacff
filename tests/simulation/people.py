"""What people do in a history: drop files, act by the command, and use the console meanwhile."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from application.commands.operator_commands import OperatorCommands
from flywheel.batches.uploads import ObjectVersion, UploadState
from flywheel.errors import ActRefusedError, FlywheelLoopError
from tests.simulation.callers import Callers
from tests.simulation.memory.texts import TEST_TEXTS, TEXTS, label_of
from tests.simulation.simulator import KilledError, Simulator

_UPLOADS, _ANSWERED_UPLOADS = (3, 8), (5, 14)
_SIZES, _ANSWERED_SIZES = (2, 9), (12, 80)
_SAME_NAME, _BROKEN, _DELETED, _MARKER, _MISPLACED = 0.2, 0.1, 0.03, 0.08, 0.04
_LOCKED = 0.05
_TEST, _ANSWERED_TEST = 0.12, 0.3
_REGRETTED, _REGRET_SECONDS = 0.3, 3600
_REPAIR_SECONDS = 2 * 3600
_PATIENCE_SECONDS = 3600


@dataclass(slots=True)
class Dropped:
    """An object version that a person dropped.

    Parameters
    ----------
    upload : ObjectVersion
    sort : str
        What became of it at the end must fit: ``valid``, ``broken``, ``misplaced``, ``marker``.
    texts : tuple of str
        Of its rows.
    """

    upload: ObjectVersion
    sort: str
    texts: tuple[str, ...] = ()
    is_deleted: bool = False


@dataclass(slots=True)
class People:
    """Everybody outside.

    Parameters
    ----------
    simulator : Simulator
    callers : Callers
    name : str
        The flywheel.
    are_models_asked : bool
        Whether they drop more test rows and freeze more often, since models answer them.
    dropped : list of Dropped
        What they dropped so far.
    """

    simulator: Simulator
    callers: Callers
    name: str
    are_models_asked: bool = False
    dropped: list[Dropped] = field(default_factory=list)

    def plan(self, seconds: float) -> None:
        """Put everything that people will do on the agenda."""
        chance = self.simulator.chance
        self._at(0.0, lambda: self._drop(0, "test"))
        tests = _ANSWERED_TEST if self.are_models_asked else _TEST
        uploads = _ANSWERED_UPLOADS if self.are_models_asked else _UPLOADS
        for number in range(1, chance.randint(*uploads)):
            kind = "test" if chance.random() < tests else "train"
            moment = chance.random() * seconds * 0.9
            self._at(moment, functools.partial(self._drop, number, kind))
        for act in (
            self._make_active,
            self._make_active,
            self._make_active,
            self._start_iteration,
            self._pause,
            self._withdraw,
            self._withdraw,
            self._freeze,
            self._split,
            self._rebuild,
            self._rebuild,
            self._give_up_rebuild,
            self._give_up_rebuild,
            self._roll_back,
            self._promote,
            self._resume,
            self._abort,
            self._silence,
            self.callers.ports.messages.uploads.redrive,
            *([self._freeze] * 3 if self.are_models_asked else []),
        ):
            if self.simulator.happens(self.simulator.rates.person):
                self._at(chance.random() * seconds, act)
        for _ in range(chance.randint(0, 12)):
            # Two people may answer the same question, each in a way of his own.
            moment = chance.random() * seconds
            self._at(moment, self._answer)
            self._at(moment + chance.choice((0, 30)), self._answer)
        for _ in range(chance.randint(0, 4)):
            # Two people may answer the same notice.
            moment = chance.random() * seconds
            self._at(moment, self.retry)
            self._at(moment + chance.choice((0, 30)), self.retry)

    def repair(self) -> None:
        """In the calm, resume, redrive dead letters and retry what failed, until all is well."""
        self._resume()
        self.callers.ports.messages.uploads.redrive()
        self.retry()
        self.simulator.later(_REPAIR_SECONDS, self.repair)

    def retry(self) -> None:
        """Open a failed batch again."""
        staging = self.callers.ports.staging
        self._act("retry", lambda acts: acts.retry(staging, None, "by hand", self.simulator.now))

    def _at(self, seconds: float, act: Callable[[], object]) -> None:
        self.simulator.later(seconds, act)

    def _drop(self, number: int, kind: str) -> None:
        chance, ports = self.simulator.chance, self.callers.ports
        # Now and then a file of the same name is dropped again, with other rows.
        name = f"{1 if chance.random() < _SAME_NAME else number}.csv"
        draw = chance.random()
        texts: tuple[str, ...] = ()
        sort, key, body = "valid", f"{self.name}/{kind}/{name}", ""
        if draw < _BROKEN:
            sort, body = "broken", "a,b,c\n"
        elif draw < _BROKEN + _MARKER:
            sort, key = "marker", f"{self.name}/train/_GO"
        elif draw < _BROKEN + _MARKER + _MISPLACED:
            sort, key = "misplaced", f"nowhere/{name}"
        else:
            is_answered = self.are_models_asked and kind == "test"
            known, sizes = (TEST_TEXTS, _ANSWERED_SIZES) if is_answered else (TEXTS, _SIZES)
            texts = tuple(chance.sample(known, chance.randint(*sizes)))
            body = "".join(f"{label_of(text)},{text}\n" for text in texts)
        upload = ports.inbox.drop(key, body.encode())
        dropped = Dropped(upload, sort, texts)
        self.dropped.append(dropped)
        self.simulator.note(f"dropped {key} {upload.version_id} ({sort}, {len(texts)} rows)")
        if self.simulator.happens(_LOCKED):
            ports.inbox.locked.add(upload)
            self.simulator.note(f"locked {upload.version_id}")
        ports.messages.event(upload, len(body))
        if self.simulator.happens(_DELETED):
            self.simulator.later(chance.random() * 60, lambda: self._delete(dropped))

    def _delete(self, dropped: Dropped) -> None:
        self.callers.ports.inbox.delete(dropped.upload)
        dropped.is_deleted = True
        self.simulator.note(f"deleted {dropped.upload.version_id}")

    def _pause(self) -> None:
        self._act("pause", lambda acts: acts.pause("by hand", self.simulator.now))
        self.simulator.later(7200, self._resume)

    def _resume(self) -> None:
        self._act("resume", lambda acts: acts.resume("by hand", self.simulator.now))

    def _make_active(self) -> None:
        self.callers.ports.current.make_active_outside()

    def _start_iteration(self) -> None:
        self.callers.ports.current.start_outside()

    def _answer(self) -> None:
        row = self.callers.ports.table.look(f"FLYWHEEL#{self.name}", "FLYWHEEL") or {}
        given = self.simulator.chance.choice(("approve", "approve", "reject"))
        event = {"batch": row.get("open_batch") or 1, "answer": given, **self._person()}
        self.callers.answer(event)

    def _roll_back(self) -> None:
        self.callers.change({"act": "rollback", **self._person(), **self._request()})

    def _promote(self) -> None:
        number = str(self.simulator.chance.randint(1, 3))
        self.callers.change(
            {"act": "promote", "model": number, **self._person(), **self._request()}
        )

    def _person(self) -> dict[str, Any]:
        return {"flywheel": self.name, "reason": "by hand", "actor": "a person"}

    def _request(self) -> dict[str, Any]:
        return {"request": f"request-{self.simulator.chance.random()}"}

    def _split(self) -> None:
        staging = self.callers.ports.staging
        self._act("split", lambda acts: acts.split(staging, 0.3, self.simulator.now))

    def _rebuild(self) -> None:
        self._act("rebuild", lambda acts: acts.rebuild("by hand", (), (), self.simulator.now))
        # Now and then somebody thinks better of it while the new flywheel is made.
        if self.simulator.happens(_REGRETTED):
            self._at(self.simulator.chance.random() * _REGRET_SECONDS, self._give_up_rebuild)

    def _give_up_rebuild(self) -> None:
        self._act("give up", lambda acts: acts.give_up_rebuild("by hand", self.simulator.now))

    def _freeze(self) -> None:
        self._act("freeze", lambda acts: acts.freeze(self.simulator.now, is_partial_allowed=True))

    def _withdraw(self) -> None:
        def withdraw(acts: OperatorCommands) -> None:
            rows = acts.ledger.uploads.newest(self.name, 50)
            chosen = [row for row in rows if row.state in {UploadState.STAGED, UploadState.SEALED}]
            if chosen:
                acts.withdraw([self.simulator.chance.choice(chosen)], "by hand", self.simulator.now)

        self._act("withdraw", withdraw)

    def _abort(self) -> None:
        statuses = self.callers.ports.executions.statuses
        running = [name for name, status in statuses.items() if status[0] == "RUNNING"]
        if running:
            statuses[running[-1]] = ("ABORTED", "", "")

    def _silence(self) -> None:
        topic = self.callers.ports.topic
        topic.is_silent = True
        self.simulator.note("the topic is down")

        def end() -> None:
            topic.is_silent = False

        self.simulator.later(self.simulator.chance.random() * 4 * 3600, end)

    def _act(self, words: str, act: Callable[[OperatorCommands], object]) -> None:
        """Act by the command, as a process that may die; who acts sees what went wrong."""
        services, ports = self.callers.services, self.callers.ports
        acts = OperatorCommands(
            services.configuration.environment,
            ports.known[self.name],
            services.ledger,
            ports.current,
            services.workflow,
        )
        try:
            with self.simulator.process(_PATIENCE_SECONDS):
                act(acts)
            self.simulator.note(f"a person: {words}")
        except ActRefusedError:
            return
        except (FlywheelLoopError, KilledError) as error:
            self.simulator.note(f"a person: {words}: {type(error).__name__}")
