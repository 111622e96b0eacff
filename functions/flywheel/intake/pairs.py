"""Uploads that come as two objects: which half one is, what it waits for, the messages.

Two objects are a pair when they lie in the same folder and their names have the same stem. A
leading word such as ``documents`` or ``annotations`` does not count: ``documents.txt`` with
``annotations.csv``, ``monday.txt`` with ``monday.csv``. Pure: keys come in. Whoever keeps the
ledger remembers the half that came first.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from flywheel.intake.unpacking import SUFFIX, is_compressed, plain_name
from flywheel.settings.data_format import DataFormat

_WORD = re.compile(r"^(documents?|docs?|annotations?|entity[-_ .]?list|entities)(?![a-z])[-_ .]*")
_DOCUMENTS_SUFFIX = ".txt"
_COMPANION_SUFFIX = ".csv"
_MANIFEST_SUFFIXES = (".manifest", ".jsonl", ".json", ".ndjson")


class Half(StrEnum):
    """The two objects of a pair."""

    DOCUMENTS = "documents"
    COMPANION = "companion"


@dataclass(frozen=True, slots=True)
class PairPlace:
    """Which half of which pair an object is.

    Parameters
    ----------
    half : Half
    name : str
        The pair's identity: the folder and the common stem; the same for both halves.
    key : str
    awaited_key : str
        The most likely key of the other half. Any key with the same ``name`` and the other
        ``half`` will do.
    """

    half: Half
    name: str
    key: str
    awaited_key: str

    @property
    def words(self) -> str:
        """The message while the other half is missing."""
        awaited = object_name(self.awaited_key)
        return f"{object_name(self.key)} waits for {awaited} in the same folder"

    def belongs_to(self, other: "PairPlace") -> bool:
        """Return whether another object is the other half."""
        return self.name == other.name and self.half is not other.half


class UnpairableKeyError(Exception):
    """An object of an entity flywheel that is no half of a pair; becomes a refusal.

    Parameters
    ----------
    message : str
        Which names are accepted.
    """


def pair_place(key: str, shape: DataFormat) -> PairPlace | None:
    """Return which half of a pair an inbox key is; None where an upload is one object.

    Parameters
    ----------
    key : str
        ``<flywheel>/train|test/<any name>``.
    shape : DataFormat
        Of the flywheel.

    Raises
    ------
    UnpairableKeyError
        The name says neither documents nor what belongs to them. Whoever uploaded renames it.

    Examples
    --------
    >>> place = pair_place("contracts/train/documents.txt", DataFormat(task="entities"))
    >>> place.half.value, place.words
    ('documents', 'documents.txt waits for annotations.csv in the same folder')
    >>> pair_place("contracts/train/monday.csv", DataFormat(task="entities")).awaited_key
    'contracts/train/monday.txt'
    """
    if not shape.is_pair:
        return None
    folder, slash, name = key.rpartition("/")
    plain = plain_name(name)
    if plain.casefold().endswith(_MANIFEST_SUFFIXES):
        return None
    half = _half(plain)
    if half is None:
        raise UnpairableKeyError(_names_message(shape))
    stem = plain[: plain.rindex(".")]
    word = _WORD.match(stem.casefold())
    common = stem.casefold()[word.end() :] if word else stem.casefold()
    is_documents = half is Half.DOCUMENTS
    own_word = "annotations" if shape.entities_from == "annotations" else "entities"
    other_word = (own_word if is_documents else "documents") if word else ""
    rest = stem[len(word.group(1)) :] if word else stem
    suffix = _COMPANION_SUFFIX if is_documents else _DOCUMENTS_SUFFIX
    awaited = f"{folder}{slash}{other_word}{rest}{suffix}"
    identity = json.dumps([folder, common], ensure_ascii=False)
    return PairPlace(half, identity, key, awaited + (SUFFIX if is_compressed(name) else ""))


def object_name(key: str) -> str:
    """Return the last part of a key, as it is."""
    return key.rsplit("/", 1)[-1]


def never_came_words(place: PairPlace, hours: int) -> str:
    """Return the message that the other half of a pair did not come in time."""
    return (
        f"{object_name(place.key)} waited {hours} hours for {object_name(place.awaited_key)} in "
        "the same folder, which did not come. Fix: upload both files again, with the same name "
        "before the dot"
    )


def _half(name: str) -> Half | None:
    folded = name.casefold()
    if folded.endswith(_DOCUMENTS_SUFFIX):
        return Half.DOCUMENTS
    if folded.endswith(_COMPANION_SUFFIX):
        return Half.COMPANION
    return None


def _names_message(shape: DataFormat) -> str:
    companion = "annotations" if shape.entities_from == "annotations" else "entities"
    return (
        f"an entity flywheel takes documents.txt with {companion}.csv (or NAME.txt with NAME.csv) "
        "in the same folder, or an augmented manifest (.manifest, .jsonl): rename it"
    )
