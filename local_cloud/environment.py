"""The whole product on this machine: synthesized template, real functions, real training.

Decides the order: synthesize, start the engine, start the cloud, deploy. It runs the template that
`cdk deploy` would deploy and the asset that Lambda would get. Knows neither ledger nor policy. Read
next: `local_cloud.cloud` and `comprehend_engine.engine`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from comprehend_engine.engine import Engine, EngineSettings, Quotas
from local_cloud.cloud import Cloud, CloudSettings

_ROOT = Path(__file__).resolve().parent.parent
_WAIT_SCALE = 0.125
_PACE_SECONDS = 0.2


class SynthesisError(Exception):
    """The stack could not be synthesized; the message is the output of `app.py`."""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """The settings of a local environment.

    Parameters
    ----------
    name : str
        The environment, one of the files in `environments_folder`.
    environments_folder : Path
    port : int
        Port of the cloud; 0 chooses a free one.
    service_min_per_label : int
        Fewest documents per label that the engine accepts; lower than the service's 10 or 50, so
        that small data can be tried.
    wait_scale : float
        Factor of the waits in the template.
    """

    name: str = "local"
    environments_folder: Path = _ROOT / "environments"
    port: int = 0
    service_min_per_label: int = 1
    wait_scale: float = _WAIT_SCALE


class LocalEnvironment:
    """The engine and the cloud, started, with the stack deployed; a context manager.

    Parameters
    ----------
    settings : LocalSettings
    report : callable
        Called with a line of text when a step begins.
    """

    def __init__(
        self, settings: LocalSettings, report: Callable[[str], None] = lambda line: None
    ) -> None:
        self.settings = settings
        self._report = report
        self._folder: Path | None = None
        self._engine: Engine | None = None
        self._cloud: Cloud | None = None
        self.outputs: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def cloud(self) -> Cloud:
        """The cloud, while it runs."""
        if self._cloud is None:
            raise RuntimeError("the local environment is not started")
        return self._cloud

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that make AWS SDKs use this environment."""
        return self.cloud.environment()

    def client(self, service: str) -> Any:
        """Return a boto3 client of the operator."""
        return self.cloud.client(service)

    def _start(self) -> None:
        self._folder = folder = Path(tempfile.mkdtemp(prefix="flywheel-local-"))
        self._report("Synthesizing the stack")
        synthesize(self.settings.name, folder / "cdk.out", self.settings.environments_folder)
        self._report("Starting the Comprehend engine and the cloud")
        self._engine = Engine(
            EngineSettings(
                data_directory=folder / "engine",
                pace_seconds=_PACE_SECONDS,
                quotas=_quotas(self.settings.service_min_per_label),
            ),
            # The engine starts before the cloud, in which it reads S3 and checks permissions.
            s3_client_for_role=lambda arn: self.cloud.s3_client_for_role(arn),  # noqa: PLW0108 - the cloud is not there yet
            refusal=lambda key, operation, request: self.cloud.refusal(
                key, "comprehend", operation, request
            ),
            authentication=lambda *request: self.cloud.signature_fault(*request),  # noqa: PLW0108 - as above
        )
        self._engine.start()
        self._cloud = Cloud(
            CloudSettings(
                port=self.settings.port,
                comprehend_url=self._engine.url,
                wait_scale=self.settings.wait_scale,
                data_directory=folder / "cloud",
            )
        )
        self._cloud.start()
        self._report("Deploying the stack")
        self.outputs = self._cloud.deploy(folder / "cdk.out")

    def _stop(self) -> None:
        if self._cloud is not None:
            self._cloud.stop()
        if self._engine is not None:
            self._engine.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._cloud = self._engine = self._folder = None


def _quotas(least: int) -> Quotas:
    """Return quotas that let every minimum be the environment's, so that a few rows train."""
    return Quotas(
        min_documents_per_label=least,
        min_multi_label_documents=least,
        min_annotations_per_type=least,
        min_list_matches_per_type=least,
        min_entity_documents=least,
    )


def synthesize(environment: str, output: Path, environments_folder: Path) -> None:
    """Write the cloud assembly of an environment, as `cdk synth` does.

    Raises
    ------
    SynthesisError
        The message is the output of `app.py`; the author of the environment's file repairs it.
    """
    context = {"env": environment, "environments": str(environments_folder)}
    variables = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(output),
        # `make check` validates the template; here that would only cost seconds.
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    }
    done = subprocess.run(
        [sys.executable, str(_ROOT / "app.py")],
        cwd=_ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SynthesisError(done.stderr.strip())
