"""The settings of a local cloud, and the scale of its time.

Decides the defaults. Must not know moto or any service. Read next: cloud.py.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """The settings of one local cloud.

    Parameters
    ----------
    port : int
        Port on 127.0.0.1; 0 chooses a free one.
    account_id : str
        Account number, 12 digits.
    region : str
        Region of every resource.
    comprehend_url : str
        Endpoint that speaks the Comprehend API; empty when nothing uses Comprehend.
    wait_scale : float
        Factor of the template's waits: Step Functions waits and retry intervals, queue delays,
        batching windows, visibility after a failure and schedule rates. Time-outs of functions and
        tasks are never scaled.
    least_wait_seconds : float
        No scaled wait is shorter than this, unless it was zero, so that poll loops do not spin.
    data_directory : Path, optional
        The directory for unpacked functions and their logs; by default a temporary one, which is
        removed at stop.
    environments_per_function : int
        Most processes of one function that run at the same time.
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
        """Return the duration here of a wait in the template, both in seconds.

        Examples
        --------
        >>> settings = CloudSettings(wait_scale=0.02)
        >>> settings.scaled(60), settings.scaled(1), settings.scaled(0)
        (1.2, 0.05, 0.0)
        """
        if seconds <= 0:
            return 0.0
        return max(seconds * self.wait_scale, min(self.least_wait_seconds, seconds))
