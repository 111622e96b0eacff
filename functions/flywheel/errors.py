"""What can go wrong, as types.

::

    FlywheelLoopError
    ├── SettingsError          the environment's file is wrong    -> who deploys edits it
    ├── MisplacedKeyError      a key outside the flywheels'       -> who uploaded moves the file
    │                          folders
    ├── ServiceBusyError       a throttle or passing error        -> nobody: it is retried
    ├── ServiceRefusedError    AWS refused a call for good        -> the operator
    ├── ConcurrentChangeError  the ledger changed meanwhile       -> nobody: it is retried
    ├── BatchNotFoundError     the ledger has no such batch       -> the operator
    ├── LabelsUnknownError     no metrics per label               -> nobody: the verdict says so
    ├── ActRefusedError        a command does not fit the state   -> who acts: see the message
    ├── InvalidCommandError    a payload is no command            -> who invoked the function
    ├── UnprovenIdentityError  a payload does not prove its actor -> who acts signs anew
    └── UnforeseenError        a fault of this project            -> who maintains it

Step Functions matches a failed function by its exception's class name alone, so these names are
a public contract: flat, unique, matched by name in the workflow. The module imports nothing, so
that everything may import it. "Not promoted" is a verdict and never an error.
"""


class FlywheelLoopError(Exception):
    """The base of every error of this project; never named in a Retry or a Catch."""


class SettingsError(FlywheelLoopError):
    """An environment's file is wrong.

    Parameters
    ----------
    file : str
        The file, as the caller named it.
    problems : tuple of str
        One line per problem: ``key: what is wrong, and what is allowed``.
    """

    def __init__(self, file: str, problems: tuple[str, ...]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


class MisplacedKeyError(FlywheelLoopError):
    """An inbox key that belongs to no flywheel.

    Parameters
    ----------
    key : str
        The object's key.
    message : str
        What is wrong with it and which places work.
    """

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


class ServiceBusyError(FlywheelLoopError):
    """A call was throttled or met a passing server error; the same call may be made again.

    Parameters
    ----------
    operation, code : str
    wait_seconds : int, optional
        How long to wait, where the other side says so.
    """

    def __init__(self, operation: str, code: str, wait_seconds: int | None = None) -> None:
        self.operation = operation
        self.code = code
        self.wait_seconds = wait_seconds
        super().__init__(f"{operation} is busy for the moment ({code}); it is tried again.")


class ServiceRefusedError(FlywheelLoopError):
    """AWS refused a call for good.

    Parameters
    ----------
    operation : str
        The API operation, as in the service's reference.
    code : str
        The error code that the service answered.
    detail : str
        The service's own message.
    """

    def __init__(self, operation: str, code: str, detail: str) -> None:
        self.operation = operation
        self.code = code
        self.detail = detail
        super().__init__(f"{operation} was refused ({code}): {detail}")


class ConcurrentChangeError(FlywheelLoopError):
    """A conditional write found another state than the one that was read; read again and retry.

    Parameters
    ----------
    message : str
    rows : set of (str, str)
        Keys (pk, sk) of the rows that were in another state; empty where they are not known.
    """

    def __init__(self, message: str, rows: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.rows = rows
        super().__init__(message)


class BatchNotFoundError(FlywheelLoopError):
    """The ledger has no such batch; the execution was started by hand with a wrong input."""


class LabelsUnknownError(FlywheelLoopError):
    """The service's metrics per label are not available; the message says why."""


class ActRefusedError(FlywheelLoopError):
    """A person's command does not fit the flywheel's state; the message says why."""


class InvalidCommandError(FlywheelLoopError):
    """A payload is none of the commands that people send; the message names what is wrong."""


class UnprovenIdentityError(FlywheelLoopError):
    """What a payload gives as proof of who acts proves nothing; the message says why."""


class UnforeseenError(FlywheelLoopError):
    """An unexpected error, without its message, which may quote a document.

    Parameters
    ----------
    kind : str
        The error's class.
    where : str
        The source lines it passed, the innermost last.
    """

    def __init__(self, kind: str, where: str) -> None:
        self.kind = kind
        self.where = where
        super().__init__(f"{kind} at {where}")


def failure_words(error: Exception) -> str:
    """Return why something failed, fit to be shown; of other errors, the name alone.

    A library's message may quote a document's text.
    """
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, FlywheelLoopError) else name
