"""The scenario of entities that are sparse: many lines, of which few have a mention.

Read next: `console.policy.scenarios.judging`, `flywheel.intake.document_groups` (what such a test
set is worth).
"""

from collections import Counter

import numpy as np

from console.policy.scenarios.drawing import Random, joint, seed_name
from console.policy.scenarios.judging import ModelPair, judge_pair
from console.policy.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.evaluation.predictions import Answer, ScoredDocument
from flywheel.settings.policy import Policy

_TYPE = "PERSON"
_FINDS = 0.8
"""How often a recognizer finds a mention; it finds a false one for as many as it misses."""

_DISPUTED = 0.2
_SAME_FALSE_FINDS = 0.6

_LIKE_ITS_DOCUMENT = 0.7
"""How often a mention is found, or missed, as the first one of its document is."""


def play_entities(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw recognizers that are equally good, on lines of which few have a mention."""
    lines, mentions = int(sizes["documents"]), int(sizes["mentions"])
    carriers = int(sizes["documents_with_mentions"])
    for _ in range(trials):
        places = _places(random, mentions, carriers)
        documents = _recognized(random, lines, places)
        judge_pair(tallies, policies, ModelPair(documents, "entities", 1, seed_name(random)))


def _places(random: Random, mentions: int, carriers: int) -> list[int]:
    """Return the document of each mention: every carrier has one at least."""
    spread = random.integers(0, carriers, mentions - carriers)
    return [*range(carriers), *spread.tolist()]


def _recognized(random: Random, lines: int, places: list[int]) -> list[ScoredDocument]:
    mentions = len(places)
    (shares,) = joint([_FINDS], [_FINDS], _DISPUTED)
    of_documents, of_mentions = random.choice(4, (2, max(lines, mentions)), p=shares)
    is_alike = random.random(mentions) < _LIKE_ITS_DOCUMENT
    kinds = np.where(is_alike, of_documents[places], of_mentions[:mentions])
    actual, right_old, right_new = Counter(places), Counter[int](), Counter[int]()
    for place, kind in zip(places, kinds.tolist(), strict=True):
        right_old[place] += kind in {0, 1}
        right_new[place] += kind in {0, 2}
    false_old, false_new = _false_finds(random, places)
    documents = []
    for place in range(lines):
        old, new = (
            Answer(_counted(right[place] + false[place]), _counted(right[place]))
            for right, false in ((right_old, false_old), (right_new, false_new))
        )
        documents.append(ScoredDocument(str(place), _counted(actual[place]), old, new))
    return documents


def _false_finds(random: Random, places: list[int]) -> tuple[Counter[int], Counter[int]]:
    """Return mentions that are none, per document, in documents like those that have some."""
    expected = (1 - _FINDS) * len(places)
    counts = [
        random.poisson(expected * share)
        for share in (_SAME_FALSE_FINDS, 1 - _SAME_FALSE_FINDS, 1 - _SAME_FALSE_FINDS)
    ]
    both, old, new = (Counter(random.choice(places, count).tolist()) for count in counts)
    return both + old, both + new


def _counted(count: int) -> tuple[tuple[str, int], ...]:
    return ((_TYPE, count),) if count else ()


def _policies(sizes: Sizes) -> Policies:
    return {"paired": Policy(), "averages": Policy(evidence="averages")}


ENTITIES_SPARSE = Scenario(
    "entities-sparse",
    "Two recognizers that are equally good (F1 about 0.80, 20 % of mentions found by only one), on "
    "documents of which few have a mention. The default policy, and one by averages.",
    1500,
    [
        {"documents": documents, "mentions": mentions, "documents_with_mentions": carriers}
        for documents, mentions, carriers in (
            (1000, 300, 260),
            (1000, 100, 95),
            (2000, 60, 59),
            (5000, 50, 50),
            (1000, 300, 30),
            (1000, 300, 100),
        )
    ],
    _policies,
    play_entities,
)
