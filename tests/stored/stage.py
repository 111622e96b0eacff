"""One account with one flywheel, in which a story is played; nothing in it is left to chance.

Handlers are called with the events that AWS sends them, and executions run the *recorded*
definition of the workflow: an execution that began before a deploy goes on with the definition that
it began with, and with the new functions. The clock stands still while the engine works, and random
ids are counted, so a story writes the same bytes each time.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from adapters.parameters import configuration
from adapters.table import Table
from adapters.wiring import AwsPorts
from answer_approval.handler import handler as answer_approval
from application.commands.payloads import OperatorCommand
from application.port_values import Key
from application.services import Services
from ask_approval.handler import handler as ask_approval
from change_champion.handler import handler as change_champion
from close_batch.handler import handler as close_batch
from compare_models.handler import handler as compare_models
from comprehend_engine.api.faults import InjectedFaults
from flywheel.batches.uploads import ObjectVersion
from operate.handler import handler as operate
from rebuild_flywheel.handler import handler as rebuild_flywheel
from reconcile.handler import handler as reconcile
from register_upload.handler import handler as register_upload
from seal_batch.handler import handler as seal_batch
from start_iteration.handler import handler as start_iteration
from tests.functions.cloud import ACCOUNT, INBOX, LAKE, SETTINGS_PATH, answering, running_cloud
from tests.functions.world import LABELS, NAME, RULES
from tests.simulation.memory.channels import MemoryTokens
from tests.simulation.state_machine import StateFailedError, StateMachine
from tests.stored.pinned import SteadyClock, pinned
from tests.stored.recorder import Recorder, content

Document = dict[str, Any]

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "AnswerApproval": answer_approval,
    "AskApproval": ask_approval,
    "ChangeChampion": change_champion,
    "CloseBatch": close_batch,
    "CompareModels": compare_models,
    "Operate": operate,
    "RebuildFlywheel": rebuild_flywheel,
    "Reconcile": reconcile,
    "RegisterUpload": register_upload,
    "SealBatch": seal_batch,
    "StartIteration": start_iteration,
}


@dataclass(slots=True)
class Stage:
    """The account of one story.

    Parameters
    ----------
    clock : SteadyClock
        The functions' clock and the engine's.
    arn : str
        Of the flywheel.
    definition : mapping
        The workflow, as it was when the fixtures were recorded.
    """

    clock: SteadyClock
    arn: str
    definition: Mapping[str, Any]
    recorder: Recorder
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    _executed: int = 0
    _invoked: int = 0
    _answers: Callable[[], object] | None = None

    @property
    def services(self) -> Services:
        """What a function uses, opened as a person."""
        settings = configuration()
        return Services("ann (claimed)", settings, self.now, AwsPorts(settings))

    @property
    def faults(self) -> InjectedFaults:
        """What goes wrong in the engine."""
        assert self.clock.engine._parts is not None
        return self.clock.engine._parts.faults

    def now(self) -> datetime:
        """Return the clock's moment."""
        return self.clock.moment()

    def configure(self, *, policy: Document | None = None, **settings: Any) -> None:
        """Deploy the flywheel's settings."""
        batch = {**RULES, **settings.pop("batch", {})}
        policy = {"evidence": "none", "approve_first": 0, **(policy or {})}
        document = {"name": NAME, "batch": batch, "policy": policy, **settings}
        client("ssm").put_parameter(
            Name=f"{SETTINGS_PATH}/{NAME}",
            Value=json.dumps({"arn": self.arn, "settings": document}),
            Type="String",
            Overwrite=True,
        )

    def put(self, key: str, body: bytes) -> ObjectVersion:
        """Drop an object into the inbox, of which no event comes."""
        answer = client("s3").put_object(Bucket=INBOX, Key=key, Body=body)
        return ObjectVersion(INBOX, key, answer["VersionId"])

    def upload(self, name: str, body: bytes, kind: str = "train") -> ObjectVersion:
        """Drop a file for the flywheel, and have its event delivered."""
        upload = self.put(f"{NAME}/{kind}/{name}", body)
        self.delivered(upload, len(body))
        return upload

    def delivered(self, upload: ObjectVersion, size_bytes: int = 1) -> None:
        """Have an upload's event delivered."""
        named = {"key": upload.key, "size": size_bytes, "version-id": upload.version_id}
        detail = {"bucket": {"name": upload.bucket}, "object": named}
        event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
        record = {
            "messageId": "1",
            "receiptHandle": "1",
            "eventSource": "aws:sqs",
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        self.call("RegisterUpload", {"Records": [{**record, "body": json.dumps(event)}]})

    def call(self, function: str, event: Document) -> Any:
        """Call a function a second later, with an event as AWS passes it."""
        self.clock.advance(1)
        answer = _FUNCTIONS[function](json.loads(json.dumps(event)), _context())
        self.recorder.note("tasks", function, {"event": event, "answer": answer})
        return json.loads(json.dumps(answer))

    def operate(self, command: OperatorCommand) -> Document:
        """Have a person's command carried out, who claims a name."""
        answer: Document = self.call("Operate", {**asdict(command), "actor": "ann"})
        assert "refused" not in answer, answer
        return answer

    def reconcile(self) -> None:
        """Let the schedule run, and then what it invokes."""
        self.call("Reconcile", {})
        self.invoked()

    def invoked(self) -> None:
        """Run the functions that were invoked since the last look."""
        calls = self.recorder.calls("Invoke")[self._invoked :]
        self._invoked += len(calls)
        for call in calls:
            self.call(call["FunctionName"], json.loads(call["Payload"]))

    def executed(self, *, person: Callable[[], object] | None = None) -> str:
        """Run the executions that were started since the last look; returns the last one's error.

        Parameters
        ----------
        person : callable, optional
            What a person does while the workflow waits for an answer.
        """
        error = ""
        while calls := self.recorder.calls("StartExecution")[self._executed :]:
            self._executed += len(calls)
            self._answers = person
            for call in calls:
                error = self._run(json.loads(call["input"]))
        return error

    def account(self) -> Document:
        """Return everything that the ledger and the product's buckets hold now."""
        settings = configuration()
        table, s3 = Table(settings.ledger_table, client("dynamodb")), client("s3")
        keys = [
            Key(str(item["pk"]["S"]), str(item["sk"]["S"]))
            for item in client("dynamodb").scan(TableName=settings.ledger_table)["Items"]
        ]
        objects = {
            f"{bucket}/{found['Key']}": content(
                s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            )
            for bucket in (settings.staging_bucket, settings.verdicts_bucket)
            for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            if not found["Key"].startswith("job-output/")
        }
        rows = [table.get(key) for key in sorted(keys, key=lambda key: (key.pk, key.sk))]
        task = self.services.comprehend(self.arn).task_config()
        return {"rows": rows, "objects": objects, "task": task}

    def _run(self, document: Document) -> str:
        context = {"StateMachine": {"Id": configuration().state_machine_arn}}
        machine = StateMachine(cast(Any, self), self._tasks(), context, self.tokens)
        try:
            machine.run(dict(self.definition), document)
        except StateFailedError as error:
            return error.name
        return ""

    def _tasks(self) -> Mapping[str, Callable[[Document], Any]]:
        def task(function: str) -> Callable[[Document], Any]:
            return lambda event: self.call(function, event)

        def look(method: str) -> Callable[[Document], Any]:
            def called(given: Document) -> Any:
                answer = getattr(client("comprehend"), method)(**given)
                return json.loads(json.dumps(answer, default=str))

            return called

        return {
            **{name: task(name) for name in _FUNCTIONS},
            "lambda:invoke.waitForTaskToken": self._asked,
            "dynamodb:getItem": _registrations,
            "aws-sdk:comprehend:describeDataset": look("describe_dataset"),
            "aws-sdk:comprehend:describeFlywheelIteration": look("describe_flywheel_iteration"),
            "aws-sdk:comprehend:describeDocumentClassificationJob": look(
                "describe_document_classification_job"
            ),
            "aws-sdk:comprehend:describeEntitiesDetectionJob": look(
                "describe_entities_detection_job"
            ),
        }

    def _asked(self, given: Document) -> Any:
        answer = self.call("AskApproval", given["Payload"])
        if self._answers is not None:
            self._answers()
            for call in self.recorder.calls("SendTaskSuccess")[-1:]:
                self.tokens.waiting[call["taskToken"]] = call["output"]
        return answer

    # What the interpreter asks of the world that executions run in.

    @property
    def agenda(self) -> SimpleNamespace:
        """Let time pass."""
        return SimpleNamespace(pause=self.clock.advance)

    rates = SimpleNamespace(throttle=0, lost_reply=0)

    def happens(self, rate: float) -> bool:
        """Have nothing happen by chance."""
        return False

    def breaks(self, invariant: str, words: str) -> None:
        """Refuse errors that the workflow has no name for."""
        raise AssertionError(f"{invariant}: {words}")


def _registrations(given: Document) -> Document:
    answer = client("dynamodb").get_item(**{**given, "TableName": configuration().ledger_table})
    return {"Item": answer["Item"]} if "Item" in answer else {}


def _context() -> LambdaContext:
    context = LambdaContext()
    context._function_name = "function"
    context._memory_limit_in_mb = 512
    context._invoked_function_arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:function"
    context._aws_request_id = "5e9b5b0e-0000-4000-8000-000000000000"
    return context


@contextmanager
def stage_of(
    story: str, clock: SteadyClock, definition: Document, task: Document | None = None
) -> Iterator[Stage]:
    """Have an account as it is before a story.

    Parameters
    ----------
    story : str
        Its name is the environment's, since all stories share one engine.
    task : mapping, optional
        The flywheel's, as CreateFlywheel takes it; one label a document by default.
    """
    with running_cloud(clock.engine.url), pinned(story, clock), ExitStack() as stack:
        recorder = Recorder()
        stage = Stage(clock, "", definition, recorder)
        # Functions that a function calls, and the task that waits, are played by the story.
        stack.enter_context(answering("lambda", "Invoke", code="", status=200))
        stack.enter_context(answering("stepfunctions", "SendTaskSuccess", code="", status=200))
        stage.arn = _flywheel(story, task or _CLASSIFIER)
        stage.configure()
        clock.advance(1)
        with recorder.listening():
            yield stage


_CLASSIFIER: Document = {
    "LanguageCode": "en",
    "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)},
}


def _flywheel(story: str, task: Document) -> str:
    is_recognizer = "EntityRecognitionConfig" in task
    answer = client("comprehend").create_flywheel(
        FlywheelName=f"{story}-{NAME}-g1",
        DataAccessRoleArn=f"arn:aws:iam::{ACCOUNT}:role/comprehend-data-access",
        DataLakeS3Uri=f"s3://{LAKE}/{NAME}",
        ModelType="ENTITY_RECOGNIZER" if is_recognizer else "DOCUMENT_CLASSIFIER",
        TaskConfig=cast(Any, task),
    )
    return answer["FlywheelArn"]
