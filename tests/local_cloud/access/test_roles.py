"""The synthesized roles allow what the flow does, and nothing else is allowed."""

from tests.local_cloud.conftest import Deployed

ACCOUNT = "123456789012"


def test_every_call_is_allowed_when_the_stack_grants_what_it_uses(deployed: Deployed) -> None:
    """The whole flow runs under the synthesized roles, and each call is in the log."""
    deployed.put("allowed.csv")
    assert deployed.next_notice() == "ACCEPTED allowed.csv"

    decisions = deployed.cloud.decisions()
    assert [decision for decision in decisions if not decision.is_allowed] == []
    assert {decision.action for decision in decisions} >= {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "lambda:InvokeFunction",
        "sns:Publish",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "states:StartExecution",
    }


def test_the_handler_meets_the_denial_when_its_role_lacks_a_right(deployed: Deployed) -> None:
    """A call that the role does not allow fails inside the function as on AWS."""
    table = deployed.outputs["Table"]
    arguments = {"TableName": table, "Item": {"id": {"S": "x"}}}
    call = {"service": "dynamodb", "method": "put_item", "arguments": arguments}

    answer, is_error = deployed.probe(call=call)

    assert is_error
    assert "AccessDeniedException" in answer["errorMessage"]
    assert "not authorized to perform: dynamodb:PutItem" in answer["errorMessage"]
    assert f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}" in answer["errorMessage"]
    refused = [decision for decision in deployed.cloud.decisions() if not decision.is_allowed]
    assert [decision.action for decision in refused] == ["dynamodb:PutItem"]
