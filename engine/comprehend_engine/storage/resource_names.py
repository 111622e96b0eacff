"""Names of resources: ARNs, iteration ids, prefixes in the data lake.

Decides spelling only. Knows no state. Read next: `comprehend_engine.storage.records`.

Notes
-----
*Source*: botocore's Comprehend model (patterns of the ARNs); AWS CLI examples of describe-flywheel,
list-datasets and describe-flywheel-iteration (forms of the data lake's prefixes and of the ids).
"""

import secrets
from datetime import UTC, datetime

from comprehend_engine.settings import EngineSettings
from comprehend_engine.tasks import ENTITIES, MULTI_CLASS


def stamp(moment: float) -> str:
    """Format a moment as the service does in ids and prefixes, to the second, in UTC.

    Parameters
    ----------
    moment : float
        Epoch seconds.

    Examples
    --------
    >>> stamp(1687147232.594)
    '20230619T040032Z'
    """
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%SZ")


def flywheel_arn(settings: EngineSettings, name: str) -> str:
    """Return a flywheel's ARN."""
    return f"arn:aws:comprehend:{settings.region}:{settings.account_id}:flywheel/{name}"


def endpoint_arn(settings: EngineSettings, name: str, model_arn: str) -> str:
    """Return the ARN of an endpoint; it differs between classifiers and recognizers."""
    kind = model_arn.rpartition(":")[2].partition("/")[0]
    return f"arn:aws:comprehend:{settings.region}:{settings.account_id}:{kind}-endpoint/{name}"


def job_arn(settings: EngineSettings, kind: str, job_id: str) -> str:
    """Return the ARN of a job; `kind` is such as ``document-classification-job``."""
    return f"arn:aws:comprehend:{settings.region}:{settings.account_id}:{kind}/{job_id}"


def dataset_arn(flywheel: str, name: str) -> str:
    """Return a dataset's ARN; `flywheel` is its flywheel's ARN."""
    return f"{flywheel}/dataset/{name}"


def iteration_key(flywheel: str, iteration_id: str) -> str:
    """Return the key of an iteration, which has no ARN in the service."""
    return f"{flywheel}/iteration/{iteration_id}"


def new_model_arn(settings: EngineSettings, flywheel_name: str, task: str = MULTI_CLASS) -> str:
    """Return the ARN of a new version of a flywheel's model; never the same twice."""
    resource = "entity-recognizer" if task == ENTITIES else "document-classifier"
    version = f"Comprehend-Generated-v1-{secrets.token_hex(4)}"
    return (
        f"arn:aws:comprehend:{settings.region}:{settings.account_id}:"
        f"{resource}/{flywheel_name}/version/{version}"
    )


def name_of(arn: str) -> str:
    """Return the last part of an ARN: a flywheel's or dataset's name, a model's version.

    Examples
    --------
    >>> name_of("arn:aws:comprehend:us-east-1:123456789012:flywheel/tickets")
    'tickets'
    """
    return arn.rsplit("/", 1)[-1]


def model_name(arn: str) -> str:
    """Return the model's name, which the ARNs of all its versions share.

    Examples
    --------
    >>> model_name("arn:aws:comprehend:us-east-1:123456789012:document-classifier/a/version/1")
    'a'
    """
    return name_of(arn.partition("/version/")[0])


def lake_uri(given: str, flywheel_name: str, created: float) -> str:
    """Return the URI of a flywheel's data lake: the given URI and the service's suffix.

    Examples
    --------
    >>> lake_uri("s3://lake/tickets/", "tickets", 1687147232.594)
    's3://lake/tickets/tickets/schemaVersion=1/20230619T040032Z/'
    """
    return f"{given.rstrip('/')}/{flywheel_name}/schemaVersion=1/{stamp(created)}/"


def dataset_uri(lake: str, dataset_name: str, created: float) -> str:
    """Return the prefix of a dataset's documents in the lake."""
    return f"{lake}datasets/{dataset_name}/{stamp(created)}/"


def evaluation_uri(lake: str, iteration_id: str) -> str:
    """Return the prefix of an iteration's evaluation in the lake."""
    return f"{lake}evaluation/{iteration_id}/"
