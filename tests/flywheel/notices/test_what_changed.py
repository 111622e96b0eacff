"""What changed, as plain text: between two models, and in the data."""

from flywheel.evaluation.paired_evidence import LabelChange
from flywheel.notices.what_changed import changed_labels, label_lines, label_shift
from tests.flywheel.evaluation.test_verdict_view import view_of

LOST = LabelChange("FRAUD", 40, 0.9, 0.8)
WON = LabelChange("OTHER", 360, 0.7, 0.85)
SAME = LabelChange("BILL", 30, 0.8, 0.805)


def test_labels_are_listed_when_their_f1_changed() -> None:
    """Those that got worse, then those that got better; a change of half a point is none."""
    assert [line.split() for line in changed_labels(view_of(LOST, SAME, WON))] == [
        ["Worse", "on", "(F1", "per", "label)", "documents", "champion", "challenger", "change"],
        ["FRAUD", "40", "0.900", "0.800", "-0.100"],
        [],
        ["Better", "on", "(F1", "per", "label)", "documents", "champion", "challenger", "change"],
        ["OTHER", "360", "0.700", "0.850", "+0.150"],
    ]


def test_no_label_is_listed_when_none_changed() -> None:
    """Nor where a model has no value."""
    assert changed_labels(view_of(SAME)) == []
    assert changed_labels(view_of(LabelChange("FRAUD", 40, None, 0.8))) == []


def test_three_labels_are_named_when_many_changed() -> None:
    """Those that lost most, in order, and how many more there are."""
    labels = [LabelChange(f"L{place}", 40, 0.9, 0.1 + place / 10) for place in range(5)]
    _, *lines = changed_labels(view_of(*labels))
    assert [line.split()[0] for line in lines] == ["L0", "L1", "L2", "and"]
    assert lines[-1] == "  and 2 more labels"


def test_a_label_is_shown_safely_when_it_is_strange() -> None:
    """Whatever stands in a label, it stays one line, and links nowhere."""
    _, line = changed_labels(view_of(LabelChange("a\nb\x1b[2J", 40, 0.9, 0.1)))
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_new_label_shifts_the_data_when_it_was_never_there() -> None:
    """And data without a past, or without documents, shift nothing."""
    (words,) = label_shift({"A": 50, "C": 50}, {"A": 50, "B": 50})
    assert words.startswith("The labels of the new data shift by 50 % of it: 'B' 50 % -> 0 %")
    assert label_shift({"A": 1}, {}) == label_shift({}, {"A": 1}) == []


def test_every_label_is_a_line_when_a_table_is_wanted() -> None:
    """At 80 columns."""
    lines = label_lines([LOST, LabelChange("A" * 50, 3, None, 0.5)])
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["FRAUD", "40", "0.900", "0.800", "-0.100"]
