"""Unpack a gzip-compressed upload as a stream, with a bound on what it may become.

Decides whether a file is compressed as its name says. A file whose name does not end in ``.gz`` is
never unpacked. Memory is constant; what unpacks to far more than a text ever does is a bomb.
*Source*: RFC 1952 (members may follow one another).
"""

import zlib
from collections.abc import Iterable, Iterator

from flywheel.intake.reports import Message, UploadFault, as_message

SUFFIX = ".gz"
MOST_EXPANSION = 100
"""Labeled text packs to a third or a tenth; log files of one line to a fiftieth."""

_FREE_BYTES = 16 << 20
"""Below this size nothing is a bomb."""

_PIECE_BYTES = 1 << 18
_GZIP = 31
_MAGIC = b"\x1f\x8b"


class UnreadableFileError(Exception):
    """A file that cannot be read on; becomes a problem of the report and never leaves the reader.

    Parameters
    ----------
    fault : UploadFault
    message : Message or str
        What is wrong and what to do.
    """

    def __init__(self, fault: UploadFault, message: Message | str) -> None:
        self.fault = fault
        self.message = as_message(message)
        super().__init__(self.message.public)


def plain_name(name: str) -> str:
    """Return a file's name without ``.gz``."""
    return name[: -len(SUFFIX)] if is_compressed(name) else name


def is_compressed(name: str) -> bool:
    """Return whether a file's name says that it is compressed."""
    return name.casefold().endswith(SUFFIX)


def unpacked(chunks: Iterable[bytes], name: str, most_bytes: int) -> Iterator[bytes]:
    """Yield the content of a file in pieces, unpacked where its name ends in ``.gz``.

    Parameters
    ----------
    chunks : iterable of bytes
    name : str
    most_bytes : int
        The most that the content may have.

    Raises
    ------
    UnreadableFileError
        It is larger, a bomb, broken, or not compressed at all. Whoever uploaded repairs it.
    """
    size = 0
    for piece in _members(chunks, most_bytes) if is_compressed(name) else chunks:
        size += len(piece)
        if size > most_bytes:
            raise too_large(most_bytes)
        yield piece


def too_large(most_bytes: int) -> UnreadableFileError:
    """Return the error of a file that no dataset could hold."""
    message = (
        f"the file has more than {most_bytes:,} bytes, the most that a dataset of the service "
        "holds. Fix: divide it into several files and upload them apart"
    )
    return UnreadableFileError(UploadFault.TOO_LARGE, message)


def _members(chunks: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    packed = size = 0
    stream = zlib.decompressobj(_GZIP)
    is_first = True
    for chunk in chunks:
        packed += len(chunk)
        if is_first and chunk:
            is_first = False
            # One byte alone says nothing yet; zlib itself then refuses what follows.
            if not _MAGIC.startswith(chunk[:2]):
                message = (
                    "the name ends in .gz, but the file is not gzip-compressed. "
                    "Fix: upload it without .gz in its name, or compress it with gzip"
                )
                raise UnreadableFileError(UploadFault.NOT_TEXT, message)
        rest = chunk
        while rest:
            if stream.eof:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                stream = zlib.decompressobj(_GZIP)
            piece = _piece(stream, rest)
            size += len(piece)
            if size > max(_FREE_BYTES, MOST_EXPANSION * packed) and size <= most_bytes:
                raise _bomb(packed, size)
            if piece:
                yield piece
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    if not is_first and not stream.eof:
        message = "the gzip-compressed file ends in its middle. Fix: compress and upload it again"
        raise UnreadableFileError(UploadFault.COMPRESSION, message)


def _piece(stream: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return stream.decompress(data, _PIECE_BYTES)
    except zlib.error as error:
        message = (
            f"the gzip-compressed file is damaged ({error}). Fix: compress and upload it again"
        )
        raise UnreadableFileError(UploadFault.COMPRESSION, message) from None


def _bomb(packed: int, size: int) -> UnreadableFileError:
    message = (
        f"{packed:,} bytes unpack to more than {size:,}, over {MOST_EXPANSION} times as much: "
        "that is no labeled text. Fix: upload it without compression, or remove what repeats"
    )
    return UnreadableFileError(UploadFault.COMPRESSION, message)
