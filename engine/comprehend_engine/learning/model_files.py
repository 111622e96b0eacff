"""The form in which a trained model is stored, whatever it learned: arrays and a JSON document.

Decides that reading a model runs no code from the file, and what is said of a file that another
release wrote. Read next: `comprehend_engine.storage.data_directory`.
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
"""Rises whenever models of before can no longer be read."""


@dataclass(frozen=True, slots=True)
class ModelParts:
    """A model as a file holds it.

    Parameters
    ----------
    description : mapping
        What JSON can hold.
    arrays : mapping of str to array
        Numbers, by name.
    """

    description: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


class StoredModel(Protocol):
    """A model that can be taken apart."""

    def to_parts(self) -> ModelParts:
        """Return what makes up the model."""
        ...


def save(model: StoredModel, file: Path) -> None:
    """Store a model; the file is there whole or not at all."""
    parts = model.to_parts()
    header = {"format": FORMAT, "class": type(model).__name__, "model": parts.description}
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    with draft.open("wb") as written:
        text = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(written, allow_pickle=False, **{_HEADER: text}, **parts.arrays)
        written.flush()
        # The iteration that is COMPLETED then outlives a power cut; so must its model.
        os.fsync(written.fileno())
    draft.replace(file)


def load(file: Path) -> Any:
    """Return a stored model; its class is imported only now.

    Raises
    ------
    IterationFailedError
        The file is not there; whoever removed it restores it, or another model is made active.
        Or this release cannot read it; the model must be trained again.
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
        f"The model file {file.name} is not of the form that this release reads. Train the model "
        "again: start an iteration, or use a new data directory."
    )


_HEADER = "header"
_MODULES = {"TextClassifier": "classifier", "EntityModel": "entities"}
