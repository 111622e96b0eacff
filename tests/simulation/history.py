"""One history: everything of one environment with one flywheel, played from a seed.

For some hours faults happen while people drop files and act. Then all faults stop, and the system
must come to rest: each upload is where it belongs, and people were notified.
"""

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from application.configuration import KnownFlywheel
from application.services import Services, task_config
from flywheel.settings.environment import ReceivedSettings
from tests.simulation.callers import Callers
from tests.simulation.invariants.at_rest import check_at_rest, unsettled
from tests.simulation.invariants.writes import Watch
from tests.simulation.memory.account import MemoryAccount
from tests.simulation.memory.buckets import MemoryStaging
from tests.simulation.memory.jobs import JobRates
from tests.simulation.memory.ports import MemoryPorts, configuration_of
from tests.simulation.memory.texts import LABELS
from tests.simulation.people import People
from tests.simulation.simulator import Simulator

NAME = "tickets"
_RULES = {
    "quiet_seconds": 60,
    "max_gather_minutes": 3,
    "min_documents": 3,
    "max_age_hours": 2,
    "min_hours_between_iterations": 0,
    "service_min_per_label": 2,
    "poll_seconds": 300,
}
_MODELS_ASKED_EVERY = 3
"""In one history of so many both models answer the test set where averages are not enough."""

_ANSWERS_DEADLINE_HOURS = 4
_ANSWERED = {"evidence": "paired", "min_test_documents": 2}
_LOOKS: Sequence[dict[str, int]] = ({}, {"test_looks_warning": 2, "test_looks_hold": 4})
_COMPARISONS: Sequence[dict[str, Any]] = (
    {"rules": [{"metric": "AverageAccuracy", "min": 0.5, "min_improvement": 0.005}]},
    {"rules": [{"metric": "AverageF1Score", "min": 0.5, "min_improvement": 0.005}]},
    {
        "comparison": "non-inferiority",
        "margin": 0.2,
        "rules": [{"metric": "AverageAccuracy", "min": 0.5, "max_drop": 0.2}],
    },
)
"""An exact test of both models' answers, one that draws them again, and one without a gain."""

_CONFIGURATION = configuration_of("sim")
_STORM = timedelta(hours=10)
_CALM_STEP = timedelta(hours=8)
_CALM_STEPS = 12


@dataclass(frozen=True, slots=True)
class Played:
    """A history that was played.

    Parameters
    ----------
    seed : int
    broken : tuple of str
        Invariants that did not hold.
    fingerprint : str
        The same for the same history.
    trace : tuple of str
        Its newest events.
    """

    seed: int
    broken: tuple[str, ...]
    fingerprint: str
    trace: tuple[str, ...]


@dataclass(slots=True)
class History:
    """One environment with one flywheel.

    Parameters
    ----------
    simulator : Simulator
    ports : MemoryPorts
    people : People
    callers : Callers
    """

    simulator: Simulator
    ports: MemoryPorts
    people: People
    callers: Callers


def play(seed: int, *, newest: int = 40) -> Played:
    """Play the history of a seed, as it happens each time.

    Parameters
    ----------
    newest : int
        Number of the latest events in its trace.
    """
    history = _laid_out(seed)
    simulator = history.simulator
    with _process_of_its_own(history):
        try:
            _live_through(history)
        finally:
            simulator.agenda.close()
    return Played(
        seed, tuple(simulator.broken), simulator.fingerprint, tuple(simulator.trace(newest))
    )


def _live_through(history: History) -> None:
    simulator = history.simulator
    Watch(history.simulator, history.ports).begin()
    history.people.plan(_STORM.total_seconds())
    simulator.later(0, history.callers.schedule)
    end = simulator.now + _STORM
    simulator.agenda.run(end)
    simulator.is_calm = True
    simulator.note("calm")
    simulator.later(3600, history.people.repair)
    for _ in range(_CALM_STEPS):
        end += _CALM_STEP
        simulator.agenda.run(end)
        if not unsettled(history.ports, history.people.dropped):
            break
    check_at_rest(simulator, history.ports, history.people.dropped)


def _settings(chance: random.Random, *, are_models_asked: bool) -> ReceivedSettings:
    """Draw whether people are asked, for how long, what their silence means, and what is proof."""
    policy: dict[str, Any] = {
        "evidence": "none",
        "approve_first": chance.choice((0, 0, 2, 5)),
        "approval_timeout_hours": chance.choice((1, 4)),
        "on_approval_timeout": chance.choice(("keep", "promote")),
    }
    rules = _RULES
    if are_models_asked:
        policy |= _ANSWERED | chance.choice(_LOOKS) | chance.choice(_COMPARISONS)
        rules = _RULES | {"iteration_deadline_hours": _ANSWERS_DEADLINE_HOURS}
    return ReceivedSettings.from_document({"name": NAME, "batch": rules, "policy": policy})


def _laid_out(seed: int) -> History:
    simulator = Simulator(seed)
    are_models_asked = seed % _MODELS_ASKED_EVERY == _MODELS_ASKED_EVERY - 1
    callers = Callers(simulator)
    account = MemoryAccount(simulator, MemoryStaging(simulator))
    service = account.add(f"sim-{NAME}-g1", LABELS)
    account.shared.followed = service.arn
    service.makes_first_active = simulator.chance.random() < 0.5
    settings = _settings(simulator.chance, are_models_asked=are_models_asked)
    if are_models_asked:
        account.jobs.rates = JobRates.drawn(simulator.chance)
    ports = MemoryPorts.over(
        simulator,
        account,
        {NAME: KnownFlywheel(service.arn, settings)},
        register=callers.register_upload,
        send_digests=callers.send_digests,
        execute=callers.execute,
        close=callers.close_late,
        rebuild=callers.rebuild_late,
        compare=callers.compare_late,
        change=callers.change_late,
        answer=callers.answer_late,
    )
    callers.ports = ports
    callers.services = Services("sim", _CONFIGURATION, lambda: simulator.now, ports)
    return History(simulator, ports, People(simulator, callers, NAME, are_models_asked), callers)


@contextmanager
def _process_of_its_own(history: History) -> Iterator[None]:
    """Forget what functions remember between calls, and write nothing out."""
    task_config.cache_clear()
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with history.callers.wired():
            yield
    finally:
        logging.disable(disabled)
        task_config.cache_clear()
