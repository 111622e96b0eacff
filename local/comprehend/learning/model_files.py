"""How a trained model is kept in a file, whatever it learned.

Files are the engine's own: what is read was written here, in the engine's data directory, so
unpickling runs nobody else's code. Read next: `local.comprehend.data_directory`.
"""

import os
import pickle
from pathlib import Path
from typing import Any

from local.comprehend.errors import IterationFailedError


def save(model: object, file: Path) -> None:
    """Keep a model; the file is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    with draft.open("wb") as kept:
        # Not joblib: its pickler is Python code and takes ten times as long over a vocabulary.
        kept.write(pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL))
        kept.flush()
        # The iteration that is COMPLETED then outlives a power cut; so must its model.
        os.fsync(kept.fileno())
    draft.replace(file)


def load(file: Path) -> Any:
    """Return a kept model.

    Raises
    ------
    IterationFailedError
        The file is not there; whoever removed it restores it, or another model is made active.
    """
    if not file.exists():
        message = f"The model file {file.name} is missing from the engine's data directory."
        raise IterationFailedError(message)
    return pickle.loads(file.read_bytes())
