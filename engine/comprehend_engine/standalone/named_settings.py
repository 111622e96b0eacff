"""Settings and quotas of the engine that are chosen by name, as a command line does.

Decides which may be chosen so and how a value is spelled; what they mean says
`comprehend_engine.settings`.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, get_args

from comprehend_engine.settings import EngineSettings, Quotas, TrainingData

_FLAGS = {"yes": True, "no": False}


def with_choice(settings: EngineSettings, choice: str) -> EngineSettings:
    """Return settings of which one, or one quota, has another value.

    Parameters
    ----------
    settings : EngineSettings
    choice : str
        Name and value, such as ``training_data=new`` or ``min_documents_per_label=50``.

    Raises
    ------
    ValueError
        There is no such name, or it takes no such value; the message says what there is.

    Examples
    --------
    >>> from pathlib import Path
    >>> with_choice(EngineSettings(Path("state")), "endpoints=20").quotas.endpoints
    20
    """
    name, _, text = choice.partition("=")
    if name in _QUOTAS:
        quota = _whole(name, text)
        return replace(settings, quotas=replace(settings.quotas, **{name: quota}))
    if name in _SWITCHES:
        return replace(settings, **{name: _SWITCHES[name](name, text)})
    message = f"there is no {name!r}; there are: {', '.join((*_SWITCHES, *_QUOTAS))}"
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
    "tells_model_in_training": _one_of(_FLAGS),
    "told_classes": _whole,
    "seed": _whole,
}
