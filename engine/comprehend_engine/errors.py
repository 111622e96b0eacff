"""The errors of the engine, as types.

::

    EngineError
    ├── ServiceError             a call is refused             -> the caller gets it over HTTP
    ├── DatasetRefusedError      a dataset cannot be ingested  -> the dataset ends FAILED
    ├── StorageAccessError       S3 refused or failed          -> the resource ends FAILED
    ├── IterationFailedError     it cannot produce a model     -> the iteration ends FAILED
    ├── DiskFullError            nothing more can be stored    -> the caller gets it over HTTP
    ├── WorkCancelledError       a call stopped the training   -> the iteration ends STOPPED
    ├── WorkerDiedError          the child process ended       -> the resource ends FAILED
    └── StartRefusedError        the command cannot serve      -> the terminal shows it

`EngineStopping` is not an error: it unwinds work that resumes at the next start. Imports nothing.
"""


class EngineError(Exception):
    """The base of the engine's errors."""


class ServiceError(EngineError):
    """A call is refused with one of the service's errors.

    Parameters
    ----------
    code : str
        The error shape's name, such as ``ResourceNotFoundException``; its HTTP status comes from
        botocore's model of the service.
    message : str
        The problem, with its values, and what would be valid.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class DatasetRefusedError(EngineError):
    """The documents of a dataset cannot be used; their author must repair the files."""


class StorageAccessError(EngineError):
    """S3 cannot be read or written; names bucket, key and role, and the permission to grant."""


class IterationFailedError(EngineError):
    """An iteration cannot produce a model: there is too little data, or a model is missing."""


class DiskFullError(EngineError):
    """Nothing more can be stored; the engine's user must free space."""


class WorkCancelledError(EngineError):
    """The work was cancelled, because a call stopped the training."""


class WorkerDiedError(EngineError):
    """A child process ended during its work; the next task starts a new one."""


class StartRefusedError(EngineError):
    """The command cannot serve; its user must correct the option.

    Parameters
    ----------
    where : str
        The option.
    problem : str
        The problem with it.
    remedy : str
        What to do.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{where}: {problem}. {remedy}.")


class EngineStopping(Exception):
    """The engine stops; the work in progress stays as it is recorded."""
