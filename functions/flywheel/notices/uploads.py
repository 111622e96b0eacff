"""Notices of one upload: refused, gone, misplaced, or accepted with rows left out.

Decides the words; `flywheel.notices.notice.upload_digest` gathers them. An upload that was
accepted whole has no notice of its own: the notice that its batch started names it.
"""

from flywheel.intake.labeled_documents import ROW_FAULTS, Report, UploadFault
from flywheel.notices.notice import UploadNews, file_name, shown
from flywheel.number_words import number_of

_MAX_LINE_CHARACTERS = 300
_UNTOUCHED = "The object in the inbox is untouched."
_REPAIR_FILE = (
    "Repair the file and upload it again; `flywheel validate FILE` also quotes the values, which "
    f"notices leave out. Nothing was sent to Comprehend and nothing was spent. {_UNTOUCHED}"
)
_REPAIR_ROWS = (
    "Nothing to do if these rows do not matter: the other rows are staged. Otherwise repair them "
    f"and upload them alone. {_UNTOUCHED}"
)
_MOVE = f"Upload it again to one of the places that work. {_UNTOUCHED}"
_REPAIRED = f"Nothing to do: all rows are staged. {_UNTOUCHED}"
_REDRIVE = (
    "Repair the cause; then `flywheel dlq redrive uploads` delivers it again, or upload the file "
    f"again. Nothing was sent to Comprehend and nothing was spent. {_UNTOUCHED}"
)
_AGAIN = "Nothing to do, unless it was meant to count: then upload it again."


def refused(key: str, report: Report) -> UploadNews:
    """Report that a file was refused, with its problems."""
    headline = f"REFUSED {file_name(key)}: {_headline(report)}"
    return UploadNews(key, headline, _lines(report), _REPAIR_FILE)


def accepted_in_part(key: str, report: Report) -> UploadNews | None:
    """Report what was left out of an accepted file, or repaired in it; None where nothing was."""
    if report.left_out:
        headline = (
            f"ACCEPTED {file_name(key)}: {report.left_out:,} of "
            f"{number_of(report.rows_read, 'row')} left out"
        )
        return UploadNews(key, headline, [*_lines(report), *_one_label(report)], _REPAIR_ROWS)
    if report.repairs:
        headline = f"ACCEPTED {file_name(key)}: repaired"
        return UploadNews(key, headline, [*_lines(report), *_one_label(report)], _REPAIRED)
    return None


def misplaced(key: str, message: str) -> UploadNews:
    """Report that an object lies where no flywheel looks."""
    headline = f"REFUSED {file_name(key)}: not under a flywheel's folder"
    return UploadNews(key, headline, [f"{shown(message, _MAX_LINE_CHARACTERS)}."], _MOVE)


def unpairable(key: str, message: str) -> UploadNews:
    """Report that an object of an entity flywheel is no half of a pair."""
    headline = f"REFUSED {file_name(key)}: neither documents nor annotations"
    return UploadNews(key, headline, [f"{shown(message, _MAX_LINE_CHARACTERS)}."], _MOVE)


def never_paired(key: str, message: str) -> UploadNews:
    """Report that the other half of a pair did not come."""
    headline = f"REFUSED {file_name(key)}: its other half did not come"
    return UploadNews(key, headline, [f"{shown(message, _MAX_LINE_CHARACTERS)}."], _AGAIN)


def undelivered(key: str, failure: str | None) -> UploadNews:
    """Report that an upload could not be registered, however often that was tried.

    Parameters
    ----------
    failure : str or None
        Why the last try failed; None where no function could say so.
    """
    headline = f"REFUSED {file_name(key)}: it could not be registered"
    why = failure or (
        "not recorded. The function ran out of time or memory, or could not be started; see its log"
    )
    lines = [
        "No delivery of its event succeeded, so the file is not checked and not staged.",
        f"The last failure: {shown(why, _MAX_LINE_CHARACTERS)}.",
    ]
    return UploadNews(key, headline, lines, _REDRIVE)


def gone(key: str) -> UploadNews:
    """Report that an object was deleted before it could be read."""
    headline = f"GONE {file_name(key)}: deleted before it was read"
    return UploadNews(key, headline, ["This version was deleted before it was read."], _AGAIN)


def _headline(report: Report) -> str:
    """Return the reason in few words: the file's fault, or how many rows are bad."""
    file_faults = [fault for fault in report.problem_counts if fault not in ROW_FAULTS]
    if file_faults == [UploadFault.TOO_MANY_BAD_ROWS] or not file_faults:
        return number_of(report.left_out, "bad row")
    named = [fault.value for fault in file_faults if fault is not UploadFault.TOO_MANY_BAD_ROWS]
    return ", ".join(named[:3])


def _one_label(report: Report) -> list[str]:
    words = report.one_label_line()
    return [] if words is None else [shown(words, _MAX_LINE_CHARACTERS)]


def _lines(report: Report) -> list[str]:
    return [shown(line, _MAX_LINE_CHARACTERS) for line in (*report.lines(), *report.repair_lines())]
