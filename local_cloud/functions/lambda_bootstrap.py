"""The script of a function's process: it prepares the process as Lambda does and runs awslambdaric.

Decides what a function can import: its unpacked asset first, then the interpreter's installed
packages, which stand for the Lambda layer. Must not import any module of this project, and must not
leave the checkout importable. Read next: lambda_environment.py, which starts it.
"""

import os
import sys
import threading
from typing import Any


def end_with_the_parent() -> None:
    """End this process when the parent's end of standard input closes, however the parent ended."""
    os.read(0, 1)
    os._exit(1)


def use_the_asset_alone(task_root: str) -> None:
    """Put the asset first on the path, and hide distributions installed as editable.

    Parameters
    ----------
    task_root : str
        Folder where the asset's zip was unpacked.
    """
    sys.path.insert(0, task_root)
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not getattr(finder, "__module__", "").startswith("__editable__")
    ]


def report_under_the_secret_path(client_type: Any, address: str) -> None:
    """Report a failed start to the runtime API, which is served under a path.

    Parameters
    ----------
    client_type : type
        awslambdaric's client of the runtime API.
    address : str
        The address of the runtime API. awslambdaric uses it unchanged in the calls about events,
        but only host and port in the one that reports a failed start.
    """
    host, _, path = address.partition("/")
    original = client_type.call_rapid

    def call_rapid(client: Any, method: str, endpoint: str, *rest: Any, **named: Any) -> Any:
        client.lambda_runtime_address = host
        return original(client, method, f"/{path}{endpoint}", *rest, **named)

    client_type.call_rapid = call_rapid


if __name__ == "__main__":
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    use_the_asset_alone(os.environ["LAMBDA_TASK_ROOT"])

    from awslambdaric.__main__ import main
    from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient

    report_under_the_secret_path(BaseLambdaRuntimeClient, os.environ["AWS_LAMBDA_RUNTIME_API"])
    main(["bootstrap", os.environ["_HANDLER"]])
