"""The entity recognizer: how it learns, how it is kept, how it answers.

Decides the learner: it knows what was annotated, and finds it again. Knows neither flywheels nor
S3. Read next: `local.comprehend.entity_training`.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from local.comprehend.entity_lists import EntityList
from local.comprehend.errors import IterationFailedError


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity in a document: begin and end in characters, end exclusive, and its type."""

    begin: int
    end: int
    type: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class EntityModel:
    """A trained model: what it knows as entities of which type."""

    types: tuple[str, ...]
    known: EntityList

    def find(self, documents: Sequence[str]) -> list[list[Mention]]:
        """Return the mentions in each document, from the left."""
        return _found(self.known, documents)


def train_entities(
    documents: Sequence[str], mentions: Sequence[Sequence[Mention]], *, seed: int
) -> EntityModel:
    """Learn from annotated documents.

    Parameters
    ----------
    documents : sequence of str, of shape (n_documents,)
        Documents.
    mentions : sequence of sequence of Mention, of shape (n_documents,)
        What is annotated in each.
    seed : int
        Same data and seed, same model.

    Raises
    ------
    IterationFailedError
        Nothing is annotated.
    """
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for document, found in zip(documents, mentions, strict=True):
        for mention in found:
            types[document[mention.begin : mention.end]][mention.type] += 1
    if not types:
        message = "The training documents have no annotations; at least one is needed."
        raise IterationFailedError(message)
    known = EntityList((text, kinds.most_common(1)[0][0]) for text, kinds in types.items())
    return EntityModel(tuple(sorted({kind for kinds in types.values() for kind in kinds})), known)


def mentions_of_list(
    documents: Sequence[str], entity_list: Sequence[tuple[str, str]]
) -> list[list[Mention]]:
    """Return where the entries of an entity list occur in each document."""
    return _found(EntityList(entity_list), documents)


def _found(known: EntityList, documents: Sequence[str]) -> list[list[Mention]]:
    return [[Mention(*span) for span in known.occurrences(document)] for document in documents]
