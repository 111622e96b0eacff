"""What people should know of their own rows before anything is made of them.

Decides when labels look wrong or scarce, and the words for it. Read next: `console.demo.data` and
`console.environment.new_environment`, which read the rows.
"""

from collections import Counter
from collections.abc import Sequence

from flywheel.intake.reports import Report, UploadFault
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.data_format import LABEL_DELIMITERS, DataFormat
from flywheel.settings.environment import BatchRules

_NAMED_LABELS = 10
_ENOUGH_DOCUMENTS = 20
"""With fewer a label each may be what somebody just begins with."""


def several_labels(labels: Sequence[str], shape: DataFormat) -> list[str]:
    """Remark on a label that is made of other labels, with a delimiter between them."""
    if shape.task == "entities":
        return []
    known = set(labels)
    for delimiter in LABEL_DELIMITERS:
        for label in labels:
            parts = label.split(delimiter)
            if len(parts) > 1 and known.issuperset(parts):
                return [
                    f"{shown(label, 40)!r} counts as one label, although its parts are labels "
                    "too. If documents have several labels, give --task multi-label "
                    f"--delimiter {delimiter!r}."
                ]
    return []


def swapped_columns(report: Report) -> list[str]:
    """Remark on rows of which most have a label of their own, or the text of another row."""
    labels, conflicts = len(report.label_counts), report.problem_counts[UploadFault.CONFLICT]
    is_own = 2 * labels > report.documents >= _ENOUGH_DOCUMENTS
    if not is_own and 2 * conflicts <= report.rows_read:
        return []
    return [
        f"{number_of(labels + conflicts, 'label')} in {number_of(report.rows_read, 'row')}. If "
        "texts stand as labels, swap the columns: flywheel convert FILE --label 2 --text 1 -o OUT."
    ]


def scarce_labels(counts: Counter[str], labels: Sequence[str]) -> list[str]:
    """Remark on labels with fewer training documents than AWS takes."""
    least = BatchRules().service_min_per_label
    few = [f"{shown(label, 40)} ({counts[label]})" for label in labels if counts[label] < least]
    if not few:
        return []
    named = ", ".join(few[:_NAMED_LABELS])
    more = f" and {len(few) - _NAMED_LABELS} more" if few[_NAMED_LABELS:] else ""
    return [
        f"Fewer than {least} training documents, the minimum per label on AWS: {named}{more}. "
        "The local environment allows it."
    ]
