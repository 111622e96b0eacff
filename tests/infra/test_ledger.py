from adapters.ledger.uploads import BY_FLYWHEEL_INDEX
from infra import ledger
from tests.infra.synthesis import Synthesized


def test_the_index_is_the_one_that_is_asked_when_the_table_is_made(each: Synthesized) -> None:
    """Stack and functions name the index alike, though neither may import the other."""
    (table,) = each.properties("AWS::DynamoDB::Table").values()
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == ledger.BY_FLYWHEEL_INDEX == BY_FLYWHEEL_INDEX
