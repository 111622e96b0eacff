"""Settings and quotas that the command line can change by name.

Decides which these are and how a value is written. `comprehend_engine.settings` explains their
meaning.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, get_args

from comprehend_engine.settings import EngineSettings, Quotas, TrainingData

_FLAGS = {"yes": True, "no": False}


def with_setting(settings: EngineSettings, assignment: str) -> EngineSettings:
    """Return settings in which one setting or quota has another value.

    Parameters
    ----------
    settings : EngineSettings
    assignment : str
        Name and value, such as ``training_data=new`` or ``min_documents_per_label=50``.

    Raises
    ------
    ValueError
        The name is unknown, or the value is invalid for it; the message lists what is valid.

    Examples
    --------
    >>> from pathlib import Path
    >>> with_setting(EngineSettings(Path("state")), "endpoints=20").quotas.endpoints
    20
    """
    name, _, text = assignment.partition("=")
    if name in _QUOTAS:
        quota = _whole(name, text)
        return replace(settings, quotas=replace(settings.quotas, **{name: quota}))
    if name in _SWITCHES:
        return replace(settings, **{name: _SWITCHES[name](name, text)})
    message = f"{name!r} is unknown; these exist: {', '.join((*_SWITCHES, *_QUOTAS))}"
    raise ValueError(message)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        message = f"{name} takes a whole number from 0, not {text!r}"
        raise ValueError(message)
    return int(text)


def _one_of(allowed: Mapping[str, Any]) -> Callable[[str, str], Any]:
    def chosen(name: str, text: str) -> Any:
        if text not in allowed:
            message = f"{name} takes {' or '.join(allowed)}, not {text!r}"
            raise ValueError(message)
        return allowed[text]

    return chosen


_QUOTAS = tuple(field.name for field in fields(Quotas))
_SWITCHES: Mapping[str, Callable[[str, str], Any]] = {
    "training_data": _one_of({name: name for name in get_args(TrainingData)}),
    "sets_first_active_model": _one_of(_FLAGS),
    "shows_model_in_training": _one_of(_FLAGS),
    "returned_classes": _whole,
    "seed": _whole,
}
