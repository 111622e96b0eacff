import pytest
from moto.events.models import Rule

from local_cloud.adapters_check import Patches, check_adapted_attributes
from local_cloud.errors import AdapterMismatchError
from local_cloud.events import event_rules


def test_all_missing_attributes_are_named_when_moto_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check names what is missing and the version that the adapters need."""
    missing = ("moto.events.models:Rule.send_nowhere", "moto.nothing.models:Thing")
    monkeypatch.setattr(event_rules, "ADAPTED", (*event_rules.ADAPTED, *missing))

    with pytest.raises(AdapterMismatchError) as caught:
        check_adapted_attributes([event_rules])

    assert caught.value.missing == missing
    assert "moto==5.2.5" in str(caught.value)


def test_the_check_is_silent_when_nothing_is_missing() -> None:
    """With the pinned version every attribute exists."""
    check_adapted_attributes([event_rules])


def test_moto_is_as_before_when_patches_are_undone() -> None:
    """Other users of moto in the process are not affected by a cloud that has stopped."""
    before = Rule.send_to_targets
    patches = Patches()
    patches.replace("moto.events.models:Rule.send_to_targets", lambda *_: None)
    assert Rule.send_to_targets is not before

    patches.undo()

    assert Rule.send_to_targets is before
