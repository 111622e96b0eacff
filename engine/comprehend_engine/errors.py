"""What can go wrong in the engine, as types.

::

    EngineError
    ├── ServiceError             a call is refused             -> the caller, told over HTTP
    ├── DatasetRefusedError      a dataset cannot be ingested  -> the dataset ends FAILED
    ├── StorageAccessError       S3 refused or failed          -> what needed it ends FAILED
    ├── IterationFailedError     no model can come of it       -> the iteration ends FAILED
    ├── DiskFullError            nothing more can be kept      -> the caller, told over HTTP
    ├── WorkCancelledError       a person stopped it           -> the iteration ends STOPPED
    ├── WorkerDiedError          its process is gone           -> what needed it ends FAILED
    └── StartRefusedError        the command cannot serve      -> whoever ran it, on the terminal

`EngineStopping` is no error: it unwinds work that goes on at the next start. Imports nothing.
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
        What is wrong, naming the values, and what would be right.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class DatasetRefusedError(EngineError):
    """The documents of a dataset cannot be used; whoever made the files repairs them."""


class StorageAccessError(EngineError):
    """S3 cannot be read or written; names bucket, key, permission and role for who grants them."""


class IterationFailedError(EngineError):
    """An iteration cannot end in a model: too little data, or a model that is not there."""


class DiskFullError(EngineError):
    """Nothing more can be kept; whoever runs the engine makes room."""


class WorkCancelledError(EngineError):
    """Training that nobody wants any more: a person stopped it."""


class WorkerDiedError(EngineError):
    """A process ended in the middle of its work; the next task gets a new one."""


class StartRefusedError(EngineError):
    """The command cannot serve; whoever ran it repairs what is named.

    Parameters
    ----------
    where : str
        The option that is meant.
    problem : str
        What is wrong with it.
    remedy : str
        What to do about it.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{where}: {problem}. {remedy}.")


class EngineStopping(Exception):
    """The engine is being stopped; the work at hand is left as it is recorded."""
