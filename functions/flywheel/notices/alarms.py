"""An alarm in words for a chat, where CloudWatch sends a JSON document.

Decides what of an alarm people read. Pure; text is passed on as it is and interpreted by nobody.
"""

import json

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
