"""Adapter of moto.events: the rules that an event matches, and their targets.

The gap: moto delivers while the sender waits, supports neither functions, state machines nor topics
as targets (one of them stops all later rules), ignores Input and InputPath, and matches disabled
rules. Decides which targets get an event. Must not know how a target is called. Read next:
event_targets.py and schedules.py.
"""

import datetime
from typing import Any

from moto.events.models import Rule, events_backends

from local_cloud.background import Background
from local_cloud.events.event_targets import EventTargets
from local_cloud.patches import Patches
from local_cloud.settings import CloudSettings

_DEFAULT_BUS = "default"


class EventRules:
    """Selects the rules that an event matches, and delivers to their targets in the background."""

    def __init__(
        self, settings: CloudSettings, background: Background, targets: EventTargets
    ) -> None:
        self._settings = settings
        self._background = background
        self._targets = targets

    def install(self, patches: Patches) -> None:
        """Deliver moto's own events, those of PutEvents, in the same way."""

        def send_to_targets(
            rule: Rule, event: dict[str, Any], transform_input: bool = True
        ) -> None:
            self.offer(rule, _as_sent(event))

        patches.replace("moto.events.models:Rule.send_to_targets", send_to_targets)

    def publish(self, event: dict[str, Any]) -> None:
        """Offer an event of an AWS service to the rules of the default bus."""
        for rule in self.rules():
            self.offer(rule, event)

    def rules(self) -> list[Rule]:
        """Return the rules of the default bus."""
        backend = events_backends[self._settings.account_id][self._settings.region]
        return list(backend.event_buses[_DEFAULT_BUS].rules.values())

    def offer(self, rule: Rule, event: dict[str, Any]) -> None:
        """Deliver an event to a rule's targets if the rule is enabled and its pattern matches."""
        has_pattern = bool(rule.event_pattern.dump())
        if rule.state == "ENABLED" and has_pattern and rule.event_pattern.matches_event(event):
            self.deliver(rule, event)

    def deliver(self, rule: Rule, event: dict[str, Any]) -> None:
        """Deliver an event to all targets of a rule, in the background."""
        for target in rule.targets:
            self._background.submit(self._targets.deliver, rule.arn, target, event)


def _as_sent(event: dict[str, Any]) -> dict[str, Any]:
    sent = {name: value for name, value in event.items() if name != "ingestion-time"}
    if isinstance(sent.get("time"), int | float):
        moment = datetime.datetime.fromtimestamp(float(sent["time"]), datetime.UTC)
        sent["time"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return sent
