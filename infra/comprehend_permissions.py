"""What functions may ask of Comprehend: each grant names the calls and what they are made on.

Decides resources and conditions; which function gets which grant is said in `infra.stack`.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from flywheel.settings.environment import Environment
from infra.project_function import ProjectFunction


class ComprehendPermissions:
    """Grants on the flywheels of one environment, of every generation.

    Parameters
    ----------
    stack : aws_cdk.Stack
    environment : Environment
    roles : sequence of str
        ARNs of the flywheels' data access roles.

    Attributes
    ----------
    flywheels, datasets, jobs : list of str
        ARNs, with a ``*`` where the service decides.
    """

    def __init__(self, stack: cdk.Stack, *, environment: Environment, roles: Sequence[str]) -> None:
        self._stack = stack
        self._roles = list(roles)
        self.flywheels = [
            self._arn("flywheel", f"{environment.name}-{settings.name}-g*")
            for settings in environment.flywheels
        ]
        self.flywheels += [
            settings.adopt for settings in environment.flywheels if settings.adopt is not None
        ]
        self.datasets = [f"{flywheel}/dataset/*" for flywheel in self.flywheels]
        self.jobs = [
            self._arn(kind, "*")
            for kind in ("document-classification-job", "entities-detection-job")
        ]
        self._classifiers = self._arn("document-classifier", "*")
        self._recognizers = self._arn("entity-recognizer", "*")

    def grant_answers(self, function: ProjectFunction) -> None:
        """Let a function have models answer documents."""
        function.allow(
            [
                "comprehend:StartDocumentClassificationJob",
                "comprehend:StartEntitiesDetectionJob",
            ],
            [*self.jobs, self._classifiers, self._recognizers],
        )
        function.allow(
            [
                "comprehend:DescribeDocumentClassificationJob",
                "comprehend:DescribeEntitiesDetectionJob",
            ],
            self.jobs,
        )
        self._let_pass_roles(function)

    def grant_champion_changes(self, function: ProjectFunction) -> None:
        """Let a function make a model active and look at it before.

        UpdateFlywheel is checked against the model that becomes active, too. How the service names
        a new flywheel's first model is not documented, so every model is covered.
        """
        function.allow(["comprehend:UpdateFlywheel"], [self._classifiers, self._recognizers])
        function.allow(["comprehend:DescribeDocumentClassifier"], [self._classifiers])
        function.allow(["comprehend:DescribeEntityRecognizer"], [self._recognizers])

    def grant_generations(self, function: ProjectFunction) -> None:
        """Let a function make generations, begin them with the live model, and move endpoints."""
        function.allow(["comprehend:UpdateFlywheel"], [self._classifiers, self._recognizers])
        grant_endpoint_listing(function)
        function.allow(
            ["comprehend:UpdateEndpoint"],
            [self._arn("document-classifier-endpoint", "*"), *self.flywheels],
        )
        self._let_pass_roles(function)

    def grant_training_stops(self, function: ProjectFunction) -> None:
        """Let a function find the model that a flywheel trains, and stop that.

        The lists know no resources. How the service names a new flywheel's first model is not
        documented, so every model is covered.
        """
        function.allow(
            ["comprehend:ListDocumentClassifiers", "comprehend:ListEntityRecognizers"], ["*"]
        )
        function.allow(
            ["comprehend:StopTrainingDocumentClassifier"],
            [self._classifiers],
        )
        function.allow(
            ["comprehend:StopTrainingEntityRecognizer"],
            [self._recognizers],
        )

    def _let_pass_roles(self, function: ProjectFunction) -> None:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=self._roles,
                conditions={"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}},
            )
        )

    def _arn(self, resource: str, name: str) -> str:
        return self._stack.format_arn(service="comprehend", resource=resource, resource_name=name)


def grant_endpoint_listing(function: ProjectFunction) -> None:
    """Let a function list the account's endpoints; the call knows no resources."""
    function.allow(["comprehend:ListEndpoints"], ["*"])
