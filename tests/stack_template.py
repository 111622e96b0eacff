"""The deployed stack's template, so that tests need not copy what it says; synthesized once.

In a process of its own: CDK talks to one node process, which forked workers would share.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_ENVIRONMENT = "local"
_SECONDS = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600}


@cache
def resources(kind: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the properties of all resources of a type, by their constructs' ids joined."""
    return {
        name[:-8]: resource.get("Properties", {})
        for name, resource in _template()["Resources"].items()
        if resource["Type"] == kind
    }


@cache
def function_timeouts() -> Mapping[str, int]:
    """Return how many seconds each function may run, by its construct id."""
    functions = resources("AWS::Lambda::Function")
    return {name: function["Timeout"] for name, function in functions.items()}


@cache
def schedule_seconds(name: str) -> int:
    """Return how often a rule runs."""
    rate = resources("AWS::Events::Rule")[name]["ScheduleExpression"]
    number, unit = rate.removeprefix("rate(").removesuffix(")").split()
    return int(number) * _SECONDS[unit]


@cache
def _template() -> Mapping[str, Any]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_synthesize).result()


def _synthesize() -> Mapping[str, Any]:
    os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
    os.environ["CDK_VALIDATION"] = "false"
    import aws_cdk as cdk  # noqa: PLC0415 - starts node

    from app import read_environment  # noqa: PLC0415 - imports aws_cdk
    from tests.infra.synthesis import synthesize  # noqa: PLC0415 - imports aws_cdk

    environment = read_environment(cdk.App(context={"env": _ENVIRONMENT}))
    with TemporaryDirectory() as folder:
        return synthesize(environment, Path(folder)).template
