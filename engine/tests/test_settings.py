"""Settings that are chosen by name."""

from pathlib import Path

import pytest

from comprehend_engine.settings import EngineSettings, with_setting

SETTINGS = EngineSettings(Path("state"))


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("training_data=new", "new"),
        ("sets_first_active_model=yes", True),
        ("shows_model_in_training=no", False),
        ("returned_classes=5", 5),
        ("seed=7", 7),
    ],
)
def test_a_setting_has_its_value_when_it_is_chosen(choice: str, value: object) -> None:
    """Each has the type that the engine expects."""
    assert getattr(with_setting(SETTINGS, choice), choice.partition("=")[0]) == value


def test_quotas_add_up_when_several_are_chosen() -> None:
    """The others keep their documented values."""
    once = with_setting(SETTINGS, "min_documents_per_label=1")
    quotas = with_setting(once, "endpoints=20").quotas
    assert (quotas.min_documents_per_label, quotas.endpoints, quotas.flywheels) == (1, 20, 50)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("nothing=1", "'nothing' is unknown; these exist: training_data, .*, flywheels, "),
        ("port=1", "'port' is unknown"),
        ("endpoints=many", "endpoints takes a whole number from 0, not 'many'"),
        ("endpoints", "endpoints takes a whole number from 0, not ''"),
        ("training_data=some", "training_data takes all or new, not 'some'"),
        ("sets_first_active_model=1", "takes yes or no, not '1'"),
    ],
)
def test_a_choice_is_refused_when_it_is_none(choice: str, expected: str) -> None:
    """The message lists the valid names or values."""
    with pytest.raises(ValueError, match=expected):
        with_setting(SETTINGS, choice)
