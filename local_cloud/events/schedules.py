"""Fires the scheduled rules of EventBridge, which moto stores but never fires.

Decides when a rule with ``rate(...)`` or ``cron(...)`` is due. Time in a local cloud runs faster:
with a wait scale of 0.02, a schedule of fifteen minutes fires every eighteen seconds. Must not know
the targets. Read next: event_rules.py.

Notes
-----
*Source*: EventBridge User Guide, "Schedule expressions for rules" and "Scheduled events".
"""

import datetime
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.events.models import Rule

from local_cloud.events.event_rules import EventRules
from local_cloud.settings import CloudSettings

_log = logging.getLogger(__name__)
_TICK_SECONDS = 0.25
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_MINUTES_SEARCHED = 366 * 24 * 60


class Schedules:
    """A thread that fires scheduled rules in the cloud's own, faster time.

    Parameters
    ----------
    settings : CloudSettings
        The scale of time.
    rules : EventRules
        Has the rules, and delivers.
    clock : callable
        Returns seconds since the epoch; tests drive it.
    """

    def __init__(
        self, settings: CloudSettings, rules: EventRules, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._clock = clock
        self._started_at = clock()
        self._due: dict[str, tuple[str, float]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        """Start firing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop firing."""
        self._stopping.set()
        self._thread.join()

    def fire_due_rules(self) -> list[str]:
        """Fire the rules that are due now; return their names."""
        now = self._cloud_time()
        fired = [rule for rule in self._rules.rules() if self._is_due(rule, now)]
        for rule in fired:
            self._rules.deliver(rule, _scheduled_event(rule))
        return [rule.name for rule in fired]

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_SECONDS):
            self.fire_due_rules()

    def _cloud_time(self) -> float:
        elapsed = self._clock() - self._started_at
        return self._started_at + elapsed / max(self._settings.wait_scale, 1e-6)

    def _is_due(self, rule: Rule, now: float) -> bool:
        expression: str = rule.scheduled_expression or ""
        if not expression or rule.state != "ENABLED":
            return False
        known, due_at = self._due.get(rule.name, ("", 0.0))
        if known == expression and now < due_at:
            return False
        self._due[rule.name] = (expression, self._next_time(rule, now))
        return known == expression

    @staticmethod
    def _next_time(rule: Rule, now: float) -> float:
        try:
            return next_time(rule.scheduled_expression, now)
        except ValueError:
            _log.exception("rule %s never fires", rule.name)
            return float("inf")


def next_time(expression: str, after: float) -> float:
    """Return the next time of a schedule.

    Parameters
    ----------
    expression : str
        ``rate(15 minutes)`` or ``cron(0 8 ? * MON-FRI *)``.
    after : float
        Seconds since the epoch.

    Returns
    -------
    float
        Seconds since the epoch; infinite when a cron expression has no date within a year.

    Raises
    ------
    ValueError
        When the expression is neither.

    Examples
    --------
    >>> next_time("rate(15 minutes)", 0.0)
    900.0
    >>> next_time("cron(30 8 * * ? *)", 0.0) == 8.5 * 3600
    True
    """
    rate = _RATE.fullmatch(expression)
    if rate:
        return after + int(rate[1]) * _UNIT_SECONDS[rate[2]]
    cron = _CRON.fullmatch(expression)
    if not cron:
        raise ValueError(f"not a schedule: {expression}")
    fields = cron[1].split()
    first = datetime.datetime.fromtimestamp(after, datetime.UTC).replace(second=0, microsecond=0)
    for minutes in range(1, _MINUTES_SEARCHED):
        moment = first + datetime.timedelta(minutes=minutes)
        if _matches(fields, moment):
            return moment.timestamp()
    return float("inf")


def _matches(fields: list[str], moment: datetime.datetime) -> bool:
    minute, hour, day, month, weekday, year = fields
    return (
        _field_matches(minute, moment.minute, 0)
        and _field_matches(hour, moment.hour, 0)
        and _field_matches(month, moment.month, 1, _MONTHS, 1)
        and _field_matches(day, moment.day, 1)
        and _field_matches(weekday, moment.isoweekday() % 7 + 1, 1, _WEEKDAYS, 1)
        and _field_matches(year, moment.year, 1970)
    )


def _field_matches(
    field: str, value: int, least: int, names: list[str] | None = None, first: int = 0
) -> bool:
    if field in ("*", "?"):
        return True
    return any(_part_matches(part, value, least, names or [], first) for part in field.split(","))


def _part_matches(part: str, value: int, least: int, names: list[str], first: int) -> bool:
    def number(text: str) -> int:
        return names.index(text.upper()) + first if text.upper() in names else int(text)

    span, _, step = part.partition("/")
    low, _, high = span.partition("-")
    start = least if low == "*" else number(low)
    if step:
        end = number(high) if high else 9999
        return start <= value <= end and (value - start) % int(step) == 0
    return start <= value <= (number(high) if high else start)


def _scheduled_event(rule: Rule) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account_id,
        "time": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": rule.region_name,
        "resources": [rule.arn],
        "detail": {},
    }
