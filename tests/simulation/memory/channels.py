"""Topic, queues, executions and function calls in memory: what carries words from one to another.

Each delivers at least once; the receivers are in `callers`.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from application.ports import OtherFunction
from flywheel.batches.uploads import ObjectVersion
from flywheel.errors import ServiceBusyError
from flywheel.notices.notice import Notice
from tests.simulation.simulator import Simulator
from tests.stack_template import resources

_LATEST_SECONDS = 86_400
_INVOCATION_TRIES = 3
"""Lambda's own number: the stack sets none."""


@dataclass(slots=True)
class MemoryTopic:
    """The notices topic.

    Parameters
    ----------
    simulator : Simulator
    is_silent : bool
        Whether it is down.
    sent : Counter of str
        Number of publications per notice id.
    """

    simulator: Simulator
    is_silent: bool = False
    sent: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, str] = field(default_factory=dict)

    def publish(self, flywheel: str, notice: Notice) -> None:
        """Publish."""

        def send() -> None:
            if self.is_silent and not self.simulator.is_calm:
                raise ServiceBusyError("sns:Publish", "ServiceUnavailable")
            self.sent[notice.id] += 1
            self.bodies[notice.id] = f"{notice.subject}\n{notice.body}"
            self.simulator.note(f"published {notice.id}: {notice.subject}")

        self.simulator.call("topic.publish", send, is_repeatable=True)


@dataclass(slots=True)
class Message:
    """A message of a queue.

    Parameters
    ----------
    handle : str
        Its receipt handle.
    body : any
    deliveries : int
        Number of times it was received.
    visible_after : float
        Seconds until it can be received again after a failure; a receipt sets the queue's own.
    """

    handle: str
    body: Any
    deliveries: int = 0
    visible_after: float = 0
    is_done: bool = False


@dataclass(slots=True)
class MemoryQueue:
    """A standard queue with a dead-letter queue, and the function that reads it.

    Parameters
    ----------
    simulator : Simulator
    name : str
        As in the stack's template, which configures redelivery.
    receive : callable
        Handles a message; says whether it was handled. Whoever dies says False.
    """

    simulator: Simulator
    name: str
    receive: Callable[[Message], bool]
    waiting: dict[str, Message] = field(default_factory=dict)
    dead: list[Message] = field(default_factory=list)
    _visibility_seconds: int = field(init=False)
    _most_deliveries: int = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Read the queue's redelivery."""
        queue = resources("AWS::SQS::Queue")[self.name]
        self._visibility_seconds = queue["VisibilityTimeout"]
        self._most_deliveries = queue["RedrivePolicy"]["maxReceiveCount"]

    def send(self, body: Any, delay_seconds: float) -> None:
        """Send a message; it comes once or more often."""
        message = Message(f"receipt-{next(self._numbers)}", body)
        self.waiting[message.handle] = message
        self.simulator.later(delay_seconds, lambda: self._deliver(message))
        if self.simulator.happens(self.simulator.rates.duplicate):
            again = delay_seconds + self.simulator.chance.choice((0, 1, 30))
            self.simulator.later(again, lambda: self._deliver(message))

    def deliver_later(self, handle: str, seconds: float) -> None:
        """Let a message be received again after so many seconds."""
        if handle in self.waiting:
            self.waiting[handle].visible_after = seconds

    def redrive(self) -> None:
        """Send dead letters again, as people do."""
        dead, self.dead = self.dead, []
        for message in dead:
            self.send(message.body, 1)

    def _deliver(self, message: Message) -> None:
        if message.is_done:
            return
        message.deliveries += 1
        message.visible_after = self._visibility_seconds
        if self.receive(message) and not self.simulator.happens(self.simulator.rates.lost_reply):
            message.is_done = True
            self.waiting.pop(message.handle, None)
        elif message.deliveries >= self._most_deliveries:
            message.is_done = True
            if self.waiting.pop(message.handle, None):
                self.dead.append(message)
                self.simulator.note(f"dead letter {message.body}")
        else:
            self.simulator.later(message.visible_after, lambda: self._deliver(message))


@dataclass(slots=True)
class MemoryMessages:
    """The queues that functions write to; bodies are ``(upload, size)`` and a flywheel's name."""

    simulator: Simulator
    uploads: MemoryQueue
    notices_due: MemoryQueue

    def announce(self, flywheel: str, delay_seconds: int) -> None:
        """Have the flywheel's upload news looked at when the delay is over."""
        self.simulator.call(
            "messages.announce",
            lambda: self.notices_due.send(flywheel, delay_seconds),
            is_repeatable=True,
        )

    def inject(self, upload: ObjectVersion, size_bytes: int) -> None:
        """Have an upload registered as if its event came now."""
        self.simulator.call(
            "messages.inject",
            lambda: self.uploads.send((upload, size_bytes), 1),
            is_repeatable=True,
        )

    def has_waiting_uploads(self) -> bool:
        """Say whether an upload's event is still to be delivered, or under way."""
        return self.simulator.call(
            "messages.has_waiting_uploads", lambda: bool(self.uploads.waiting)
        )

    def deliver_later(self, receipt_handle: str, seconds: int) -> None:
        """Have a message of the uploads queue delivered again after so many seconds."""
        self.simulator.call(
            "messages.deliver_later", lambda: self.uploads.deliver_later(receipt_handle, seconds)
        )

    def event(self, upload: ObjectVersion, size_bytes: int) -> None:
        """Send the event of a new object: late, twice, or never."""
        if self.simulator.happens(self.simulator.rates.lost_event):
            self.simulator.note(f"event lost: {upload.version_id}")
            return
        for _ in range(1 + self.simulator.happens(self.simulator.rates.duplicate)):
            is_late = self.simulator.happens(self.simulator.rates.late_event)
            latest = _LATEST_SECONDS if is_late else 30
            self.uploads.send((upload, size_bytes), self.simulator.chance.random() * latest)


@dataclass(slots=True)
class MemoryTokens:
    """Tokens of tasks that wait for an answer.

    Parameters
    ----------
    waiting : dict of str to str or None
        By token; the answer once there is one.
    """

    waiting: dict[str, str | None] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def begin(self) -> str:
        """Return the token of a task that begins to wait."""
        token = f"token-{next(self._numbers)}"
        self.waiting[token] = None
        return token

    def end(self, token: str) -> str | None:
        """Let a task wait no longer, and return its answer."""
        return self.waiting.pop(token, None)


@dataclass(slots=True)
class MemoryExecutions:
    """The state machine's executions.

    Parameters
    ----------
    simulator : Simulator
    begin : callable
        Runs an execution, named, with its input, as something on the agenda.
    statuses : dict of str to tuple
        Status, error and cause.
    """

    simulator: Simulator
    begin: Callable[[str, str], None]
    statuses: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)

    def start(self, name: str, document: str) -> None:
        """Start an execution; one of that name that was started before goes on as it is."""

        def go() -> None:
            if name not in self.statuses:
                self.statuses[name] = ("RUNNING", "", "")
                self.simulator.note(f"execution {name} begins")
                self.simulator.later(0, lambda: self.begin(name, document))

        self.simulator.call("executions.start", go, is_repeatable=True)

    def describe(self, name: str) -> tuple[str, str, str] | None:
        """Return status, error and cause of an execution; None where it never began."""
        return self.simulator.call("executions.describe", lambda: self.statuses.get(name))

    def answer(self, token: str, document: str) -> bool:
        """Let a task that waits go on with this output; False where it does not wait any more."""

        def answer() -> bool:
            if token not in self.tokens.waiting or self.tokens.waiting[token] is not None:
                return False
            self.tokens.waiting[token] = document
            self.simulator.note(f"{token} is answered: {document}")
            return True

        return self.simulator.call("executions.answer", answer)


@dataclass(slots=True)
class MemoryFunctions:
    """Other functions: invoked without an answer, up to three times where they fail.

    Parameters
    ----------
    runs : mapping of OtherFunction to callable
        Run a function with a payload; say whether that succeeded.
    """

    simulator: Simulator
    runs: Mapping[OtherFunction, Callable[[str], bool]]

    def invoke(self, function: OtherFunction, event: Mapping[str, Any]) -> None:
        """Have a function run with this event, sometime soon, at least once."""
        run, payload = self.runs[function], json.dumps(event)

        def invoke() -> None:
            for _ in range(1 + self.simulator.happens(self.simulator.rates.duplicate)):
                self.simulator.later(1, lambda: self._run(run, payload, 1))

        self.simulator.call(f"functions.{function}", invoke, is_repeatable=True)

    def _run(self, function: Callable[[str], bool], payload: str, tries: int) -> None:
        if not function(payload) and tries < _INVOCATION_TRIES:
            self.simulator.later(60 * tries, lambda: self._run(function, payload, tries + 1))
