"""How the entity recognizer learns and answers."""

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from comprehend_engine.documents.annotation_files import EntityList
from comprehend_engine.errors import IterationFailedError
from comprehend_engine.learning.entities import (
    EntityModel,
    Mention,
    train_entities,
)
from comprehend_engine.learning.model_files import load, save

NAMES = ("Ana", "Björn", "Chloé", "Dieter", "Élodie", "Giulia", "Hans", "Inês", "João", "Lucía")
CITIES = ("Lisboa", "Köln", "Nîmes", "Roma", "Bern", "Graz", "Lyon", "Porto", "Siena", "Cádiz")
FRAMES = (
    "{name} went to {city} and liked it .",
    "In {city} , nobody knew {name} {last} .",
    "{name} {last}-{name} sold 3 houses near {city} .",
    "it rained all day , and that was that .",
    "the 12 people of {city} wrote to {name} .",
)

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "ncbi_disease"

Corpus = tuple[list[str], list[list[Mention]]]


def corpus(
    documents: int, seed: int, write: Callable[[str], str] = lambda word: word, types: int = 2
) -> Corpus:
    """Make documents with people and cities in them, two thirds of the names new to each."""
    chance = random.Random(seed)
    ends = ("son", "ez", "mann", "ini", "eau")
    texts, mentions = [], []
    for _ in range(documents):
        text, found = "", []
        number = chance.randrange(types // 2)
        name = write(chance.choice(NAMES))
        last = write("".join(chance.choices("BDFGKLM", k=1)) + chance.choice(ends))
        city = write(chance.choice(CITIES))
        for piece in chance.choice(FRAMES).replace("{", "|{").replace("}", "}|").split("|"):
            begin = len(text)
            text += piece.format(name=name, last=last, city=city)
            if piece == "{city}":
                found.append(Mention(begin, len(text), f"CITY_{number}"))
            elif piece in ("{name}", "{last}"):
                if found and found[-1].end + 1 == begin and found[-1].type.startswith("PERSON"):
                    begin = found.pop().begin
                found.append(Mention(begin, len(text), f"PERSON_{number}"))
        texts.append(text)
        mentions.append(found)
    return texts, mentions


def real(side: str) -> Corpus:
    """Read the real documents and their mentions."""
    texts = (SHARED / side / "documents.txt").read_text(encoding="utf-8").removesuffix("\n")
    mentions: list[list[Mention]] = [[] for _ in texts.split("\n")]
    with (SHARED / side / "annotations.csv").open(newline="", encoding="utf-8") as file:
        for _, line, begin, end, entity_type in list(csv.reader(file))[1:]:
            mentions[int(line)].append(Mention(int(begin), int(end), entity_type))
    return texts.split("\n"), mentions


def spans(found: list[list[Mention]]) -> list[set[tuple[int, int, str]]]:
    """Return mentions without their scores."""
    return [{(each.begin, each.end, each.type) for each in mentions} for mentions in found]


def score(model: EntityModel, test: Corpus) -> float:
    """Return the micro F1 of exact mentions."""
    pairs = list(zip(spans(model.find(test[0])), spans(test[1]), strict=True))
    right = sum(len(found & there) for found, there in pairs)
    return 2 * right / sum(len(found) + len(there) for found, there in pairs)


@pytest.fixture(scope="module")
def model() -> EntityModel:
    """Return a model of two types."""
    return train_entities(*corpus(200, seed=1), seed=0)


@pytest.mark.parametrize("write", [str, str.lower, str.upper], ids=["as is", "small", "capital"])
def test_patterns_are_learnt_from_few_documents(write: Callable[[str], str]) -> None:
    """Also where the case of letters is no evidence."""
    learnt = train_entities(*corpus(200, seed=1, write=write), seed=0)
    assert score(learnt, corpus(100, seed=2, write=write)) > 0.95


@pytest.mark.slow
def test_patterns_are_learnt_when_there_are_many_types() -> None:
    """With 26 types the tags are fewer a type; which of 13 pairs a document uses is chance."""
    learnt = train_entities(*corpus(400, seed=1, types=26), seed=0)
    assert len(learnt.types) == 26
    found = [mention for mentions in learnt.find(corpus(50, seed=2)[0]) for mention in mentions]
    there = [mention for mentions in corpus(50, seed=2)[1] for mention in mentions]
    assert len(found) > 0.8 * len(there)


def test_mentions_are_in_order_apart_and_scored(model: EntityModel) -> None:
    """Offsets are within the document, scores between 0 and 1."""
    texts, _ = corpus(100, seed=3)
    for text, mentions in zip(texts, model.find(texts), strict=True):
        ends = [0, *[each.end for each in mentions]]
        assert all(each.begin >= end for each, end in zip(mentions, ends, strict=False))
        assert all(0 <= each.begin < each.end <= len(text) for each in mentions)
        assert all(0 <= each.score <= 1 and each.type in model.types for each in mentions)


def test_a_document_is_answered_alike_when_it_is_alone(model: EntityModel) -> None:
    """What is found in one document does not depend on the others."""
    texts, _ = corpus(30, seed=3)
    alone = [model.find([text])[0] for text in texts]
    assert spans(alone) == spans(model.find(texts))


@pytest.mark.parametrize("text", ["", " ", "\u0301", "😀😀", "\udcff", "." * 3000, "ab1_" * 900])
def test_an_odd_document_is_no_error(model: EntityModel, text: str) -> None:
    """Nothing but space, signs, half a pair, or without end."""
    assert len(model.find([text, "Ana went to Roma ."])) == 2


def test_the_model_is_the_same_when_data_and_seed_are(tmp_path: Path) -> None:
    """The stored files are equal byte for byte, and a stored model answers as before."""
    data, test = corpus(60, seed=1), corpus(20, seed=2)
    for name in ("one", "two"):
        save(train_entities(*data, seed=5), tmp_path / "models" / name)
    one, two = (tmp_path / "models" / name for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert load(one).find(test[0]) == train_entities(*data, seed=5).find(test[0])
    assert sorted(file.name for file in one.parent.iterdir()) == ["one", "two"]


def test_a_model_that_is_gone_fails_the_iteration(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(IterationFailedError, match=r"gone\.model is missing"):
        load(tmp_path / "gone.model")


@pytest.mark.parametrize(
    ("documents", "mentions", "message"),
    [
        ([], [], "None of the 0 training documents"),
        (["Ana", "Roma"], [[], []], "None of the 2 training documents has a mention"),
        (["   "], [[Mention(0, 2, "A")]], "None of the 1 mentions covers"),
    ],
)
def test_training_fails_when_there_is_no_mention(
    documents: list[str], mentions: list[list[Mention]], message: str
) -> None:
    """The message says what to add."""
    with pytest.raises(IterationFailedError, match=message):
        train_entities(documents, mentions, seed=0)


def test_one_document_is_enough_to_train() -> None:
    """Too little to calibrate on, and not an error."""
    learnt = train_entities(["Ana went home"], [[Mention(0, 3, "PERSON")]], seed=0)
    assert spans(learnt.find(["Ana went home"])) == [{(0, 3, "PERSON")}]


@pytest.mark.parametrize(("documents", "most_apart"), [(20, 0.3), (39, 0.12)])
def test_scores_come_near_the_truth_when_documents_are_few(
    documents: int, most_apart: float
) -> None:
    """Names that are no names half of the time: nearly 0.4 and 0.23 apart without a correction."""
    chance = random.Random(7)

    def doubtful(count: int, seed: int) -> Corpus:
        texts, mentions = corpus(count, seed)
        return texts, [[one for one in found if chance.random() < 0.5] for found in mentions]

    learnt = train_entities(*doubtful(documents, seed=1), seed=0)
    texts, there = doubtful(400, seed=2)
    scores, right = [], 0
    for found, known in zip(learnt.find(texts), there, strict=True):
        places = {(one.begin, one.end, one.type) for one in known}
        scores += [one.score for one in found]
        right += sum((one.begin, one.end, one.type) in places for one in found)
    assert abs(sum(scores) / len(scores) - right / len(scores)) < most_apart


def test_an_entity_list_trains_too() -> None:
    """What the list names is found in other documents."""
    texts, _ = corpus(300, seed=1)
    entries = [(name, "PERSON") for name in NAMES[:8]] + [(city, "CITY") for city in CITIES[:8]]
    listed = EntityList(entries)
    found = [[Mention(*place) for place in listed.occurrences(text)] for text in texts]
    learnt = train_entities(texts, found, seed=0)
    assert spans(learnt.find(["Ana went to Graz and liked it ."])) == [
        {(0, 3, "PERSON"), (12, 16, "CITY")}
    ]


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real labeled sets are not here")
def test_real_mentions_are_found_as_well_as_by_the_usual_recognizers() -> None:
    """Diseases in abstracts: as good as CRFsuite is with the usual features."""
    assert score(train_entities(*real("train"), seed=0), real("test")) >= 0.777
