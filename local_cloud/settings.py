"""What can be chosen about a local cloud, and how its time runs.

Decides the defaults. Must not know moto or any service. Read next: cloud.py.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """The choices about one local cloud.

    Parameters
    ----------
    port : int
        Port on 127.0.0.1; 0 takes a free one.
    account_id : str
        Account number, 12 digits.
    region : str
        Region of every resource.
    comprehend_url : str
        Endpoint that speaks the Comprehend API; empty when nothing uses Comprehend.
    wait_scale : float
        Step Functions waits and retry intervals, queue delays, batching windows, visibility after
        a failure and schedule rates last this fraction of what the template says. Time-outs of
        functions and tasks are never scaled.
    least_wait_seconds : float
        No scaled wait is shorter than this, unless it was zero, so that poll loops do not spin.
    data_directory : Path, optional
        Functions are unpacked and keep their log files here; None takes a temporary directory,
        which is removed at stop.
    environments_per_function : int
        How many copies of one function may run at the same time.
    """

    port: int = 0
    account_id: str = "123456789012"
    region: str = "us-east-1"
    comprehend_url: str = ""
    wait_scale: float = 0.02
    least_wait_seconds: float = 0.05
    data_directory: Path | None = None
    environments_per_function: int = 2

    def scaled(self, seconds: float) -> float:
        """Return how long a wait that the template gives in `seconds` lasts here, in seconds.

        Examples
        --------
        >>> settings = CloudSettings(wait_scale=0.02)
        >>> settings.scaled(60), settings.scaled(1), settings.scaled(0)
        (1.2, 0.05, 0.0)
        """
        if seconds <= 0:
            return 0.0
        return max(seconds * self.wait_scale, min(self.least_wait_seconds, seconds))
