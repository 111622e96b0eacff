"""The verbs of the audit: `flywheel audit verify` and `flywheel audit export`.

Decides names, options and words. Read next: `console.record.audit_record`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from application.ledger.audit import ENVIRONMENT
from console.commands.options import Env, Json, check_file, check_new_file, finish, opened_target
from console.environment.target import LOCAL
from console.errors import CommandError, CommandResult, ExitCode
from console.record.audit_record import AuditRecord, read_record
from console.record.offline_verifier import Counts, RecordBrokenError, verify_zip
from console.terminal import Terminal, reporting

audit = typer.Typer(no_args_is_help=True, help="Verify or export the record of decisions and acts.")


@audit.command("verify")
def verify_audit(
    context: typer.Context,
    chosen: Annotated[
        str | None,
        typer.Argument(
            metavar="FLYWHEEL | OUT.zip",
            help="A flywheel or an export; by default all chains of the environment.",
        ),
    ] = None,
    env: Env = None,
    json: Json = False,
) -> None:
    """Recompute the hashes of entries, heads and verdicts; exit with 1 if one is wrong.

    An export is a file that ends in .zip: it needs no environment, and nothing in it is run.
    """
    with reporting(is_json=json) as terminal:
        if chosen is not None and chosen.endswith(".zip"):
            finish(terminal, _verified_export(terminal, Path(chosen)))
        target = opened_target(context, env, default=LOCAL)
        if chosen is None:
            chains = [*sorted(target.flywheels), ENVIRONMENT]
        else:
            chains = [target.flywheel(chosen).settings.name]
        verified = [_verified(terminal, read_record(target, name)) for name in chains]
        finish(terminal, _result({"environment": target.environment}, verified))


@audit.command("export")
def export_audit(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="[FLYWHEEL] OUT.zip")],
    env: Env = None,
    json: Json = False,
) -> None:
    """Write entries, verdicts and heads to a zip that can be verified offline."""
    with reporting(is_json=json) as terminal:
        *flywheels, last = names
        out = Path(last)
        if len(flywheels) > 1:
            problem = f"{len(names)} names are too many"
            raise CommandError(ExitCode.USAGE, "audit export", problem, "Give [FLYWHEEL] OUT.zip")
        check_new_file(out, ".zip")
        target = opened_target(context, env, default=LOCAL)
        name = target.flywheel(flywheels[0] if flywheels else None).settings.name
        record = read_record(target, name)
        record.export(out)
        terminal.print_unwrapped(f"Wrote {out}")
        document = _verified(terminal, record)
        terminal.print_unwrapped(f"Verify it anywhere: flywheel audit verify {out}")
        terminal.print(
            "Without our packages: unpack it, and run python -I verify.py in its folder."
        )
        code = ExitCode.DONE if document["is_whole"] else ExitCode.REFUSED
        finish(terminal, CommandResult(code, {"out": str(out), **document}))


def _verified_export(terminal: Terminal, file: Path) -> CommandResult:
    """Verify an export with the installed verifier."""
    check_file(file)
    checked = _checked(terminal, file.name, None, lambda: verify_zip(file))
    return _result({"file": str(file)}, [checked])


def _verified(terminal: Terminal, record: AuditRecord) -> dict[str, Any]:
    """Verify one chain of an environment."""
    title = "environment" if record.name == ENVIRONMENT else record.name
    return _checked(terminal, title, record.name, lambda: (record.name, record.verify()))


def _checked(
    terminal: Terminal, title: str, name: str | None, verify: Callable[[], tuple[str, Counts]]
) -> dict[str, Any]:
    """Verify one chain, and show the result."""
    try:
        chain, counts = verify()
    except RecordBrokenError as error:
        terminal.print(f"{title}: BROKEN: {error}", style="bold red")
        return {"chain": name, "is_whole": False, "problem": str(error)}
    terminal.print(f"{title}: {counts.words()}")
    if (younger := counts.beyond()) is not None:
        terminal.print(younger, indent=2)
    if counts.pending:
        terminal.print(f"Being written now: {counts.pending}", indent=2)
    return {
        "chain": chain,
        "is_whole": True,
        "entries": counts.entries,
        "verdicts": counts.verdicts,
        "heads": counts.heads,
        "covered": counts.covered,
        "pending": counts.pending,
    }


def _result(where: Mapping[str, str], chains: Sequence[Mapping[str, Any]]) -> CommandResult:
    """Return the result of a verification, which exits with 1 where a chain is broken."""
    is_whole = all(chain["is_whole"] for chain in chains)
    code = ExitCode.DONE if is_whole else ExitCode.REFUSED
    return CommandResult(code, {**where, "is_whole": is_whole, "chains": chains})
