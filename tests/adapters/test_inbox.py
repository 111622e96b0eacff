"""The inbox on a real client: exactly one version, and every version."""

import pytest

from adapters.clients import client
from adapters.objects import InboxBucket
from flywheel.batches.uploads import ObjectVersion
from flywheel.errors import ServiceRefusedError
from tests.functions.cloud import INBOX, Cloud


def test_exactly_the_version_is_read_when_there_are_newer_ones(cloud: Cloud) -> None:
    """A deleted version, and a delete marker, are gone; a missing bucket is a refusal."""
    s3 = client("s3")
    inbox = InboxBucket(INBOX, s3)
    first = ObjectVersion(INBOX, "k", s3.put_object(Bucket=INBOX, Key="k", Body=b"1")["VersionId"])
    second = ObjectVersion(INBOX, "k", s3.put_object(Bucket=INBOX, Key="k", Body=b"2")["VersionId"])
    marker = ObjectVersion(INBOX, "k", s3.delete_object(Bucket=INBOX, Key="k")["VersionId"])
    assert b"".join(inbox.version_chunks(first) or []) == b"1"
    assert b"".join(inbox.version_chunks(second) or []) == b"2"
    assert inbox.version_chunks(marker) is None
    s3.delete_object(Bucket=INBOX, Key="k", VersionId=first.version_id)
    assert inbox.version_chunks(first) is None
    with pytest.raises(ServiceRefusedError, match="NoSuchBucket"):
        inbox.version_chunks(ObjectVersion("no-such-bucket", "k", "v"))


def test_every_version_is_found_when_the_inbox_is_listed(cloud: Cloud) -> None:
    """Older ones and hidden ones too; a delete marker is no version."""
    s3 = client("s3")
    put = [s3.put_object(Bucket=INBOX, Key=key, Body=b"12")["VersionId"] for key in ("a", "a", "b")]
    s3.delete_object(Bucket=INBOX, Key="b")
    found = list(InboxBucket(INBOX, s3).versions())
    assert sorted(item.upload.version_id for item in found) == sorted(put)
    assert {(item.upload.bucket, item.size_bytes) for item in found} == {(INBOX, 2)}
