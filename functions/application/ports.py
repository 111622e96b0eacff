"""What the functions need of AWS, as ports.

Each port has two implementations: the boto3 adapter in `adapters`, and the
simulator's, in memory; both pass the same contract cases (`tests/contract/test_ports.py`).
Semantics belong to the port: every method says what a repeat, a loss or a race may do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

from application.configuration import KnownFlywheel
from flywheel.batches.uploads import DatasetKind, ObjectVersion
from flywheel.notices.notice import Notice
from flywheel.settings.data_format import DataFormat

if TYPE_CHECKING:
    from application.port_values import (
        AnswerJob,
        FlywheelFacts,
        Item,
        Iteration,
        Key,
        ListedVersion,
        ModelFacts,
        Write,
    )
    from flywheel.evaluation.label_metrics import ModelLabels
    from flywheel.notices.endpoints import Endpoint


class Rows(Protocol):
    """The ledger's table (`adapters.table.Table`): consistent reads, conditional writes."""

    def get(self, key: "Key") -> "Item | None":
        """Return a row, or None."""

    def get_many(self, keys: "Sequence[Key]") -> "Iterator[Item]":
        """Give the rows of those keys that have one, in any order, consistently read."""

    def query(self, pk: str, sk_prefix: str) -> "Iterator[Item]":
        """Give the rows of one partition whose sort key begins so, in order."""

    def query_index(self, index: str, attribute: str, value: str, newest: int) -> "list[Item]":
        """Return the newest rows of an index's partition, newest first; not consistently."""

    def count_up(self, key: "Key", attribute: str) -> int:
        """Add one to a counter and return it."""

    def write(self, writes: "Sequence[Write]") -> None:
        """Carry out all the writes or none.

        `ConcurrentChangeError` names the rows whose conditions failed.
        """


class StagingObjects(Protocol):
    """The staging bucket (`adapters.objects.Objects`): objects that are created once."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give an object's bytes in pieces."""

    def lines(self, key: str) -> Iterator[str]:
        """Give a text object's lines, ends included."""

    def all_lines(self, keys: Iterable[str]) -> Iterator[Iterator[str]]:
        """Give the lines of several text objects, one object after the other; may read ahead."""

    def text(self, key: str) -> str | None:
        """Return a small text object, or None."""

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""


class VerdictObjects(Protocol):
    """The bucket of verdicts (`adapters.objects.Objects`): what is written stays."""

    def text(self, key: str) -> str | None:
        """Return a small text object that is known to be there: nobody may list the bucket."""

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""


class InboxObjects(Protocol):
    """The inbox bucket (`adapters.objects.InboxBucket`): exact versions."""

    def version_chunks(self, upload: ObjectVersion) -> Iterator[bytes] | None:
        """Return the bytes of exactly this version, or None where it is gone."""

    def versions(self) -> "Iterator[ListedVersion]":
        """Give every object version that is there; delete markers are none."""


class FlywheelService(Protocol):
    """The service's calls on one flywheel (`adapters.comprehend.Comprehend`)."""

    def describe(self) -> "FlywheelFacts":
        """Return the flywheel as it is now."""

    def has_flywheel(self, flywheel_arn: str) -> bool:
        """Say whether a flywheel, this one or another, is there and stays."""

    def task_config(self) -> Mapping[str, Any]:
        """Return the flywheel's task and labels; `ServiceBusyError` while it is not ACTIVE."""

    def create_dataset(
        self,
        name: str,
        kind: DatasetKind,
        s3_uri: str,
        *,
        shape: DataFormat,
        token: str,
        description: str,
    ) -> str:
        """Create a dataset and return its ARN; one of ours that is there already is recognised."""

    def dataset_status(self, dataset_arn: str) -> str | None:
        """Return a dataset's status, or None where there is no such dataset."""

    def has_dataset(self, kind: DatasetKind) -> bool:
        """Say whether the flywheel holds a usable dataset of a kind."""

    def dataset_completed_at(self, dataset_arn: str) -> datetime:
        """Return when a dataset was complete."""

    def start_iteration(self, token: str) -> str | None:
        """Start an iteration; None while another one occupies the flywheel."""

    def iteration(self, iteration_id: str) -> "Iteration":
        """Return one iteration."""

    def iterations(self) -> "Iterator[Iteration]":
        """Give the flywheel's iterations."""

    def make_active(self, model_arn: str) -> None:
        """Make a model the active one; a blind write."""

    def model(self, model_arn: str) -> "ModelFacts | None":
        """Return a model's status and flywheel, or None where there is no such model."""

    def model_labels(self, model_arn: str, average_f1: float | None) -> "ModelLabels":
        """Return what the service measured of a model's labels; `LabelsUnknownError` for nothing.

        `average_f1` is the model's in an iteration, which tells percentages from parts of 1.
        """

    def endpoints(self) -> "list[Endpoint]":
        """Return the account's endpoints, whatever they follow."""

    def model_in_training(self) -> str | None:
        """Return the model that the flywheel's iteration trains now, if one does."""

    def stop_training(self, model_arn: str) -> None:
        """Ask for a training's stop; `ServiceRefusedError` for one that is over."""


class AnswerService(Protocol):
    """Jobs in which a model answers documents (`adapters.answer_jobs.AnswerJobs`)."""

    def start(self, model_arn: str, input_uri: str, output_uri: str, token: str) -> str:
        """Start a job on one document a line and return its ARN; a repeat returns the same."""

    def describe(self, job_arn: str) -> "AnswerJob":
        """Return a job as it is now."""


class Topic(Protocol):
    """The notices topic (`adapters.messages.SnsTopic`)."""

    def publish(self, flywheel: str, notice: Notice) -> None:
        """Publish; accepted is not read, and a repeat is sent twice under the same id."""


class Messages(Protocol):
    """The queues that functions write to (`adapters.messages.Queues`)."""

    def announce(self, flywheel: str, delay_seconds: int) -> None:
        """Have the flywheel's upload news looked at when the delay is over."""

    def inject(self, upload: ObjectVersion, size_bytes: int) -> None:
        """Have an upload registered as if its event came now."""

    def has_waiting_uploads(self) -> bool:
        """Say whether an upload's event is still to be delivered, or under way."""

    def deliver_later(self, receipt_handle: str, seconds: int) -> None:
        """Have a message of the uploads queue delivered again after so many seconds."""


class Executions(Protocol):
    """The state machine's executions (`adapters.executions.StateMachine`)."""

    def start(self, name: str, document: str) -> None:
        """Start an execution; one of that name that was started before goes on as it is."""

    def describe(self, name: str) -> tuple[str, str, str] | None:
        """Return status, error and cause of an execution; None where it never began."""

    def answer(self, token: str, document: str) -> bool:
        """Let a task that waits go on with this output; False where it does not wait any more."""


OtherFunction = Literal[
    "close_batch", "rebuild_flywheel", "compare_models", "change_champion", "answer_approval"
]
"""A function of the stack that another one invokes, named as its folder."""


class Functions(Protocol):
    """Other functions of the stack (`adapters.executions.Invocations`)."""

    def invoke(self, function: OtherFunction, event: Mapping[str, Any]) -> None:
        """Have a function run with this event, sometime soon, at least once."""


class Generations(Protocol):
    """What makes a flywheel's next generation (`adapters.generations.ComprehendGenerations`)."""

    def definition(self, flywheel_arn: str) -> Mapping[str, Any]:
        """Return what DescribeFlywheel says of a flywheel, as the service says it."""

    def create(
        self,
        name: str,
        before: Mapping[str, Any],
        lake_uri: str,
        labels: list[str] | None,
        token: str,
    ) -> str:
        """Create a flywheel like an earlier one and return its ARN; a repeat returns the same."""

    def move_endpoint(self, endpoint_arn: str, flywheel_arn: str) -> None:
        """Have an endpoint follow another flywheel; a repeat changes nothing."""


class Ports(Protocol):
    """Every port, made at first use."""

    @property
    def table(self) -> Rows:
        """The ledger's table."""

    @property
    def staging(self) -> StagingObjects:
        """The staging bucket."""

    @property
    def verdicts(self) -> VerdictObjects:
        """The bucket of verdicts."""

    @property
    def inbox(self) -> InboxObjects:
        """The inbox bucket."""

    @property
    def topic(self) -> Topic:
        """The notices topic."""

    @property
    def messages(self) -> Messages:
        """The queues."""

    @property
    def executions(self) -> Executions:
        """The state machine."""

    @property
    def functions(self) -> Functions:
        """Other functions."""

    @property
    def generations(self) -> Generations:
        """What makes a flywheel's next generation."""

    def comprehend(self, flywheel_arn: str) -> FlywheelService:
        """Return the service's calls on one flywheel."""

    def answer_jobs(self, flywheel_arn: str) -> AnswerService:
        """Return the jobs in which models of one flywheel answer documents."""

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name, as deployed."""
