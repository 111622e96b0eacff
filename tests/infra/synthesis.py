"""Synthesize an environment in process, and look things up in what came out."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment
from infra.stack import FlywheelLoopStack

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
_HASH = re.compile(r"[0-9A-F]{8}$")


@dataclass(frozen=True, slots=True)
class Synthesized:
    """One environment's cloud assembly."""

    folder: Path
    template_file: Path
    template: Mapping[str, Any]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resources of a type, by their logical ids."""
        return {
            name: resource
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of a type, by their logical ids."""
        return {name: item.get("Properties", {}) for name, item in self.resources(kind).items()}

    def function(self, construct_id: str) -> dict[str, Any]:
        """Return the properties of a function by its construct id."""
        functions = self.properties("AWS::Lambda::Function")
        return next(item for name, item in functions.items() if plain(name) == construct_id)

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give every statement of a role's policies, with the role's logical id."""
        for policy in self.properties("AWS::IAM::Policy").values():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield from ((role["Ref"], statement) for role in policy["Roles"])
        for name, role in self.properties("AWS::IAM::Role").items():
            for policy in role.get("Policies", ()):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement

    def workflow(self) -> dict[str, Any]:
        """Return the rendered workflow, with ``${Name}`` where the template refers to others."""
        (machine,) = self.properties("AWS::StepFunctions::StateMachine").values()
        definition: dict[str, Any] = json.loads(joined(machine["DefinitionString"]))
        return definition

    def states(self) -> dict[str, dict[str, Any]]:
        """Return all states of the workflow, those within maps too."""
        return dict(_states(self.workflow()))


def plain(logical_id: str) -> str:
    """Return a logical id without the hash at its end."""
    return _HASH.sub("", logical_id)


def joined(value: Any) -> str:
    """Return a string of the template, with ``${Name}`` for what is known only when deployed."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(joined(part) for part in argument[1])
    if function == "Ref":
        return "${" + plain(argument) + "}"
    if function == "Fn::GetAtt":
        return "${" + f"{plain(argument[0])}.{argument[1]}" + "}"
    return "${" + json.dumps(value) + "}"


def listed(value: Any) -> list[Any]:
    """Return a policy's action or resource as a list."""
    return value if isinstance(value, list) else [value]


def environment_of(text: str, name: str = "team") -> Environment:
    """Return the environment that a text describes."""
    return parse_environment(f"{name}.toml", lambda _: text)


def synthesize(environment: Environment, folder: Path) -> Synthesized:
    """Write an environment's cloud assembly to a folder."""
    app = cdk.App(outdir=str(folder))
    name = f"flywheel-loop-{environment.name}"
    FlywheelLoopStack(
        app,
        name,
        environment=environment,
        asset_folder=FUNCTIONS,
        env=cdk.Environment(account=environment.account, region=environment.region),
    )
    app.synth()
    file = folder / f"{name}.template.json"
    return Synthesized(folder, file, json.loads(file.read_text("utf-8")))


def _states(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _states(state[key])
