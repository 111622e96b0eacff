"""Write down what this release stores and sends: ``python -m tests.stored.record``.

Run it by hand only, and read the diff. What is stored lives for years, and an execution for 21
days: a change here that takes or renames something needs code that still reads what is recorded
now (put that into `values/earlier`), and the workflow may only be recorded anew when the functions
serve executions of the one before.

To add a kind, let a story in `tests.stored.stories` come to it, and record.
"""

import tempfile
from pathlib import Path

from tests.stored.deployed import deployed, synthesized
from tests.stored.pinned import running_engine
from tests.stored.samples import ACCOUNT, Samples, kept, pretty, readable, write
from tests.stored.stage import Document, stage_of
from tests.stored.stories import STORIES, TASKS

WHOLE = "answers"
"""The story whose account is kept whole, for readers that go from one row or object to others."""


def play(folder: Path, workflow: Document) -> tuple[Samples, Document]:
    """Play all stories; returns the samples that are kept, and the whole account of one story.

    Parameters
    ----------
    folder : Path
        Where the engine keeps its state; empty.
    workflow : mapping
        The definition that executions run.
    """
    samples, account = [], {}
    with running_engine(folder) as clock:
        for name, story in STORIES.items():
            with stage_of(name, clock, workflow, TASKS.get(name)) as stage:
                story(stage)
                if name == WHOLE:
                    account = stage.account()
            samples += stage.recorder.samples
    return kept(samples), account


def main() -> None:
    """Replace all files."""
    with tempfile.TemporaryDirectory() as folder:
        stack = deployed(synthesized(Path(folder) / "stack"))
        (workflow,) = stack["workflow"]
        samples, account = play(Path(folder) / "engine", workflow)
    write({**samples, "deployed": stack})
    ACCOUNT.write_text(pretty(readable(account)), "utf-8")


if __name__ == "__main__":
    main()
