"""The hold-out is stable."""

from comprehend_engine.training.hold_out import is_held_out


def test_about_a_tenth_is_held_out_when_there_are_many_documents() -> None:
    """The fraction is close to the documented 10 %."""
    held_out = sum(is_held_out(f"document number {number}") for number in range(20_000))
    assert 1_850 < held_out < 2_150


def test_a_document_keeps_its_side_when_it_is_asked_again() -> None:
    """The side depends only on the text; two known texts pin the hash."""
    assert [is_held_out(f"document {number}") for number in (1, 2)] == [False, False]
    assert [n for n in range(40) if is_held_out(f"document {n}")] == [
        n for n in range(40) if is_held_out(f"document {n}")
    ]
