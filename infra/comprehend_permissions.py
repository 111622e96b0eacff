"""What each function may ask of Comprehend: the calls, on which resources, on which conditions."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from flywheel.settings.environment import Environment
from infra.loop_functions import LoopFunctions
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

    def grant(self, functions: LoopFunctions) -> None:
        """Let each function make the calls that it makes.

        Two may change the active model: for a verdict, and for a person. A third makes the live
        model a new generation's.
        """
        for function, names in _flywheel_calls(functions).items():
            function.allow([f"comprehend:{name}" for name in names], self.flywheels)
        for function in (
            functions.seal_batch,
            functions.start_iteration,
            functions.operate,
            functions.close_batch,
            functions.reconcile,
        ):
            function.allow(["comprehend:DescribeDataset"], self.datasets)
        for function in (functions.compare_models, functions.change_champion):
            self._grant_champion_changes(function)
        for function in (
            functions.compare_models,
            functions.change_champion,
            functions.close_batch,
            functions.rebuild_flywheel,
        ):
            # The call knows no resources.
            function.allow(["comprehend:ListEndpoints"], ["*"])
        self._grant_predictions(functions.compare_models)
        self._grant_generations(functions.rebuild_flywheel)
        self._grant_training_stops(functions.operate)

    def _grant_predictions(self, function: ProjectFunction) -> None:
        """Let a function have models predict labels for documents."""
        calls = ("DocumentClassificationJob", "EntitiesDetectionJob")
        function.allow(
            [f"comprehend:Start{call}" for call in calls],
            [*self.jobs, self._classifiers, self._recognizers],
        )
        function.allow([f"comprehend:Describe{call}" for call in calls], self.jobs)
        self._let_pass_roles(function)

    def _grant_champion_changes(self, function: ProjectFunction) -> None:
        """Let a function make a model active and look at it before.

        UpdateFlywheel is checked against the model that becomes active, too. How the service names
        a new flywheel's first model is not documented, so every model is covered.
        """
        function.allow(["comprehend:UpdateFlywheel"], [self._classifiers, self._recognizers])
        function.allow(["comprehend:DescribeDocumentClassifier"], [self._classifiers])
        function.allow(["comprehend:DescribeEntityRecognizer"], [self._recognizers])

    def _grant_generations(self, function: ProjectFunction) -> None:
        """Let a function make generations, begin them with the live model, and move endpoints."""
        function.allow(["comprehend:UpdateFlywheel"], [self._classifiers, self._recognizers])
        function.allow(
            ["comprehend:UpdateEndpoint"],
            [self._arn("document-classifier-endpoint", "*"), *self.flywheels],
        )
        self._let_pass_roles(function)

    def _grant_training_stops(self, function: ProjectFunction) -> None:
        """Let a function find the model that a flywheel trains, and stop its training.

        The lists know no resources. How the service names a new flywheel's first model is not
        documented, so every model is covered.
        """
        function.allow(
            ["comprehend:ListDocumentClassifiers", "comprehend:ListEntityRecognizers"], ["*"]
        )
        function.allow(["comprehend:StopTrainingDocumentClassifier"], [self._classifiers])
        function.allow(["comprehend:StopTrainingEntityRecognizer"], [self._recognizers])

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


def _flywheel_calls(functions: LoopFunctions) -> dict[ProjectFunction, list[str]]:
    """Return the calls that each function makes on flywheels."""
    return {
        functions.register_upload: ["DescribeFlywheel"],
        functions.seal_batch: ["CreateDataset", "DescribeFlywheel"],
        functions.start_iteration: [
            "DescribeFlywheel",
            "ListDatasets",
            "ListFlywheelIterationHistory",
            "StartFlywheelIteration",
        ],
        functions.compare_models: [
            "DescribeFlywheel",
            "DescribeFlywheelIteration",
            "ListDatasets",
            "UpdateFlywheel",
        ],
        functions.ask_approval: ["DescribeFlywheel"],
        functions.change_champion: ["DescribeFlywheel", "UpdateFlywheel"],
        functions.operate: ["DescribeFlywheel"],
        functions.close_batch: ["DescribeFlywheel", "DescribeFlywheelIteration"],
        functions.reconcile: [
            "DescribeFlywheel",
            "DescribeFlywheelIteration",
            "ListFlywheelIterationHistory",
        ],
        functions.rebuild_flywheel: ["CreateFlywheel", "DescribeFlywheel", "UpdateFlywheel"],
    }
