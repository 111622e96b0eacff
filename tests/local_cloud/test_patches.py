import pytest
from moto.events.models import Rule

from local_cloud.errors import AdapterMismatchError
from local_cloud.patches import Patches


@pytest.mark.parametrize(
    "missing", ["moto.events.models:Rule.send_nowhere", "moto.nothing.models:Thing"]
)
def test_the_missing_attribute_is_named_when_moto_has_changed(missing: str) -> None:
    """The error names what is missing and the version that the adapters need."""
    with pytest.raises(AdapterMismatchError) as caught:
        Patches().replace(missing, None)

    assert caught.value.attribute == missing
    assert "moto==5.2.5" in str(caught.value)


def test_moto_is_as_before_when_patches_are_undone() -> None:
    """Other users of moto in the process are not affected by a cloud that has stopped."""
    before = Rule.send_to_targets
    patches = Patches()
    patches.replace("moto.events.models:Rule.send_to_targets", lambda *_: None)
    assert Rule.send_to_targets is not before

    patches.undo()

    assert Rule.send_to_targets is before
