"""The functions of the small stack that the local cloud's tests deploy."""

import json
import os
import sys
import time
from typing import Any

import boto3

import flywheel


class RefusedByHandler(Exception):
    """An error that the workflow catches by its class name."""


def start(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start the workflow for each object that the queue's messages name."""
    states = boto3.client("stepfunctions")
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    failures = []
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        key = detail["object"]["key"]
        table.update_item(
            Key={"id": key},
            UpdateExpression="ADD deliveries :one",
            ExpressionAttributeValues={":one": 1},
        )
        if "poison" in key:
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        document = {"key": key, "version": detail["object"].get("version-id", "")}
        states.start_execution(
            stateMachineArn=os.environ["MACHINE"],
            name=record["messageId"],
            input=json.dumps(document),
        )
    return {"batchItemFailures": failures}


def judge(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Accept a key, or fail by class name."""
    if "refused" in event["key"]:
        raise RefusedByHandler(f"{event['key']} is refused")
    return {"verdict": "ACCEPTED"}


def probe(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Perform the test's request and describe this environment."""
    if event.get("print"):
        sys.stdout.write(f"{event['print']}\n")
    if event.get("sleep_seconds"):
        time.sleep(event["sleep_seconds"])
    if event.get("exit"):
        os._exit(event["exit"])
    if event.get("fail"):
        raise RefusedByHandler("asked to fail")
    if event.get("import"):
        __import__(event["import"])
    call = event.get("call")
    if call:
        getattr(boto3.client(call["service"]), call["method"])(**call["arguments"])
    return {
        "variables": dict(os.environ),
        "path": sys.path,
        "flywheel": flywheel.__file__,
        "request_id": context.aws_request_id,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "pid": os.getpid(),
    }
