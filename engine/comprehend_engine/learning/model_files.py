"""Files of trained models of any kind: arrays and a JSON document.

Decides that reading a model runs no code from the file, and the error for a file that another
release wrote. The names of the models' classes are in the files. Read next:
`comprehend_engine.storage.data_directory`.
"""

import importlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from comprehend_engine.errors import IterationFailedError

FORMAT = 1
"""Increases when older files can no longer be read."""


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The content of a model file.

    Parameters
    ----------
    description : mapping
        A JSON object.
    arrays : mapping of str to array
        Arrays of numbers, by name.
    """

    description: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


class StoredModel(Protocol):
    """A model that can be saved."""

    def to_parts(self) -> ModelParts:
        """Return the content of the model's file."""
        ...


def save(model: StoredModel, file: Path) -> None:
    """Save a model; the file is complete or absent."""
    parts = model.to_parts()
    header = {"format": FORMAT, "class": type(model).__name__, "model": parts.description}
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    with draft.open("wb") as written:
        text = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(written, allow_pickle=False, **{_HEADER: text}, **parts.arrays)
        written.flush()
        # A COMPLETED iteration survives a power cut, so its model must, too.
        os.fsync(written.fileno())
    draft.replace(file)


def load(file: Path) -> Any:
    """Load a saved model; this imports its class.

    Raises
    ------
    IterationFailedError
        The file is missing: restore it, or make another model active. Or this release cannot read
        it: train the model again.
    """
    if not file.exists():
        message = f"The model file {file.name} is missing from the engine's data directory."
        raise IterationFailedError(message)
    try:
        with file.open("rb") as stored, np.load(stored, allow_pickle=False) as members:
            arrays = dict(members)
        header = json.loads(arrays.pop(_HEADER).tobytes())
    except (ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _unreadable(file) from error
    if header["format"] != FORMAT:
        raise _unreadable(file)
    module = importlib.import_module(f"{__package__}.{_MODULES[header['class']]}")
    return getattr(module, header["class"]).from_parts(ModelParts(header["model"], arrays))


def _unreadable(file: Path) -> IterationFailedError:
    return IterationFailedError(
        f"This release cannot read the model file {file.name}. Train the model again: start an "
        "iteration, or use a new data directory."
    )


_HEADER = "header"
_MODULES = {"TextClassifier": "classifier", "EntityModel": "entities"}
