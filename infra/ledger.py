"""The ledger's table; its rows are described in `functions/application/ledger`.

Decides how rights on rows become statements. Read next: `infra.ledger_rights` (the rights).
"""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.ledger_rights import AUDIT, DONE_TO_ROWS, NEVER_DONE_TO_ENTRIES, WRITTEN_BY
from infra.project_function import ProjectFunction

BY_FLYWHEEL_INDEX = "uploads-by-flywheel"

_READS = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
_KEYS = "dynamodb:LeadingKeys"


class LedgerTable(Construct):
    """One table, on demand, with point-in-time recovery."""

    def __init__(
        self, scope: Construct, construct_id: str, *, removal_policy: cdk.RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=removal_policy is cdk.RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )
        self.table.add_global_secondary_index(
            index_name=BY_FLYWHEEL_INDEX,
            partition_key=dynamodb.Attribute(name="flywheel", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="received_at", type=dynamodb.AttributeType.STRING),
        )

    def grant_use(self, function: ProjectFunction) -> None:
        """Let a function read every row and write its own; no scans, no table operations."""
        self.table.grant(function, *_READS)
        written = WRITTEN_BY[function.node.id]
        for actions, keys in _keys_by_actions(written).items():
            function.add_to_role_policy(
                iam.PolicyStatement(
                    actions=list(actions),
                    resources=[self.table.table_arn],
                    conditions={
                        "ForAllValues:StringLike": {_KEYS: keys},
                        # Of a request that names no row at all, all would hold.
                        "Null": {_KEYS: "false"},
                    },
                )
            )
        function.add_to_role_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=list(NEVER_DONE_TO_ENTRIES),
                resources=[self.table.table_arn],
                conditions={"ForAnyValue:StringLike": {_KEYS: [AUDIT]}},
            )
        )


def _keys_by_actions(written: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the keys of rows to which the same may be done, by what that is."""
    found: dict[tuple[str, ...], list[str]] = {}
    for key in written:
        found.setdefault(DONE_TO_ROWS[key], []).append(key)
    return found
