"""The source files of a dataset in S3, read one after the other.

Decides which files are too large or missing. Knows no format. Read next:
`comprehend_engine.lifecycles.dataset_ingestion`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.storage.data_lake import DataLake


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file and its content."""

    uri: str
    content: bytes

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.uri.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Files in S3, read with the rights of a flywheel's role.

    Parameters
    ----------
    lake : DataLake
        Reads S3.
    max_size_bytes : int
        Largest size of a file, bytes.
    check_running : callable
        Called before each file; raises when the engine stops.
    """

    lake: DataLake
    max_size_bytes: int
    check_running: Callable[[], None]

    def read(self, uri: str) -> Iterator[SourceFile]:
        """Give the files whose key begins with that of a URI.

        Raises
        ------
        DatasetRefusedError
            There is no file, or one is too large.
        StorageAccessError
            S3 refuses or fails.
        """
        objects = self.lake.objects(uri)
        if not objects:
            message = f"There is no object whose key begins with {uri}"
            raise DatasetRefusedError(message)
        for entry in objects:
            if entry.size_bytes > self.max_size_bytes:
                message = (
                    f"{entry.uri} has {entry.size_bytes} bytes; "
                    f"a file may have at most {self.max_size_bytes}"
                )
                raise DatasetRefusedError(message)
            self.check_running()
            yield SourceFile(entry.uri, self.lake.read(entry.uri))
