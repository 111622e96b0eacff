"""The functions of the loop: how long each may run, its memory and its environment variables.

All stand in the stack itself, so that a function's logical id is its name. Their rights are
granted in `infra.stack` and `infra.comprehend_permissions`. Read next: `infra.project_function`.
"""

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from infra.project_function import ProjectFunction
from infra.project_queue import ProjectQueue

_QUICK = cdk.Duration.minutes(2)
_LONG = cdk.Duration.minutes(15)
"""For the functions that read whole uploads; Lambda's most."""

_VISIBLE_AFTER = 6
"""Times a function's time-out, after which a message may be delivered again (Lambda guide)."""

QUICK_VISIBILITY = cdk.Duration.seconds(_QUICK.to_seconds() * _VISIBLE_AFTER)
LONG_VISIBILITY = cdk.Duration.seconds(_LONG.to_seconds() * _VISIBLE_AFTER)


class LoopFunctions:
    """Makes the functions, each an attribute of its folder's name.

    Parameters
    ----------
    stack : aws_cdk.Stack
    asset_folder : Path
        The Lambda asset.
    removal_policy : RemovalPolicy
        Of the log groups.
    variables : mapping
        Environment variables of every function.
    uploads, notices_due : ProjectQueue
        The queues that some of them send to.
    """

    def __init__(
        self,
        stack: cdk.Stack,
        *,
        asset_folder: Path,
        removal_policy: cdk.RemovalPolicy,
        variables: Mapping[str, str],
        uploads: ProjectQueue,
        notices_due: ProjectQueue,
    ) -> None:
        self._stack = stack
        self._asset_folder = asset_folder
        self._removal = removal_policy
        self._variables = variables
        self.seal_batch = self.make("SealBatch", timeout=_LONG, memory_mib=2048)
        self.start_iteration = self.make("StartIteration")
        # Resampling 100,000 answers takes a whole processor, which comes with this much memory.
        self.compare_models = self.make("CompareModels", timeout=_LONG, memory_mib=1769)
        self.ask_approval = self.make("AskApproval")
        self.close_batch = self.make("CloseBatch")
        self.register_upload = self.make(
            "RegisterUpload",
            timeout=_LONG,
            memory_mib=1024,
            disk_mib=6144,
            NOTICES_DUE_QUEUE_URL=notices_due.queue.queue_url,
            UPLOADS_QUEUE_URL=uploads.queue.queue_url,
        )
        self.reconcile = self.make(
            "Reconcile", timeout=_LONG, UPLOADS_QUEUE_URL=uploads.queue.queue_url
        )
        self.rebuild_flywheel = self.make("RebuildFlywheel", timeout=_LONG)
        self.answer_approval = self.make("AnswerApproval")
        self.change_champion = self.make("ChangeChampion")
        # An import is read whole, and the person waits for the answer, as long as Lambda lets one.
        self.operate = self.make("Operate", timeout=_LONG, memory_mib=2048)
        for name, function in self.invoked().items():
            self.reconcile.add_environment(name, function.function_name)

    def all(self) -> list[ProjectFunction]:
        """Return all of them; NotifySlack, which uses neither ledger nor settings, is none."""
        return [
            self.seal_batch,
            self.start_iteration,
            self.compare_models,
            self.ask_approval,
            self.close_batch,
            self.register_upload,
            self.reconcile,
            self.rebuild_flywheel,
            self.answer_approval,
            self.change_champion,
            self.operate,
        ]

    def invoked(self) -> dict[str, ProjectFunction]:
        """Return those that Reconcile invokes, by the variable that holds their name."""
        return {
            "CLOSE_BATCH_FUNCTION": self.close_batch,
            "REBUILD_FLYWHEEL_FUNCTION": self.rebuild_flywheel,
            "COMPARE_MODELS_FUNCTION": self.compare_models,
            "CHANGE_CHAMPION_FUNCTION": self.change_champion,
            "ANSWER_APPROVAL_FUNCTION": self.answer_approval,
        }

    def set_workflow(self, machine: sfn.StateMachine) -> None:
        """Name the workflow to the functions that start or resume executions."""
        for function in (
            self.register_upload,
            self.reconcile,
            self.rebuild_flywheel,
            self.answer_approval,
            self.operate,
        ):
            function.add_environment("STATE_MACHINE_ARN", machine.state_machine_arn)

    def make(
        self,
        construct_id: str,
        *,
        timeout: cdk.Duration = _QUICK,
        memory_mib: int = 512,
        disk_mib: int = 512,
        **variables: str,
    ) -> ProjectFunction:
        """Make a function with the variables of all, and its own."""
        return ProjectFunction(
            self._stack,
            construct_id,
            asset_folder=self._asset_folder,
            removal_policy=self._removal,
            timeout=timeout,
            memory_mib=memory_mib,
            disk_mib=disk_mib,
            variables={**self._variables, **variables},
        )
