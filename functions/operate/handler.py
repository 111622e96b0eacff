"""Operate: what people command, in one place, so that functions alone write the ledger.

Whoever invokes it needs no permission of the ledger, of Comprehend or of the workflow. Read next:
`application.commands.payloads` (the commands) and `application.commands.carry_out` (what each
does).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.parser import Field, ValidationError, parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.caller_identity import actor_of
from adapters.wiring import services
from application.commands.carry_out import carry_out
from application.commands.payloads import OperatorCommand
from application.error_handling import answer_refusals, quoting_no_document
from flywheel.actors import PROOF
from flywheel.errors import (
    ActRefusedError,
    BatchNotFoundError,
    ConcurrentChangeError,
    InvalidCommandError,
    UnprovenIdentityError,
)

logger = Logger()
tracer = Tracer()

_COMMAND: Any = Annotated[OperatorCommand, Field(discriminator="act")]


@logger.inject_lambda_context(log_event=False, clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@answer_refusals(
    ActRefusedError,
    BatchNotFoundError,
    ConcurrentChangeError,
    InvalidCommandError,
    UnprovenIdentityError,
)
def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Carry out one command; a refusal is an answer, as ``refused`` with its ``error``."""
    own_services = services("operate")
    command = read_command(event)
    logger.set_correlation_id(f"{command.flywheel}-{command.act}")
    actor = actor_of(event, context.invoked_function_arn, own_services.now())
    with quoting_no_document():
        answer = carry_out(replace(own_services, actor=actor), command)
    logger.info("command carried out", extra={"actor": actor})
    return answer


def read_command(event: Mapping[str, Any]) -> OperatorCommand:
    """Return the command of a payload, without who sends it.

    Raises
    ------
    InvalidCommandError
        It is none; the message names each field that is wrong.
    """
    fields = {name: value for name, value in event.items() if name not in {"actor", PROOF}}
    try:
        # From JSON, which has no types but these: an array is a tuple, a text a kind.
        command: OperatorCommand = parse(json.dumps(fields), _COMMAND)  # type: ignore[call-overload] # JSON too
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise InvalidCommandError("; ".join(problems)) from None
    return command
