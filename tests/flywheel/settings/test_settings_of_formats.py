import json

import pytest

from flywheel.errors import SettingsError
from flywheel.settings.data_format import LABEL_DELIMITERS, CsvLayout, DataFormat
from flywheel.settings.environment import ReceivedSettings
from tests.flywheel.settings.environment_texts import ADOPTED, FLYWHEEL, parse

MULTI = FLYWHEEL.replace("multi-class", "multi-label")
ENTITIES = """
[flywheels.tickets]
task = "entities"
language = "en"
entity_types = ["PERSON", "CITY_2"]
"""


def shape(text: str) -> DataFormat:
    """Return the shape that functions get from an environment's file."""
    (flywheel,) = parse(text).flywheels
    document = json.loads(flywheel.for_functions())
    assert not {"labels", "entity_types"} & set(document)
    return ReceivedSettings.from_document(document).shape()


def test_functions_know_the_format_when_settings_travel() -> None:
    """Task, mode, delimiter and columns arrive; labels and types are read from the service."""
    assert shape(FLYWHEEL) == DataFormat()
    assert shape(MULTI + 'label_delimiter = ";"') == DataFormat(mode="multi-label", delimiter=";")
    assert shape(ENTITIES + 'entities_from = "list"') == DataFormat(
        task="entities", entities_from="list"
    )
    columns = '\n[flywheels.tickets.csv]\nheader = true\nlabel = "kind"\ntext = 3\nsep = "\\t"\n'
    assert shape(FLYWHEEL + columns).csv == CsvLayout(header=True, label="kind", text=3, sep="\t")


def test_the_service_knows_the_task_when_a_flywheel_is_adopted() -> None:
    """DescribeFlywheel says what an adopted flywheel's file cannot."""
    (flywheel,) = parse(ADOPTED).flywheels
    several = {"DocumentClassificationConfig": {"Mode": "MULTI_LABEL", "Labels": ["A", "B"]}}
    assert flywheel.shape(several) == DataFormat(mode="multi-label")
    assert flywheel.shape({"EntityRecognitionConfig": {"EntityTypes": []}}).task == "entities"
    assert flywheel.shape() == DataFormat()


@pytest.mark.parametrize("delimiter", LABEL_DELIMITERS)
def test_a_delimiter_is_taken_when_the_service_takes_it(delimiter: str) -> None:
    """Any of the service's delimiters may be chosen."""
    assert shape(MULTI + f"label_delimiter = {json.dumps(delimiter)}").delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MULTI + 'label_delimiter = "||"', "flywheels.tickets.label_delimiter: Input should be"),
        (MULTI + 'label_delimiter = ","', "label_delimiter: Input should be"),
        (MULTI.replace('"B"', '"B|C"'), "labels: 'B|C' holds the label_delimiter '|'"),
        (MULTI.replace('"A", "B"', str([f"L{n}" for n in range(101)])[1:-1]), "at most 100, 101"),
        (ENTITIES + 'mode = "multi-label"', 'mode: for task = "classification"'),
        (ENTITIES + 'labels = ["A", "B"]', 'labels: for task = "classification"'),
        (ENTITIES.replace("CITY_2", "City"), "'City': an entity type has 1 to 64 upper-case"),
        (ENTITIES.replace("CITY_2", "PERSON"), "entity_types: given twice: PERSON"),
        (ENTITIES.replace('"PERSON", "CITY_2"', ""), "1 to 25 types are allowed, 0 are given"),
        (ENTITIES.replace("entity_types", "#"), "missing entity_types: a new flywheel needs"),
        (FLYWHEEL + 'entity_types = ["A"]', 'entity_types goes with task = "entities"'),
        (FLYWHEEL + 'csv = {sep = ";;"}', "csv.sep: one printable ASCII character or a tab"),
        (FLYWHEEL + 'csv = {sep = "\\""}', "csv.sep: a quote cannot separate columns"),
        (FLYWHEEL + "csv = {label = 2}", "csv: label and text must be two columns"),
        (FLYWHEEL + "csv = {label = 0}", "a column is a number from 1"),
        (FLYWHEEL + 'csv = {label = "kind"}', "only where header = true"),
        (FLYWHEEL + "csv = {heading = true}", "unknown key; allowed: header, label, sep, text"),
    ],
)
def test_a_wrong_format_is_told_when_a_file_is_parsed(text: str, told: str) -> None:
    """What the service would refuse fails at synth, by key and with what is allowed."""
    with pytest.raises(SettingsError) as caught:
        parse(text)
    assert told in str(caught.value)
