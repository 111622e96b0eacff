"""One environment: its flywheels, when a batch starts, what promotes, who gets notices.

Decides the keys and their defaults, which are the cautious ones (production's). Synth, functions
and command all check settings here alone. Read next: `flywheel.settings.environment_file`
(how a file becomes these), `flywheel.settings.policy` (what promotes),
`flywheel.settings.data_format` (labels and columns), `flywheel.settings.problems` (the messages
when something is wrong).
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from flywheel.errors import SettingsError
from flywheel.settings.data_format import (
    ENTITY_DOCUMENT_BYTES,
    LANGUAGES,
    MAX_ROW_BYTES,
    CsvLayout,
    DataFormat,
    EntitySource,
    EntityTypes,
    LabelDelimiter,
    Labels,
    Language,
    Mode,
    Task,
    described_task,
    require_multi_label,
)
from flywheel.settings.policy import Fraction, Policy, Section
from flywheel.settings.problems import known_only, problems

_MAX_NAME_CHARACTERS = 40
"""Leaves room for ``<environment>-`` and ``-g<generation>`` in the service's 63 characters."""

MAX_ITERATION_LOOKS = 1800
"""One look takes 13 of the 25,000 events that an execution's history may have.

*Source*: Step Functions guide, service quotas.
"""

PLAIN_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
"""Names of environments and flywheels: lower-case letters, digits, single hyphens."""

_LABELS_SHOWN = 20
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


class BatchRules(Section):
    """When staged uploads become a batch, and which rows are accepted.

    ``service_*`` keys are the service's quotas; sources and accounts differ, so they are settings.
    """

    model_config = ConfigDict(strict=True)

    quiet_seconds: int = Field(default=900, ge=1, le=3600)
    max_gather_minutes: int = Field(default=60, ge=1, le=1440)
    min_documents: int = Field(default=200, ge=1)
    max_age_hours: int = Field(default=168, ge=1)
    pair_timeout_hours: int = Field(default=24, ge=1)
    min_hours_between_iterations: int = Field(default=24, ge=0)
    iteration_deadline_hours: int = Field(default=24, ge=1, le=72)
    poll_seconds: int = Field(default=60, ge=1, le=900)
    bad_rows: Literal["leave_out", "refuse"] = "leave_out"
    max_bad_rows: int = Field(default=50, ge=0)
    max_bad_rows_fraction: Fraction = 0.01
    service_min_per_label: int = Field(default=10, ge=1)
    service_max_documents: int = Field(default=1_000_000, ge=1)
    service_max_bytes: int = Field(default=5_000_000_000, ge=1)
    service_max_file_bytes: int = Field(default=10_000_000, ge=1000)
    service_max_entity_document_bytes: int = Field(
        default=ENTITY_DOCUMENT_BYTES, ge=1, le=MAX_ROW_BYTES
    )
    service_train_datasets: int = Field(default=50, ge=1)
    service_test_datasets: int = Field(default=10, ge=1)

    @property
    def iteration_looks(self) -> int:
        """How many looks, `poll_seconds` apart, the deadline of an iteration allows."""
        return max(1, self.iteration_deadline_hours * 3600 // self.poll_seconds)

    def require_fitting(self) -> None:
        """Refuse waits that no execution of the workflow could keep.

        Raises
        ------
        ValueError
            Naming both keys and what is allowed.
        """
        if self.quiet_seconds > self.max_gather_minutes * 60:
            raise ValueError(
                f"quiet_seconds = {self.quiet_seconds} is longer than max_gather_minutes = "
                f"{self.max_gather_minutes}: at most {self.max_gather_minutes * 60} seconds"
            )
        if self.iteration_looks > MAX_ITERATION_LOOKS:
            fewest = math.ceil(self.iteration_deadline_hours * 3600 / MAX_ITERATION_LOOKS)
            most = self.poll_seconds * MAX_ITERATION_LOOKS // 3600
            shorter = f", or iteration_deadline_hours of at most {most}" if most else ""
            raise ValueError(
                f"iteration_deadline_hours = {self.iteration_deadline_hours} with poll_seconds = "
                f"{self.poll_seconds} makes {self.iteration_looks:,} looks, and a workflow has "
                f"room for {MAX_ITERATION_LOOKS:,}: poll_seconds of at least {fewest}{shorter}"
            )


class Notifications(Section):
    """Who gets notices, and how upload notices are gathered into one."""

    emails: tuple[str, ...] = ()
    slack_webhook_secret: str | None = Field(default=None, min_length=1)
    notice_window_seconds: int = Field(default=300, ge=1, le=900, strict=True)

    @field_validator("emails")
    @classmethod
    def _are_addresses(cls, emails: tuple[str, ...]) -> tuple[str, ...]:
        for email in emails:
            if not _EMAIL.fullmatch(email):
                raise ValueError(f"{email!r} is not an e-mail address")
        return emails

    @field_validator("slack_webhook_secret")
    @classmethod
    def _is_a_name(cls, secret: str | None) -> str | None:
        if secret is not None and "://" in secret:
            raise ValueError(
                "give the NAME of the Secrets Manager secret that holds the webhook, not the URL"
            )
        return secret


class VerdictsSettings(Section):
    """How long S3 Object Lock protects the record of verdicts from deletion.

    Parameters
    ----------
    object_lock_days : int, optional
        How long nobody can delete or overwrite new objects; not at all by default.
    object_lock_mode : {"GOVERNANCE", "COMPLIANCE"}
        Whether somebody with ``s3:BypassGovernanceRetention`` may, or nobody at all.
    """

    object_lock_days: int | None = Field(default=None, ge=1, le=36_500, strict=True)
    object_lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"

    @model_validator(mode="after")
    def _locks_for_a_time(self) -> Self:
        if self.object_lock_days is None and "object_lock_mode" in self.model_fields_set:
            raise ValueError("object_lock_mode goes with object_lock_days")
        return self


class ReceivedSettings(Section):
    """A flywheel's settings as the functions receive them (`FlywheelSettings.for_functions`).

    What belongs to the whole was checked at synth. During a deploy a function may be sent the
    settings of another release.
    """

    name: str
    task: Task | None = None
    mode: Mode | None = None
    language: Language | None = None
    labels: Labels | None = None
    label_delimiter: LabelDelimiter = "|"
    label_attribute: str | None = Field(default=None, min_length=1, max_length=63)
    entity_types: EntityTypes | None = None
    entities_from: EntitySource = "annotations"
    csv: CsvLayout = CsvLayout()
    adopt: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:comprehend:[a-z0-9-]+:\d{12}:flywheel/[A-Za-z0-9-]+$",
    )
    data_access_role_arn: str | None = Field(
        default=None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$"
    )
    batch: BatchRules = BatchRules()
    policy: Policy = Policy()

    @field_validator("name")
    @classmethod
    def _is_short_and_plain(cls, name: str) -> str:
        if not PLAIN_NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARACTERS:
            raise ValueError(
                f"a flywheel's name has lower-case letters, digits and single hyphens, "
                f"at most {_MAX_NAME_CHARACTERS}"
            )
        return name

    @model_validator(mode="after")
    def _has_what_its_task_needs(self) -> Self:
        if self.task == "entities":
            given = [key for key in ("mode", "labels") if getattr(self, key) is not None]
            if given:
                raise ValueError(
                    f'{", ".join(given)}: for task = "classification"; task = "entities" has '
                    "entity_types"
                )
        elif self.entity_types is not None:
            raise ValueError('entity_types goes with task = "entities"')
        if self.mode == "multi-label":
            require_multi_label(self.labels or (), self.label_delimiter)
        return self

    def shape(self, task_config: Mapping[str, Any] | None = None) -> DataFormat:
        """Return what the flywheel's rows are.

        Parameters
        ----------
        task_config : mapping, optional
            TaskConfig of DescribeFlywheel; it alone knows task and mode of an adopted flywheel.
        """
        task, mode = self.task or "classification", self.mode or "multi-class"
        if self.task is None and task_config is not None:
            task, mode = described_task(task_config)
        return DataFormat(
            task=task,
            mode=mode,
            delimiter=self.label_delimiter,
            entities_from=self.entities_from,
            csv=self.csv,
            label_attribute=self.label_attribute,
            entity_document_bytes=self.batch.service_max_entity_document_bytes,
        )

    @model_validator(mode="after")
    def _policy_names_its_labels(self) -> Self:
        known = self.labels or self.entity_types or ()
        unknown = sorted(self.policy.labels_named() - {*known}) if known else []
        if unknown:
            key = "critical_labels" if unknown[0] in self.policy.critical_labels else "rules"
            more = " ..." if len(known) > _LABELS_SHOWN else ""
            raise ValueError(
                f"policy ({key}) names {', '.join(map(repr, unknown))}; the flywheel's labels: "
                f"{', '.join(known[:_LABELS_SHOWN])}{more}"
            )
        return self

    @model_validator(mode="after")
    def _policy_asks_what_is_measured(self) -> Self:
        metrics = {rule.metric for rule in self.policy.rules}
        if self.task == "entities" and "AverageAccuracy" in metrics:
            raise ValueError(
                'policy.rules: metric = "AverageAccuracy" is not measured of a recognizer; use '
                "AverageF1Score, AveragePrecision or AverageRecall"
            )
        return self

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the settings that a document holds; keys of another release are left out.

        Parameters
        ----------
        document : mapping
            What `FlywheelSettings.for_functions` wrote, from JSON.

        Raises
        ------
        SettingsError
            With one line per problem. Whoever deploys repairs it.
        """
        try:
            return cls.model_validate(known_only(cls, document))
        except ValidationError as error:
            file = f"settings of {document.get('name', 'a flywheel without a name')}"
            raise SettingsError(file, problems(error, cls, otherwise={})) from None


class FlywheelSettings(ReceivedSettings):
    """A flywheel of an environment's file: a new one (task, mode, language, labels) or its ARN."""

    @field_validator("batch")
    @classmethod
    def _fits_the_workflow(cls, batch: BatchRules) -> BatchRules:
        batch.require_fitting()
        return batch

    @model_validator(mode="after")
    def _is_new_or_adopted(self) -> Self:
        of_task = ("entity_types",) if self.task == "entities" else ("mode", "labels")
        new = {key: getattr(self, key) for key in ("task", "language", *of_task)}
        if self.adopt is not None:
            given = [key for key, value in new.items() if value is not None]
            if given:
                raise ValueError(
                    f"`adopt` takes {', '.join(given)} from the existing flywheel: leave them out"
                )
            if self.data_access_role_arn is None:
                raise ValueError(
                    "`adopt` needs `data_access_role_arn`, the role that the flywheel uses"
                )
            return self
        missing = [key for key, value in new.items() if value is None]
        if missing:
            raise ValueError(
                f'missing {", ".join(missing)}: a new flywheel needs task = "classification", '
                f'mode = "multi-class" or "multi-label", language (one of {", ".join(LANGUAGES)}) '
                'and labels (or labels_file); or task = "entities", language and entity_types; '
                "an existing one needs adopt and data_access_role_arn"
            )
        if self.data_access_role_arn is not None:
            raise ValueError(
                "`data_access_role_arn` goes with `adopt`; a new flywheel gets its own role"
            )
        return self

    def for_functions(self) -> str:
        """Return what the functions need, as JSON: everything but the labels or entity types.

        Labels are read from DescribeFlywheel, which is right for adopted flywheels too and has no
        limit of 8 KB.
        """
        return self.model_dump_json(exclude={"labels", "entity_types"}, exclude_none=True)


class ReportSettings(Section):
    """What report pages may show.

    Parameters
    ----------
    excerpts : bool, optional
        Whether `flywheel report --excerpts` may show the beginnings of test documents; by default
        everywhere but in an environment named prod.
    """

    excerpts: bool | None = Field(default=None, strict=True)


class Environment(Section):
    """The contents of one environment's file."""

    name: str
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    keep_data: bool = Field(default=True, strict=True)
    notifications: Notifications = Notifications()
    verdicts: VerdictsSettings = VerdictsSettings()
    report: ReportSettings = ReportSettings()
    flywheels: tuple[FlywheelSettings, ...]

    @property
    def shows_excerpts(self) -> bool:
        """Whether report pages may show beginnings of documents."""
        allowed = self.report.excerpts
        return self.name != "prod" if allowed is None else allowed
