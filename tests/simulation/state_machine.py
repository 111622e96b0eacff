"""An interpreter of the states that the iteration workflow uses, on the simulated agenda.

What it runs is the rendered template's own definition (the golden file), so the simulation and the
workflow cannot drift apart. Knows the language and no function; whoever runs it brings the tasks.

Notes
-----
*Source*: Amazon States Language specification, and the Step Functions guide on intrinsic functions
and error handling. Map runs its items one after the other.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flywheel.errors import FlywheelLoopError
from tests.simulation.memory.channels import MemoryTokens
from tests.simulation.simulator import KilledError, Simulator

Document = dict[str, Any]
Task = Callable[[Document], Document]

UNKNOWN_ERROR = "functions fail with errors of ours"
"""The invariant that breaks where a function raises what the workflow has no name for."""

_GOLDEN = Path(__file__).parents[1] / "infra" / "iteration_workflow.golden.json"
_FUNCTION = re.compile(r"\$\{(\w+)\.Arn\}")
_INTRINSIC = re.compile(r"States\.(\w+)\((.*)\)")
_STEP = re.compile(r"[^.\[\]]+")
"""One name of a reference path, or a place in a list."""

_MISSING = object()
_WAITS = ".waitForTaskToken"
_LOOKS_EVERY_SECONDS = 60


class StateFailedError(Exception):
    """A state ended with an error.

    Parameters
    ----------
    name, cause : str
    """

    def __init__(self, name: str, cause: str) -> None:
        self.name = name
        self.cause = cause
        super().__init__(f"{name}: {cause}")


def definition() -> Document:
    """Return the iteration workflow as it is deployed."""
    read: Document = json.loads(_GOLDEN.read_text(encoding="utf-8"))
    return read


@dataclass(frozen=True, slots=True)
class StateMachine:
    """Runs executions.

    Parameters
    ----------
    simulator : Simulator
    tasks : mapping of str to callable
        By function name, or by the end of an integration's ARN.
    context : mapping
        The context object.
    """

    simulator: Simulator
    tasks: Mapping[str, Task]
    context: Mapping[str, Any]
    tokens: MemoryTokens = field(default_factory=MemoryTokens)

    def run(self, machine: Document, document: Document) -> Document:
        """Run states from the first to an end and return the last output.

        Raises
        ------
        StateFailedError
            A Fail state was reached, or an error that nothing caught.
        """
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            kind = state["Type"]
            if kind == "Fail":
                raise self._failure(state, document)
            if kind == "Choice":
                name = self._chosen(state, document)
                continue
            document, caught = self._done(state, document)
            if kind == "Succeed" or (caught is None and state.get("End")):
                return document
            name = caught or state["Next"]

    def _done(self, state: Document, document: Document) -> tuple[Document, str | None]:
        """Carry out one state; returns its output and where a Catch leads, if one does."""
        try:
            result = self._result(state, document)
        except StateFailedError as error:
            for rule in state.get("Catch", []):
                if _matches(rule, error.name):
                    output = {"Error": error.name, "Cause": error.cause}
                    return _placed(document, rule.get("ResultPath", "$"), output), rule["Next"]
            raise
        return _placed(document, state.get("ResultPath", "$"), result), None

    def _result(self, state: Document, document: Document) -> Any:
        match state["Type"]:
            case "Wait":
                self.simulator.agenda.pause(self._path(state["SecondsPath"], document))
                return document
            case "Pass":
                if "Result" in state:
                    return state["Result"]
                return self._filled(state.get("Parameters", document), document)
            case "Task":
                return self._task(state, document)
            case "Map":
                return self._mapped(state, document)
        return document

    def _task(self, state: Document, document: Document) -> Any:
        tries: dict[int, int] = {}
        while True:
            try:
                if state["Resource"].endswith(_WAITS):
                    answer = self._answered(state, document)
                else:
                    given = self._filled(state["Parameters"], document)
                    answer = self._called(state["Resource"], given)
                break
            except StateFailedError as error:
                self._wait_for_retry(state, error, tries)
        selector = state.get("ResultSelector")
        return answer if selector is None else self._filled(selector, answer)

    def _answered(self, state: Document, document: Document) -> Document:
        """Call a task with a token of its own, and wait until somebody answers."""
        token = self.tokens.begin()
        within = replace(self, context={**self.context, "Task": {"Token": token}})
        left = within._path(state["TimeoutSecondsPath"], document)
        try:
            self._called(state["Resource"], within._filled(state["Parameters"], document))
            while self.tokens.waiting[token] is None and left > 0:
                self.simulator.agenda.pause(min(left, _LOOKS_EVERY_SECONDS))
                left -= _LOOKS_EVERY_SECONDS
        finally:
            answer = self.tokens.end(token)
        if answer is None:
            raise StateFailedError("States.Timeout", "nobody answered")
        result: Document = json.loads(answer)
        return result

    def _wait_for_retry(
        self, state: Document, error: StateFailedError, tries: dict[int, int]
    ) -> None:
        """Let the time before the next try pass; raises the error where there is none."""
        rules = state.get("Retry", [])
        for number, rule in enumerate(rules):
            if not _matches(rule, error.name):
                continue
            made = tries[number] = tries.get(number, 0) + 1
            if made > rule["MaxAttempts"]:
                break
            seconds = rule["IntervalSeconds"] * rule["BackoffRate"] ** (made - 1)
            self.simulator.agenda.pause(min(seconds, rule.get("MaxDelaySeconds", seconds)))
            return
        raise error

    def _called(self, resource: str, given: Document) -> Document:
        """Call a task once; everything that goes wrong has the name that Step Functions gives."""
        function = _FUNCTION.fullmatch(resource)
        name = function[1] if function else resource.split(":::", 1)[1]
        service = (
            "Lambda" if function else name.split(":")[-2].title().replace("Dynamodb", "DynamoDB")
        )
        simulator = self.simulator
        if simulator.happens(simulator.rates.throttle):
            raise StateFailedError(f"{service}.TooManyRequestsException", "throttled")
        try:
            answer = self.tasks[name](given)
        except StateFailedError:
            raise
        except KilledError as error:
            raise StateFailedError("Lambda.Unknown", str(error)) from error
        except FlywheelLoopError as error:
            raise StateFailedError(type(error).__name__, str(error)) from error
        except Exception as error:
            simulator.breaks(UNKNOWN_ERROR, f"{name}: {error!r}")
            raise StateFailedError(type(error).__name__, str(error)) from error
        if simulator.happens(simulator.rates.lost_reply):
            raise StateFailedError(f"{service}.SdkClientException", "reply lost")
        result: Document = json.loads(json.dumps(answer))
        return result

    def _mapped(self, state: Document, document: Document) -> list[Document]:
        results = []
        for item in self._path(state["ItemsPath"], document):
            context = {**self.context, "Map": {"Item": {"Value": item}}}
            within = replace(self, context=context)
            given = within._filled(state["ItemSelector"], document)
            results.append(within.run(state["ItemProcessor"], given))
        return results

    def _chosen(self, state: Document, document: Document) -> str:
        for choice in state["Choices"]:
            if self._holds(choice, document):
                return str(choice["Next"])
        return str(state["Default"])

    def _holds(self, rule: Document, document: Document) -> bool:
        if "And" in rule:
            return all(self._holds(inner, document) for inner in rule["And"])
        if "Or" in rule:
            return any(self._holds(inner, document) for inner in rule["Or"])
        value = self._path(rule["Variable"], document, default=_MISSING)
        (comparison, wanted), *more = (
            item for item in rule.items() if item[0] not in {"Variable", "Next"}
        )
        if more:
            raise NotImplementedError(f"a choice rule of several comparisons: {rule}")
        return self._compares(comparison, value, wanted, document)

    def _compares(self, comparison: str, value: Any, wanted: Any, document: Document) -> bool:
        match comparison:
            case "IsPresent":
                return (value is not _MISSING) is wanted
            case "IsNull":
                return (value is None) is wanted
            case "StringEquals" | "BooleanEquals":
                return bool(value == wanted)
            case "StringEqualsPath":
                return bool(value == self._path(wanted, document))
            case "NumericLessThanEquals":
                return bool(value <= wanted)
        raise NotImplementedError(comparison)

    def _failure(self, state: Document, document: Document) -> StateFailedError:
        name = state.get("Error") or self._path(state["ErrorPath"], document)
        cause = state.get("Cause") or self._path(state["CausePath"], document)
        return StateFailedError(str(name), str(cause))

    def _filled(self, template: Any, document: Document) -> Any:
        """Return a payload template with what its paths point at."""
        if not isinstance(template, dict):
            return template
        return {
            name.removesuffix(".$"): self._value(given, document)
            if name.endswith(".$")
            else self._filled(given, document)
            for name, given in template.items()
        }

    def _value(self, words: str, document: Document) -> Any:
        intrinsic = _INTRINSIC.fullmatch(words)
        if intrinsic is None:
            return self._path(words, document)
        name, arguments = intrinsic[1], [part.strip() for part in intrinsic[2].split(",")]
        first, second = arguments
        match name:
            case "MathAdd":
                return self._path(first, document) + int(second)
            case "Format":
                return first.strip("'").replace("{}", str(self._path(second, document)))
        raise NotImplementedError(words)

    def _path(self, path: str, document: Document, default: Any = None) -> Any:
        """Return what a reference path points at; without a default it must point at something."""
        root, *names = _STEP.findall(path)
        value: Any = self.context if root == "$$" else document
        for name in names:
            place: Any = name
            if name.isdigit() and isinstance(value, list) and int(name) < len(value):
                place = int(name)
            elif not isinstance(value, Mapping) or name not in value:
                if default is None:
                    raise StateFailedError("States.Runtime", f"{path} points at nothing")
                return default
            value = value[place]
        return value


def _matches(rule: Document, name: str) -> bool:
    if name == "States.Runtime":
        return False
    return any(wanted in {name, "States.ALL"} for wanted in rule["ErrorEquals"])


def _placed(document: Document, path: str | None, result: Any) -> Document:
    """Return a state's output: its input with the result where the path says."""
    if path is None:
        return document
    if path == "$":
        return dict(result)
    root, name = path.split(".")
    if root != "$":
        raise NotImplementedError(path)
    return {**document, name: result}
