"""Keys that XML cannot hold, in every listing of a bucket."""

from typing import Any

import pytest

from local_cloud.cloud import Cloud

KEYS = ["\x01/new.csv", "a\x01/b c+%41.csv", "d\x7f é&<.csv"]


@pytest.fixture
def s3(cloud: Cloud) -> Any:
    """Return a client of a cloud with a versioned bucket that has such keys."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="inbox")
    s3.put_bucket_versioning(Bucket="inbox", VersioningConfiguration={"Status": "Enabled"})
    for key in KEYS:
        s3.put_object(Bucket="inbox", Key=key, Body=b"text")
    s3.delete_object(Bucket="inbox", Key=KEYS[0])
    return s3


def names(pages: Any, *lists: str) -> list[str]:
    """Return the names in lists of all pages, sorted."""
    return sorted(
        entry.get("Key") or entry["Prefix"]
        for page in pages
        for each in lists
        for entry in page.get(each, [])
    )


@pytest.mark.parametrize("size", [1, 1000])
def test_every_version_is_listed_when_keys_have_control_characters(s3: Any, size: int) -> None:
    """Versions and delete markers, on one page or on many."""
    paginator = s3.get_paginator("list_object_versions")
    pages = list(paginator.paginate(Bucket="inbox", PaginationConfig={"PageSize": size}))

    assert names(pages, "Versions") == KEYS
    assert names(pages, "DeleteMarkers") == KEYS[:1]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 1000])
def test_every_object_is_listed_when_keys_have_control_characters(
    s3: Any, operation: str, size: int
) -> None:
    """By both operations that list objects."""
    pages = s3.get_paginator(operation).paginate(
        Bucket="inbox", PaginationConfig={"PageSize": size}
    )

    assert names(pages, "Contents") == KEYS[1:]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_a_folder_is_listed_when_its_name_has_a_control_character(s3: Any, operation: str) -> None:
    """The request's own names and those of the entries are returned unchanged."""
    answer = getattr(s3, operation)(Bucket="inbox", Delimiter="\x01", Prefix="a")

    assert answer["Delimiter"] == "\x01"
    assert answer["Prefix"] == "a"
    assert names([answer], "CommonPrefixes") == ["a\x01"]
