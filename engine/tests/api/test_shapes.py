"""Values against shapes of botocore's model."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape

from comprehend_engine.api.protocol import comprehend_model
from comprehend_engine.api.shapes import matcher, problems

MODEL = comprehend_model()


def problems_of(operation: str, request: Any) -> list[str]:
    """Return the problems of a request."""
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    return list(problems(request, shape, ""))


SERVED = (
    *("CreateFlywheel", "DescribeFlywheel", "UpdateFlywheel", "DeleteFlywheel", "ListFlywheels"),
    *("CreateDataset", "DescribeDataset", "ListDatasets"),
    *("StartFlywheelIteration", "DescribeFlywheelIteration", "ListFlywheelIterationHistory"),
    *("DescribeDocumentClassifier", "ListDocumentClassifiers"),
)


def patterns(shape: Shape | None) -> Iterator[str]:
    """Yield every pattern inside a shape."""
    if shape is None:
        return
    yield from [shape.metadata["pattern"]] if "pattern" in shape.metadata else []
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            yield from patterns(member)
    if isinstance(shape, ListShape):
        yield from patterns(shape.member)


ARN = "arn:aws:comprehend:us-east-1:123456789012:flywheel/f"


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("DescribeFlywheel", {}, "Value 'null' at 'FlywheelArn'"),
        ("DescribeFlywheel", {"FlywheelArn": 7}, "Member must be a string"),
        ("DescribeFlywheel", {"FlywheelArn": "f"}, "regular expression pattern: arn:aws"),
        ("DescribeFlywheel", {"FlywheelArn": ARN + "x" * 300}, "less than or equal to 256"),
        ("DescribeFlywheel", {"FlywheelArn": ARN, "Name": "f"}, "at 'Name'"),
        ("ListFlywheels", {"MaxResults": 0}, "greater than or equal to 1"),
        ("ListFlywheels", {"MaxResults": 501}, "less than or equal to 500"),
        ("ListFlywheels", {"MaxResults": True}, "Member must be a integer"),
        ("ListFlywheels", {"NextToken": ""}, "length greater than or equal to 1"),
        ("ListFlywheels", {"Filter": {"Status": "IDLE"}}, "enum value set: [CREATING, ACTIVE"),
        ("ListFlywheels", {"Filter": []}, "Member must be an object"),
        ("ListFlywheels", {"Filter": {"CreationTimeAfter": "now"}}, "must be a timestamp"),
        ("CreateFlywheel", {"Tags": {}}, "Member must be a list"),
        ("CreateFlywheel", {"Tags": [{"Key": ""}]}, "at 'Tags.1.member.Key'"),
    ],
)
def test_a_problem_is_told_with_member_and_constraint_when_a_request_does_not_fit(
    operation: str, request_: Any, expected: str
) -> None:
    """Types, lengths, ranges, enums, patterns, required and unknown members are all checked."""
    assert any(expected in problem for problem in problems_of(operation, request_)), problems_of(
        operation, request_
    )


def test_nothing_is_said_when_a_request_fits() -> None:
    """Null members count as absent."""
    assert problems_of("DescribeFlywheel", {"FlywheelArn": ARN}) == []
    assert problems_of("ListFlywheels", {"NextToken": None}) == []


@pytest.mark.parametrize("operation", SERVED)
def test_every_pattern_is_known_when_an_operation_is_served(operation: str) -> None:
    """No pattern of a served operation is in a dialect that Python cannot read."""
    model = MODEL.operation_model(operation)
    for pattern in [*patterns(model.input_shape), *patterns(model.output_shape)]:
        assert matcher(pattern)("a-text") in (True, False)


def test_a_label_is_refused_when_it_has_a_control_character() -> None:
    """Unicode's class C is read as the model means it."""
    assert matcher(r"^\P{C}*$")("Übung 1")
    assert not matcher(r"^\P{C}*$")("a\tb")
    assert not matcher(r"^\p{ASCII}+$")("é")
