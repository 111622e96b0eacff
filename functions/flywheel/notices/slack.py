"""Messages in Slack: a notice as plain text that becomes no link, and an alarm in words.

Pure. Sent by `adapters.slack`.
"""

import json
import re
from typing import Any

from flywheel.untrusted_text import unlinked, visible

_MAX_BLOCK_CHARACTERS = 2900
"""Below Slack's limit of 3,000 characters a text block."""

_MAX_HEADER_CHARACTERS = 150

_HALF_ENTITY = re.compile(r"&[a-z]*$")


def message(subject: str, body: str) -> dict[str, Any]:
    """Return a Slack message of a notice: a header and the body, both as plain text.

    Notes
    -----
    *Source*: Slack, "Formatting message text" (escaping) and "Blocks" (limits of a block's text).
    """
    return {
        "text": _escaped(subject, _MAX_HEADER_CHARACTERS),
        "blocks": [
            {"type": "header", "text": _plain(subject, _MAX_HEADER_CHARACTERS)},
            {"type": "section", "text": _plain(body, _MAX_BLOCK_CHARACTERS)},
        ],
    }


def _plain(text: str, most_characters: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, most_characters), "emoji": False}


def _escaped(text: str, most_characters: int) -> str:
    harmless = unlinked(visible(text))
    escaped = harmless.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= most_characters:
        return escaped
    return _HALF_ENTITY.sub("", escaped[: most_characters - 3]) + "..."


_STATES = {"ALARM": "ALARM", "OK": "is over", "INSUFFICIENT_DATA": "has no data"}


def alarm_words(message: str) -> str | None:
    r"""Return an alarm's words, or None where a message is no alarm of CloudWatch.

    Examples
    --------
    >>> alarm_words('{"AlarmName": "A", "NewStateValue": "ALARM", "AlarmDescription": "Do it."}')
    'ALARM: A\n\nDo it.\n'
    >>> alarm_words("Live now: a model")

    Notes
    -----
    *Source*: CloudWatch user guide, "Notifying users on alarm changes"; members of the message.
    """
    try:
        alarm = json.loads(message)
        name, state = str(alarm["AlarmName"]), str(alarm["NewStateValue"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    parts = [f"{_STATES.get(state, state)}: {name}"]
    parts += [str(alarm[key]) for key in ("AlarmDescription", "NewStateReason") if alarm.get(key)]
    return "\n\n".join(parts) + "\n"
