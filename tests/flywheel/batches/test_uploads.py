import pytest

from flywheel.batches.uploads import DatasetKind, ObjectVersion, Place, is_folder_marker, place_of
from flywheel.errors import MisplacedKeyError

FLYWHEELS = {"tickets", "intents"}


@pytest.mark.parametrize(
    ("key", "flywheel", "kind"),
    [
        ("tickets/train/monday.csv", "tickets", DatasetKind.TRAIN),
        ("intents/test/a", "intents", DatasetKind.TEST),
        ("tickets/train/2024/05/weekly report.csv", "tickets", DatasetKind.TRAIN),
        ("tickets/train/naïve+%2F.csv", "tickets", DatasetKind.TRAIN),
        ("tickets/train//a.csv", "tickets", DatasetKind.TRAIN),
    ],
)
def test_a_key_means_a_flywheel_and_a_kind_when_it_is_under_one(
    key: str, flywheel: str, kind: DatasetKind
) -> None:
    """The first two parts of a key decide; whatever follows is the uploader's."""
    assert place_of(key, FLYWHEELS) == Place(flywheel, kind)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("tickets/monday.csv", "use tickets/train/ or tickets/test/"),
        ("tickets/train/", "use tickets/train/ or tickets/test/"),
        ("tickets/Train/a.csv", "use tickets/train/ or tickets/test/"),
        ("tickets", "use tickets/train/ or tickets/test/"),
        ("ticket/train/a.csv", "put it under tickets/train/ or tickets/test/"),
        ("Intents/train/a.csv", "put it under intents/train/ or intents/test/"),
        ("a.csv", "(known: intents, tickets): put it under <flywheel>/train/"),
        ("/tickets/train/a.csv", "there is no flywheel ''"),
    ],
)
def test_a_key_is_misplaced_when_no_flywheel_looks_there(key: str, told: str) -> None:
    """The message names the places that work, the nearest flywheel first."""
    with pytest.raises(MisplacedKeyError) as caught:
        place_of(key, FLYWHEELS)
    assert told in str(caught.value)
    assert caught.value.key == key


def test_an_identity_is_the_same_when_the_version_is_the_same() -> None:
    """Bucket, key and version make the identity, and no two of them can run together."""
    one = ObjectVersion("inbox", "tickets/train/a.csv", "v1")
    assert one.uid == ObjectVersion("inbox", "tickets/train/a.csv", "v1").uid
    assert len(one.uid) == 64
    assert one.uid == "".join(char for char in one.uid if char in "0123456789abcdef")
    others = [
        ObjectVersion("inbox", "tickets/train/a.csv", "v2"),
        ObjectVersion("inbox", "tickets/train/a.csvv", "1"),
        ObjectVersion("inboxt", "ickets/train/a.csv", "v1"),
    ]
    assert len({one.uid, *(other.uid for other in others)}) == 4


@pytest.mark.parametrize(
    ("key", "size_bytes", "is_marker"),
    [
        ("tickets/train/", 0, True),
        ("tickets/train/", 5, False),
        ("tickets/train/a.csv", 0, False),
    ],
)
def test_a_folder_marker_is_known_when_it_is_empty_and_ends_in_a_slash(
    key: str, size_bytes: int, is_marker: bool
) -> None:
    """Only an empty object whose key ends in a slash is a folder of the console."""
    assert is_folder_marker(key, size_bytes) is is_marker
