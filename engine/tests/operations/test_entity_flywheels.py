"""Entity flywheels over HTTP: datasets in each format, the lake, iterations, models."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from engine_testing.rig import BUCKET, Rig, entities_at, entity_task, manifest_at

TYPES = ("PERSON", "CITY")
HEADER = "File,Line,Begin Offset,End Offset,Type\n"
_PEOPLE = ("Mary", "Åsa", "José", "Wei")
_CITIES = ("Rome", "New York", "København", "Łódź")
Sentence = tuple[str, list[tuple[int, int, str]]]


def sentence(number: int) -> Sentence:
    """Make a sentence of a person and a city, and what is annotated in it."""
    person, city = _PEOPLE[number % 4], _CITIES[number // 4 % 4]
    text = f"{number}: {person} lives in {city}, they say."
    spans = [(text.index(word), text.index(word) + len(word)) for word in (person, city)]
    return text, [(*span, kind) for span, kind in zip(spans, TYPES, strict=True)]


def sentences(count: int, *, first: int = 0) -> list[Sentence]:
    """Make sentences; other numbers make other ones."""
    return [sentence(number) for number in range(first, first + count)]


def annotated(rig: Rig, folder: str, made: Sequence[Sentence]) -> dict[str, Any]:
    """Write documents and annotations; return the InputDataConfig."""
    lines = [
        f"d.txt,{line},{begin},{end},{kind}\n"
        for line, (_, spans) in enumerate(made)
        for begin, end, kind in spans
    ]
    documents = rig.put_text(f"{folder}/d.txt", "".join(f"{text}\n" for text, _ in made))
    annotations = rig.put_text(f"{folder}/a.csv", HEADER + "".join(lines))
    return entities_at(documents, Annotations=annotations)


def dataset(rig: Rig, flywheel: str, config: dict[str, Any], kind: str = "TRAIN") -> Any:
    """Create a dataset; return its description once it has ended."""
    return rig.ended_dataset(rig.begin_dataset(flywheel, "", kind, InputDataConfig=config))


@pytest.fixture(scope="module")
def flywheel(rig: Rig) -> str:
    """Make a flywheel of people and cities."""
    return rig.flywheel(**entity_task(TYPES))


def test_documents_and_annotations_are_in_the_lake_when_a_dataset_is_completed(
    rig: Rig, flywheel: str
) -> None:
    """Types that the flywheel does not have are ignored in silence, their documents stay."""
    made = [*sentences(30), ("Nobody is here", []), ("Acme pays", [(0, 4, "ORG")])]
    seen = dataset(rig, flywheel, annotated(rig, "in/entities/lake", made))
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 32)
    lake = rig.described(flywheel)["DataLakeS3Uri"]
    assert seen["DatasetS3Uri"].startswith(f"{lake}datasets/{seen['DatasetName']}/")
    files = rig.in_lake(seen["DatasetS3Uri"])
    assert files["documents.txt"].splitlines() == [text for text, _ in made]
    assert files["annotations.csv"].startswith(f"{HEADER}documents.txt,0,3,7,PERSON\n")
    assert "ORG" not in files["annotations.csv"]


def test_each_file_is_a_document_when_the_form_is_told(rig: Rig, flywheel: str) -> None:
    """Line breaks become blanks in the lake, so that offsets stay true."""
    rows = []
    for number, (text, spans) in enumerate(sentences(30)):
        rig.put_text(f"in/entities/files/{number}.txt", text.replace(": ", ":\n"))
        rows += [f"{number}.txt,{begin},{end},{kind}\n" for begin, end, kind in spans]
    header = HEADER.replace("Line,", "")
    annotations = rig.put_text("in/entities/of-files.csv", header + "".join(rows))
    documents = f"s3://{BUCKET}/in/entities/files/"
    config = entities_at(documents, "ONE_DOC_PER_FILE", Annotations=annotations)
    seen = dataset(rig, flywheel, config)
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 30)
    files = rig.in_lake(seen["DatasetS3Uri"])
    assert files["documents.txt"].splitlines()[0] == sentence(0)[0]
    assert files["annotations.csv"].startswith(f"{HEADER}documents.txt,0,3,7,PERSON\n")


def test_a_list_is_replaced_by_what_it_names_when_a_dataset_has_one(
    rig: Rig, flywheel: str
) -> None:
    """Every occurrence counts; entries of unknown types do not."""
    entries = [*((name, "PERSON") for name in _PEOPLE), *((name, "CITY") for name in _CITIES)]
    body = "Text,Type\n" + "".join(f"{text},{kind}\n" for text, kind in [*entries, ("x", "Y")])
    config = entities_at(
        rig.put_text("in/entities/listed.txt", "".join(f"{t}\n" for t, _ in sentences(200))),
        EntityList=rig.put_text("in/entities/list.csv", body),
    )
    seen = dataset(rig, flywheel, config)
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 200)
    files = rig.in_lake(seen["DatasetS3Uri"])
    returned = files["annotations.csv"].splitlines()[1:]
    assert len(returned) == 400
    assert returned[:2] == ["documents.txt,0,3,7,PERSON", "documents.txt,0,17,21,CITY"]


def test_a_manifest_is_read_when_the_format_is_told(rig: Rig, flywheel: str) -> None:
    """Annotations stand in the attribute that is named."""
    lines = [
        {
            "source": text,
            "names": {
                "annotations": {
                    "entities": [
                        {"startOffset": begin, "endOffset": end, "label": kind}
                        for begin, end, kind in spans
                    ]
                }
            },
        }
        for text, spans in sentences(30)
    ]
    uri = rig.put_text("in/e.manifest", "".join(f"{json.dumps(line)}\n" for line in lines))
    seen = dataset(rig, flywheel, manifest_at(uri, "names"))
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 30)


LONG: Sentence = ("x" * 5_001, [])


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            [*sentences(30)[:26], *((t, s[:1]) for t, s in sentences(20, first=50))][2:],
            "too few: CITY (24)",
        ),
        ([("Acme", [(0, 4, "ORG")])], "types of the documents: ORG (1)"),
        (sentences(2), "2 documents; at least 3 are needed"),
        (
            [*sentences(30), LONG],
            "d.txt, line 31: the document has 5001 bytes; it may have at most 5000",
        ),
        (
            [*sentences(30), ("Rome", [(0, 5, "CITY")])],
            "line 31: the annotation 0-5 CITY is not within the document, which has 4 characters",
        ),
        (
            [("New York", [(0, 8, "CITY"), (4, 8, "PERSON")])],
            "the annotation 4-8 PERSON overlaps the previous one",
        ),
    ],
)
def test_a_dataset_fails_with_the_reason_when_its_documents_cannot_be_used(
    rig: Rig, flywheel: str, made: list[Sentence], expected: str
) -> None:
    """The message lists types and counts, or names the document."""
    seen = dataset(rig, flywheel, annotated(rig, "in/entities/bad", made))
    assert seen["Status"] == "FAILED"
    assert expected in seen["Message"]


def test_a_dataset_fails_when_an_annotation_belongs_to_no_document(rig: Rig, flywheel: str) -> None:
    """The message names file and line."""
    config = annotated(rig, "in/entities/stray", sentences(30))
    for stray in ("d.txt,31,0,4,CITY", "other.txt,4,0,4,CITY"):
        rig.put_text("in/entities/stray/a.csv", f"{HEADER}{stray}\n")
        name, line, *_ = stray.split(",")
        message = dataset(rig, flywheel, config)["Message"]
        assert f"a.csv annotates line {line} (from 0) of {name}, but" in message


def test_few_annotations_are_enough_when_they_only_test(rig: Rig, flywheel: str) -> None:
    """The minimum is a rule of training data."""
    config = annotated(rig, "in/entities/few", sentences(1))
    assert dataset(rig, flywheel, config, "TEST")["Status"] == "COMPLETED"


def trained(rig: Rig, name: str) -> tuple[str, Any]:
    """Return a flywheel with data and its ended iteration."""
    flywheel = rig.flywheel(**entity_task((*TYPES, "DATE"), "es"))
    dataset(rig, flywheel, annotated(rig, f"in/entities/{name}/train", sentences(60)))
    test = annotated(rig, f"in/entities/{name}/test", sentences(8, first=200))
    dataset(rig, flywheel, test, "TEST")
    return flywheel, rig.iterated(flywheel)


def test_a_recognizer_is_trained_and_measured_when_an_iteration_completes(rig: Rig) -> None:
    """An iteration's metrics are parts of 1 without accuracy; the model's go to 100, by type."""
    flywheel, seen = trained(rig, "measured")
    assert seen["Status"] == "COMPLETED", seen["Message"]
    metrics = seen["TrainedModelMetrics"]
    assert set(metrics) == {"AverageF1Score", "AveragePrecision", "AverageRecall"}
    assert 0.9 < metrics["AverageF1Score"] <= 1
    arn = seen["TrainedModelArn"]
    assert f":entity-recognizer/{flywheel.rsplit('/', 1)[-1]}/version/" in arn
    model = rig.comprehend.describe_entity_recognizer(EntityRecognizerArn=arn)[
        "EntityRecognizerProperties"
    ]
    assert (model["Status"], model["LanguageCode"]) == ("TRAINED", "es")
    assert model["FlywheelArn"] == flywheel
    metadata = model["RecognizerMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (60, 8)
    returned = metadata["EvaluationMetrics"]["F1Score"]
    assert returned == pytest.approx(100 * metrics["AverageF1Score"])
    mentions = {item["Type"]: item["NumberOfTrainMentions"] for item in metadata["EntityTypes"]}
    assert mentions == {"PERSON": 60, "CITY": 60, "DATE": 0}
    place = f"{seen['EvaluationManifestS3Prefix']}{arn.rsplit('/', 1)[-1]}/"
    (evaluation,) = rig.in_lake(place).values()
    supports = {kind: score["support"] for kind, score in json.loads(evaluation)["labels"].items()}
    assert supports == {"PERSON": 8, "CITY": 8, "DATE": 0}


def test_task_and_data_are_inherited_when_a_flywheel_begins_with_a_recognizer(rig: Rig) -> None:
    """Its first iteration evaluates that model; a classifier's flywheel cannot take it."""
    _, seen = trained(rig, "inherited")
    model = seen["TrainedModelArn"]
    heir = rig.flywheel(ActiveModelArn=model)
    described = rig.described(heir)
    assert (described["Status"], described["ModelType"]) == ("ACTIVE", "ENTITY_RECOGNIZER")
    ended = rig.iterated(heir)
    assert ended["EvaluatedModelArn"] == model
    assert ended["EvaluatedModelMetrics"] == ended["TrainedModelMetrics"]


def test_a_part_is_held_out_when_there_is_no_test_dataset(rig: Rig) -> None:
    """What tests does not train."""
    flywheel = rig.flywheel(**entity_task(TYPES))
    dataset(rig, flywheel, annotated(rig, "in/entities/held", sentences(100)))
    arn = rig.iterated(flywheel)["TrainedModelArn"]
    model = rig.comprehend.describe_entity_recognizer(EntityRecognizerArn=arn)
    metadata = model["EntityRecognizerProperties"]["RecognizerMetadata"]
    held_out = metadata["NumberOfTestDocuments"]
    assert 4 <= held_out <= 18
    assert metadata["NumberOfTrainedDocuments"] + held_out == 100


def test_models_are_listed_by_their_kind_when_both_are_there(rig: Rig) -> None:
    """Lists, filters and summaries of one kind never have the other."""
    comprehend = rig.comprehend
    flywheel, seen = trained(rig, "listed")
    rig.iterated(flywheel)
    _, classifier = rig.trained()
    name = flywheel.rsplit("/", 1)[-1]
    listed = comprehend.list_entity_recognizers(Filter={"RecognizerName": name})
    arns = [item["EntityRecognizerArn"] for item in listed["EntityRecognizerPropertiesList"]]
    assert (len(arns), arns[-1]) == (2, seen["TrainedModelArn"])
    classifiers = comprehend.list_document_classifiers(MaxResults=500)
    returned = {i["DocumentClassifierArn"] for i in classifiers["DocumentClassifierPropertiesList"]}
    assert classifier in returned
    assert not returned.intersection(arns)
    summaries = comprehend.list_entity_recognizer_summaries()["EntityRecognizerSummariesList"]
    (own,) = [item for item in summaries if item["RecognizerName"] == name]
    assert own["NumberOfVersions"] == 2
    assert own["LatestVersionName"] == arns[0].rsplit("/", 1)[-1]
    others = comprehend.list_document_classifier_summaries(MaxResults=500)
    names = [item["DocumentClassifierName"] for item in others["DocumentClassifierSummariesList"]]
    assert classifier.split("/")[1] in names
    assert name not in names
