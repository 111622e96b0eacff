"""What changed, in sentences: between two models, and in the data."""

from flywheel.evaluation.paired_evidence import LabelChange, PairedEvidence
from flywheel.notices.what_changed import label_lines, label_shift, model_changes


def paired(*labels: LabelChange) -> PairedEvidence:
    """Return evidence with these labels, largest loss first."""
    return PairedEvidence("a" * 64, 400, 52, 12, 80, ("x",), ("y",), (), labels, 0)


LOST = LabelChange("FRAUD", 40, 0.9, 0.8)
WON = LabelChange("OTHER", 360, 0.7, 0.85)
SAME = LabelChange("BILL", 30, 0.8, 0.805)


def test_a_challenger_is_told_by_what_it_fixes_and_breaks_when_both_answered() -> None:
    """Counts, and the labels that changed most; a change of half a point is none."""
    assert model_changes(paired(LOST, SAME, WON)) == [
        "Of 400 test documents the challenger fixes 52 and breaks 12.",
        "Largest losses in F1: 'FRAUD' 0.900 -> 0.800 (40 in the test set).",
        "Largest gains in F1: 'OTHER' 0.700 -> 0.850 (360 in the test set).",
    ]


def test_nothing_is_told_when_nobody_answered() -> None:
    """Neither without answers nor without a champion."""
    assert model_changes(None) == []
    assert model_changes(paired(LabelChange("FRAUD", 40, None, 0.8))) == []


def test_three_labels_are_named_when_many_changed() -> None:
    """Those that lost most, in order."""
    labels = [LabelChange(f"L{place}", 40, 0.9, 0.1 + place / 10) for place in range(5)]
    (_, losses) = model_changes(paired(*labels))
    assert [name in losses for name in ("'L0'", "'L1'", "'L2'", "'L3'")] == [True] * 3 + [False]


def test_a_label_is_shown_safely_when_it_is_strange() -> None:
    """Whatever stands in a label, it stays one line, and links nowhere."""
    (_, losses) = model_changes(paired(LabelChange("a\nb\x1b[2J", 40, 0.9, 0.1)))
    assert "\n" not in losses
    assert "\x1b" not in losses


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
