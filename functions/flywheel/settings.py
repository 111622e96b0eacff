"""One environment: which flywheels there are, when a batch starts, what promotes, who is told.

The only parser of ``environments/*.toml`` and of the settings that the functions receive; synth,
functions and command all use it. It reads no files itself: the caller passes ``read``. Defaults
are the cautious ones (production's); ``environments/dev.toml`` and ``local.toml`` say what they
change. Read next: `flywheel.policy` (what a rule means) and `flywheel.batches` (when one starts).
"""

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from flywheel.errors import SettingsError

METRICS = ("AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy")
"""The four averages of DescribeFlywheelIteration, by their names in the service."""

LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
"""Languages that custom models take (*Source*: developer guide, supported languages)."""

MetricName = Literal["AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy"]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_MAX_NAME_CHARACTERS = 40
"""Leaves room for ``<environment>-`` and ``-g<generation>`` in the service's 63 characters."""

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Section):
    """What one metric must do for a challenger to go live.

    Parameters
    ----------
    metric : str
        One of `METRICS`.
    min : float in [0, 1], optional
        The least value of the challenger.
    min_improvement : float in [0, 1], optional
        The least absolute gain over the champion; a tie never passes.
    """

    model_config = ConfigDict(strict=True)

    metric: MetricName
    min: Fraction | None = None
    min_improvement: Fraction | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.min is None and self.min_improvement is None:
            raise ValueError("a rule needs `min` or `min_improvement` (or both)")
        return self


_DEFAULT_FLOOR = Rule(metric="AverageF1Score", min=0.50)
_DEFAULT_IMPROVEMENT = Rule(metric="AverageF1Score", min_improvement=0.005)


class Policy(_Section):
    """When a challenger becomes the champion.

    A policy without any `min` gets the default floor, one without any `min_improvement` the
    default improvement: no policy promotes a useless first model or a tie.
    """

    mode: Literal["auto"] = "auto"
    rules: tuple[Rule, ...] = (_DEFAULT_FLOOR, _DEFAULT_IMPROVEMENT)

    @field_validator("rules")
    @classmethod
    def _complete(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        bounds = [
            (rule.metric, kind)
            for rule in rules
            for kind in ("min", "min_improvement")
            if getattr(rule, kind) is not None
        ]
        twice = sorted(
            {f"{metric}.{kind}" for metric, kind in bounds if bounds.count((metric, kind)) > 1}
        )
        if twice:
            raise ValueError(f"each bound may be given once; given twice: {', '.join(twice)}")
        if not any(kind == "min" for _, kind in bounds):
            rules = (_DEFAULT_FLOOR, *rules)
        if not any(kind == "min_improvement" for _, kind in bounds):
            rules = (*rules, _DEFAULT_IMPROVEMENT)
        return rules


class BatchRules(_Section):
    """When staged uploads become a batch, and what is let in.

    ``service_*`` keys are the service's quotas; sources and accounts differ, so they are settings.
    """

    model_config = ConfigDict(strict=True)

    quiet_seconds: int = Field(default=900, ge=1, le=3600)
    max_gather_minutes: int = Field(default=60, ge=1, le=1440)
    min_documents: int = Field(default=200, ge=1)
    max_age_hours: int = Field(default=168, ge=1)
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
    service_train_datasets: int = Field(default=50, ge=1)
    service_test_datasets: int = Field(default=10, ge=1)

    @property
    def iteration_looks(self) -> int:
        """How many looks, `poll_seconds` apart, the deadline of an iteration allows."""
        return max(1, self.iteration_deadline_hours * 3600 // self.poll_seconds)


class Notifications(_Section):
    """Who is told, and how upload notices are gathered into one."""

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


class FlywheelSettings(_Section):
    """One flywheel: a new one (task, mode, language, labels) or an adopted one (its ARN)."""

    name: str
    task: Literal["classification"] | None = None
    mode: Literal["multi-class"] | None = None
    language: Literal["en", "es", "fr", "de", "it", "pt"] | None = None
    labels: tuple[str, ...] | None = None
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
        if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARACTERS:
            raise ValueError(
                f"a flywheel's name has lower-case letters, digits and single hyphens, "
                f"at most {_MAX_NAME_CHARACTERS}"
            )
        return name

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is None:
            return None
        if not 2 <= len(labels) <= 1000:  # noqa: PLR2004 - the service's quota of a multi-class model
            raise ValueError(f"2 to 1,000 labels are allowed, {len(labels)} are given")
        for label in labels:
            if not label or label != label.strip() or len(label) > 5000 or not label.isprintable():  # noqa: PLR2004 - the service's quota
                raise ValueError(
                    f"{label[:40]!r}: a label has 1 to 5,000 printable characters and no blank "
                    "at its ends"
                )
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"given twice: {', '.join(twice)}")
        return labels

    @model_validator(mode="after")
    def _is_new_or_adopted(self) -> Self:
        new = {
            "task": self.task,
            "mode": self.mode,
            "language": self.language,
            "labels": self.labels,
        }
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
                f'mode = "multi-class", language (one of {", ".join(LANGUAGES)}) and labels '
                "(or labels_file); an existing one needs adopt and data_access_role_arn"
            )
        if self.data_access_role_arn is not None:
            raise ValueError(
                "`data_access_role_arn` goes with `adopt`; a new flywheel gets its own role"
            )
        return self

    def for_functions(self) -> str:
        """Return what the functions need, as JSON: everything but the labels.

        Labels are read from DescribeFlywheel, which is right for adopted flywheels too and has no
        limit of 8 KB.
        """
        return self.model_dump_json(exclude={"labels"}, exclude_none=True)


class ReceivedSettings(FlywheelSettings):
    """A flywheel's settings as the functions receive them (`FlywheelSettings.for_functions`)."""

    @model_validator(mode="after")
    def _is_new_or_adopted(self) -> Self:
        return self


class Environment(_Section):
    """Everything that one environment's file says."""

    name: str
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    keep_data: bool = Field(default=True, strict=True)
    notifications: Notifications = Notifications()
    flywheels: tuple[FlywheelSettings, ...]


def parse_environment(file: str, read: Callable[[str], str]) -> Environment:
    """Parse an environment's file, with the files that it names.

    Parameters
    ----------
    file : str
        The file's name, e.g. ``dev.toml``; its stem is the environment's name.
    read : callable
        Gives the text of a file by its name relative to the environments' folder; raises OSError.

    Returns
    -------
    Environment

    Raises
    ------
    SettingsError
        With one line a problem: the key and what is allowed. Whoever deploys edits the file.
    """
    document = _load(file, read, seen=())
    name = file.removesuffix(".toml")
    if not _NAME.fullmatch(name) or len(name) > 12:  # noqa: PLR2004 - flywheel names take 63 in all
        raise SettingsError(
            file, ("file name: 1 to 12 lower-case letters, digits and single hyphens",)
        )
    if "name" in document:
        raise SettingsError(file, ("name: leave it out; the file's name is the environment's",))
    flywheels = document.pop("flywheels", None)
    if not isinstance(flywheels, dict) or not flywheels:
        raise SettingsError(file, ("flywheels: at least one table [flywheels.NAME] is needed",))
    defaults = {key: document.pop(key, {}) for key in ("batch", "policy")}
    tables = [_flywheel(file, key, table, defaults, read) for key, table in flywheels.items()]
    try:
        return Environment.model_validate({**document, "name": name, "flywheels": tables})
    except ValidationError as error:
        raise SettingsError(file, _problems(error, tuple(flywheels))) from None


def _load(file: str, read: Callable[[str], str], seen: tuple[str, ...]) -> dict[str, Any]:
    try:
        document = tomllib.loads(read(file))
    except OSError as error:
        raise SettingsError(file, (f"cannot be read: {error.strerror or error}",)) from None
    except ValueError as error:
        raise SettingsError(file, (f"is not TOML: {error}",)) from None
    base: object = document.pop("extends", None)
    if base is None:
        return document
    if not isinstance(base, str) or base in (*seen, file):
        raise SettingsError(file, ("extends: the name of another file, and never in a circle",))
    return _merged(_load(base, read, (*seen, file)), document)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both tables as one; a table within is merged, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def _flywheel(
    file: str, name: str, table: Any, defaults: Mapping[str, Any], read: Callable[[str], str]
) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise SettingsError(file, (f"flywheels.{name}: must be a table [flywheels.{name}]",))
    if "name" in table:
        problem = f"flywheels.{name}.name: leave it out; the table's name is the flywheel's"
        raise SettingsError(file, (problem,))
    merged: dict[str, Any] = {**table, "name": name}
    for section, values in defaults.items():
        own = merged.get(section, {})
        for key, given in ((section, values), (f"flywheels.{name}.{section}", own)):
            if not isinstance(given, dict):
                raise SettingsError(file, (f"{key}: must be a table",))
        merged[section] = _merged(values, own)
    labels_file = merged.pop("labels_file", None)
    if labels_file is not None:
        if "labels" in merged:
            raise SettingsError(file, (f"flywheels.{name}: labels or labels_file, not both",))
        try:
            merged["labels"] = _label_lines(str(labels_file), read)
        except SettingsError as error:
            problem = f"flywheels.{name}.labels_file: {labels_file} {error.problems[0]}"
            raise SettingsError(file, (problem,)) from None
    return merged


def _label_lines(file: str, read: Callable[[str], str]) -> list[str]:
    try:
        lines = read(file).splitlines()
    except OSError as error:
        raise SettingsError(file, (f"cannot be read: {error.strerror or error}",)) from None
    except ValueError as error:
        raise SettingsError(file, (f"is not UTF-8: {error}",)) from None
    return [line.strip() for line in lines if line.strip()]


def _problems(error: ValidationError, flywheels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"{_key(problem['loc'], flywheels)}: {_explained(problem)}" for problem in error.errors()
    )


def _key(location: tuple[int | str, ...], flywheels: tuple[str, ...]) -> str:
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] == "flywheels" and parts[1].isdigit():
        parts[1] = flywheels[int(parts[1])]
    return ".".join(parts)


def _explained(problem: Mapping[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(problem["loc"])
        return f"unknown key; allowed: {', '.join(allowed)}"
    value = problem.get("input")
    given = isinstance(value, str | int | float | bool) and not (
        isinstance(value, float) and math.isnan(value)
    )
    return f"{message} (given: {value!r})" if given else message


_SECTIONS: Mapping[str, type[BaseModel]] = {
    "batch": BatchRules,
    "policy": Policy,
    "notifications": Notifications,
    "rules": Rule,
}


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    for part in reversed(location[:-1]):
        if part in _SECTIONS:
            return sorted(_SECTIONS[str(part)].model_fields)
    if len(location) > 1:
        return sorted({*FlywheelSettings.model_fields, "labels_file"} - {"name"})
    return sorted({*Environment.model_fields, "extends", "batch", "policy"} - {"name"})
