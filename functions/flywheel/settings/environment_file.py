"""How an environment's file becomes settings: TOML, the file it extends, the label files it names.

Decides how tables of several files are merged. Reads no files itself: the caller passes ``read``.
`flywheel.settings.environment` decides what a file may contain.
"""

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from flywheel.errors import SettingsError
from flywheel.settings.environment import PLAIN_NAME, Environment, FlywheelSettings
from flywheel.settings.problems import FileKeys, problems

_MAX_NAME_CHARACTERS = 12
"""With a flywheel's name and generation it must fit the service's 63 characters."""

NAME_RULE = f"1 to {_MAX_NAME_CHARACTERS} lower-case letters, digits and single hyphens"
"""What an environment may be called."""

_FILE_KEYS: FileKeys = {
    Environment: {"extends", "batch", "policy"},
    FlywheelSettings: {"labels_file"},
}

_DISPLACED_BY: Mapping[str, tuple[str, ...]] = {
    "labels": ("labels_file",),
    "labels_file": ("labels",),
    "entity_types": ("labels", "labels_file", "mode"),
    "adopt": ("labels", "labels_file", "task", "mode", "language", "entity_types"),
}
"""Keys that define a flywheel, each with the keys of a base that it replaces."""


def parse_environment(
    file: str, read: Callable[[str], str], *, name: str | None = None
) -> Environment:
    """Parse an environment's file, with the files that it names.

    Parameters
    ----------
    file : str
        The file's name, e.g. ``dev.toml``; its stem is the environment's name.
    read : callable
        Gives the text of a file by its name relative to the environments' folder; raises OSError.
    name : str, optional
        The environment's, where the file's name is not it.

    Returns
    -------
    Environment

    Raises
    ------
    SettingsError
        With one line per problem: the key and what is allowed. Whoever deploys edits the file.
    """
    document = _load(file, read, seen=())
    name = name or file.removesuffix(".toml")
    if not is_environment_name(name):
        raise SettingsError(file, (f"file name: {NAME_RULE}",))
    if "name" in document:
        raise SettingsError(file, ("name: leave it out; the file's name is the environment's",))
    flywheels = document.pop("flywheels", None)
    if not isinstance(flywheels, dict) or not flywheels:
        raise SettingsError(file, ("flywheels: at least one table [flywheels.NAME] is needed",))
    defaults = {key: document.pop(key, {}) for key in ("batch", "policy")}
    tables = [_flywheel(file, key, table, defaults, read) for key, table in flywheels.items()]
    try:
        return Environment.model_validate({**document, "name": name, "flywheels": tables})
    except ValidationError as error:
        found = problems(error, Environment, otherwise=_FILE_KEYS, flywheels=tuple(flywheels))
        raise SettingsError(file, found) from None


def is_environment_name(name: str) -> bool:
    """Return whether an environment may have this name.

    Examples
    --------
    >>> is_environment_name("my-tickets"), is_environment_name("My Tickets")
    (True, False)
    """
    return PLAIN_NAME.fullmatch(name) is not None and len(name) <= _MAX_NAME_CHARACTERS


def _load(file: str, read: Callable[[str], str], seen: tuple[str, ...]) -> dict[str, Any]:
    try:
        document = tomllib.loads(read(file))
    except OSError as error:
        raise SettingsError(file, (f"cannot be read: {error.strerror or error}",)) from None
    except ValueError as error:
        raise SettingsError(file, (f"is not TOML: {error}",)) from None
    base: object = document.pop("extends", None)
    if base is None:
        return document
    if not isinstance(base, str) or base in (*seen, file):
        raise SettingsError(file, ("extends: the name of another file, and never in a circle",))
    below = _load(base, read, (*seen, file))
    return _merged(_without_displaced(below, document), document)


def _without_displaced(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a base what the extending file defines in another way, flywheel by flywheel."""
    tables, own = base.get("flywheels"), over.get("flywheels")
    if not isinstance(tables, dict) or not isinstance(own, dict):
        return base
    kept = {}
    for name, table in tables.items():
        own_table = own.get(name)
        gone = {
            key
            for way, displaced in _DISPLACED_BY.items()
            if isinstance(own_table, dict) and way in own_table
            for key in displaced
        }
        is_table = isinstance(table, dict)
        kept[name] = {key: table[key] for key in table if key not in gone} if is_table else table
    return {**base, "flywheels": kept}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both tables as one; a table within is merged, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def _flywheel(
    file: str, name: str, table: Any, defaults: Mapping[str, Any], read: Callable[[str], str]
) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise SettingsError(file, (f"flywheels.{name}: must be a table [flywheels.{name}]",))
    if "name" in table:
        problem = f"flywheels.{name}.name: leave it out; the table's name is the flywheel's"
        raise SettingsError(file, (problem,))
    merged: dict[str, Any] = {**table, "name": name}
    for section, values in defaults.items():
        own = merged.get(section, {})
        for key, given in ((section, values), (f"flywheels.{name}.{section}", own)):
            if not isinstance(given, dict):
                raise SettingsError(file, (f"{key}: must be a table",))
        merged[section] = _merged(values, own)
    labels_file = merged.pop("labels_file", None)
    if labels_file is not None:
        if "labels" in merged:
            raise SettingsError(file, (f"flywheels.{name}: labels or labels_file, not both",))
        try:
            merged["labels"] = _label_lines(str(labels_file), read)
        except SettingsError as error:
            problem = f"flywheels.{name}.labels_file: {labels_file} {error.problems[0]}"
            raise SettingsError(file, (problem,)) from None
    return merged


def _label_lines(file: str, read: Callable[[str], str]) -> list[str]:
    try:
        lines = read(file).splitlines()
    except OSError as error:
        raise SettingsError(file, (f"cannot be read: {error.strerror or error}",)) from None
    except ValueError as error:
        raise SettingsError(file, (f"is not UTF-8: {error}",)) from None
    return [line.strip() for line in lines if line.strip()]
