"""One act on one flywheel: a refusal has its exit code, and a notice goes out.

Knows no act; those are in `application.operator_commands`. Read next:
`console.commands.flywheel_command` (what opens it).
"""

from application.configuration import KnownFlywheel
from console.environment.target import Target
from console.errors import CommandError
from console.exit_codes import ExitCode
from flywheel.errors import ActRefusedError, ConcurrentChangeError
from flywheel.notices.notice import Notice


class Act:
    """What people do to a flywheel of an environment.

    Parameters
    ----------
    target : Target
    known : KnownFlywheel
    """

    def __init__(self, target: Target, known: KnownFlywheel) -> None:
        self.target, self.known = target, known
        self.acts = target.acts(known, target.identity.arn)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ActRefusedError):
            raise CommandError(
                ExitCode.HELD, self.acts.name, str(error), f"See flywheel status {self.acts.name}"
            ) from error
        if isinstance(error, ConcurrentChangeError):
            problem = "it changed in this moment"
            raise CommandError(ExitCode.HELD, self.acts.name, problem, "Try again") from error

    def publish(self, notice: Notice) -> None:
        """Publish a notice that the act left; what cannot go out now goes with the schedule."""
        self.target.notices(self.acts.ledger).publish(self.acts.name, notice)
