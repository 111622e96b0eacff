"""The files that a dataset is made of, one after the other, where each may be used.

Decides what is too large and what is missing. Knows no format. Read next:
`comprehend_engine.lifecycles.dataset_ingestion`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.storage.data_lake import DataLake


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file: where it is, its name without folders, and what is in it."""

    uri: str
    content: bytes

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.uri.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Files in S3, read with a flywheel's rights.

    Parameters
    ----------
    lake : DataLake
        What reads S3.
    max_size_bytes : int
        Largest file, bytes.
    check_going_on : callable
        Called before each file; raises where the engine is being stopped.
    """

    lake: DataLake
    max_size_bytes: int
    check_running: Callable[[], None]

    def read(self, uri: str) -> Iterator[SourceFile]:
        """Give the files whose keys begin with the URI's.

        Raises
        ------
        DatasetRefusedError
            There is none, or one is too large.
        StorageAccessError
            S3 refuses or fails.
        """
        found = self.lake.objects(uri)
        if not found:
            message = f"There is no object whose key begins with {uri}"
            raise DatasetRefusedError(message)
        for entry in found:
            if entry.size_bytes > self.max_size_bytes:
                message = (
                    f"{entry.uri} has {entry.size_bytes} bytes; "
                    f"a file may have {self.max_size_bytes}"
                )
                raise DatasetRefusedError(message)
            self.check_running()
            yield SourceFile(entry.uri, self.lake.read(entry.uri))
