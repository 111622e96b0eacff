"""Make an environment's file from a labeled file: one flywheel with the labels that it holds.

Decides the names of flywheel and file, and the keys that the file states; all others have defaults.
`flywheel.settings.environment` decides what is allowed. Overwrites nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.environment.toml_text import toml_text
from console.errors import CommandError, ExitCode
from flywheel.errors import SettingsError
from flywheel.notices.notice import shown
from flywheel.settings.data_format import DataFormat, Language
from flywheel.settings.environment_file import NAME_RULE, is_environment_name, parse_environment

FLYWHEEL_NAME_CHARACTERS, _ENVIRONMENT_NAME_CHARACTERS = 40, 12


def flywheel_name(folder_name: str) -> str:
    """Return a flywheel's name that is made of a folder's name.

    Examples
    --------
    >>> flywheel_name("My Data (2024)"), flywheel_name("...")
    ('my-data-2024', 'demo')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", folder_name.casefold()).strip("-")
    return plain[:FLYWHEEL_NAME_CHARACTERS].strip("-") or "demo"


@dataclass(frozen=True, slots=True)
class NewEnvironment:
    """An environment's files, not yet written.

    Parameters
    ----------
    name : str
        Of the environment and of its flywheel.
    texts : dict of str to str
        By name, relative to the folder of environments.
    """

    name: str
    texts: dict[str, str]

    @property
    def file(self) -> str:
        """The name of the environment's file."""
        return f"{self.name}.toml"

    def write(self, folder: Path) -> list[Path]:
        """Write the files into the folder of environments.

        Raises
        ------
        CommandError
            One of them exists already.
        """
        paths = [folder / name for name in self.texts]
        for path in paths:
            if path.exists():
                remedy = "Choose another --name, or delete it first"
                raise CommandError(ExitCode.USAGE, str(path), "it exists already", remedy)
        for path, text in zip(paths, self.texts.values(), strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return paths


def environment_name(source: str, name: str | None, folder: Path) -> str:
    """Return the name of a new environment, before any file is read for it.

    Parameters
    ----------
    source : str
        The labeled file's name; its stem is the environment's name where there is no other.
    name : str or None
        As it was given.
    folder : Path
        Of environments.

    Raises
    ------
    CommandError
        The name is not allowed, or an environment has it.
    """
    given = (
        flywheel_name(Path(source).stem)[:_ENVIRONMENT_NAME_CHARACTERS].strip("-")
        if name is None
        else name
    )
    where = f"--name {shown(given)}"
    if not is_environment_name(given):
        problem = "no environment can have this name"
        raise CommandError(ExitCode.USAGE, where, problem, f"Give {NAME_RULE}")
    path = folder / f"{given}.toml"
    if path.exists():
        remedy = "Choose another --name, or delete it first"
        raise CommandError(ExitCode.USAGE, where, f"{path} exists already", remedy)
    return given


def new_environment(
    source: str, name: str, labels: list[str], shape: DataFormat, language: Language
) -> NewEnvironment:
    """Return an environment of one flywheel.

    Parameters
    ----------
    source : str
        The labeled file's name.
    name : str
        `environment_name`.
    labels : list of str
        Labels, or entity types.
    shape : DataFormat
        Of the rows.
    language : str

    Raises
    ------
    CommandError
        The service takes no such labels.
    """
    labels_file = f"labels/{name}.txt"
    flywheel = flywheel_table(labels, shape, language=language, labels_file=labels_file)
    comment = (
        f"# Made from {shown(source, 80)}. docs/environments.md lists every key; keys that are not "
        "set here have production's values.\n"
        "# approve_first = 0: no person is asked before a model goes live.\n"
    )
    settings = toml_text({"policy": {"approve_first": 0}, "flywheels": {name: flywheel}})
    texts = {f"{name}.toml": comment + settings}
    if shape.task == "classification":
        texts[labels_file] = "".join(f"{label}\n" for label in labels)
    try:
        parse_environment(f"{name}.toml", texts.__getitem__)
    except SettingsError as error:
        problem = "; ".join(shown(line, 200) for line in error.problems)
        remedy = (
            "Repair the labels in the file. If texts stand as labels, "
            f"swap the columns: flywheel convert {source} --label 2 --text 1 -o OUT"
        )
        raise CommandError(ExitCode.REFUSED, source, problem, remedy) from error
    return NewEnvironment(name, texts)


def flywheel_table(
    labels: Sequence[str], shape: DataFormat, *, language: Language = "en", labels_file: str = ""
) -> dict[str, Any]:
    """Return a flywheel's table in an environment's file, with its labels or their file."""
    table: dict[str, Any] = {"task": shape.task, "language": language}
    if shape.task == "entities":
        return table | {"entity_types": list(labels)}
    table["mode"] = shape.mode
    table |= {"labels_file": labels_file} if labels_file else {"labels": list(labels)}
    return table | ({"label_delimiter": shape.delimiter} if shape.is_multi_label else {})
