"""The tag operations, and the tags of a creating call.

Decides how many tags a resource may have; they are deleted with it. Knows no rule of any resource.
Read next: `comprehend_engine.engine`, which names the operations that accept tags.

Notes
-----
*Source*: botocore, TagResource, UntagResource, ListTagsForResource, Tag (according to the AWS
General Reference, "aws:" is reserved in every service's tags); "Guidelines and quotas": 50 per
resource.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from comprehend_engine.api.protocol import Operation
from comprehend_engine.errors import ServiceError
from comprehend_engine.storage.records import (
    DatasetRecord,
    EndpointRecord,
    FlywheelRecord,
    JobRecord,
    ModelRecord,
    TagsRecord,
)
from comprehend_engine.storage.store import Store

MAX_TAGS = 50
"""Most tags of a resource."""

_RESERVED = "aws:"


@dataclass(frozen=True, slots=True)
class TagOperations:
    """The operations on tags; each takes a validated request and returns a response."""

    store: Store

    def tag_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """TagResource: an existing key gets the new value."""
        given = _checked(request["Tags"])
        with self.store.transaction():
            stored = self._tags_of(request)
            tags = {**stored.tags, **given}
            if len(tags) > MAX_TAGS:
                message = f"{stored.arn} would have {len(tags)} tags; it can have {MAX_TAGS}."
                raise ServiceError("TooManyTagsException", message)
            self.store.save(replace(stored, tags=tags))
        return {}

    def untag_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UntagResource: a missing key is not an error."""
        keys = request["TagKeys"]
        if len(keys) > MAX_TAGS:
            message = f"{len(keys)} keys; a resource can have {MAX_TAGS} tags."
            raise ServiceError("TooManyTagKeysException", message)
        with self.store.transaction():
            stored = self._tags_of(request)
            left = {key: value for key, value in stored.tags.items() if key not in keys}
            self.store.save(replace(stored, tags=left))
        return {}

    def list_tags_for_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListTagsForResource, by key."""
        tags = self._tags_of(request).tags
        entries = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return {"ResourceArn": request["ResourceArn"], "Tags": entries}

    def creating(self, operation: Operation, arn_member: str) -> Operation:
        """Return a creating operation that also stores the tags of its request.

        Parameters
        ----------
        operation : Operation
            Returns the new resource's ARN, also when it is repeated.
        arn_member : str
            The response's member with that ARN.
        """

        def tagging(request: Mapping[str, Any]) -> Mapping[str, Any]:
            given = _checked(request.get("Tags", ()))
            with self.store.transaction():
                answer = operation(request)
                stored = self._tags_of({"ResourceArn": answer[arn_member]})
                if not self.store.find(TagsRecord, stored.arn):
                    self.store.save(replace(stored, tags=given))
            return answer

        return tagging

    def _tags_of(self, request: Mapping[str, Any]) -> TagsRecord:
        arn = request["ResourceArn"]
        find = self.store.find
        resource = (
            find(FlywheelRecord, arn) or find(DatasetRecord, arn) or find(EndpointRecord, arn)
        )
        if resource is not None:
            return find(TagsRecord, arn) or TagsRecord(arn, resource.flywheel_arn, {})
        # A model outlives its flywheel, and so do its tags.
        if find(ModelRecord, arn) or find(JobRecord, arn):
            return find(TagsRecord, arn) or TagsRecord(arn, "", {})
        raise ServiceError("ResourceNotFoundException", f"There is no resource {arn}.")


def _checked(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return tags by key; refuse too many, and keys that are reserved or repeated."""
    if len(tags) > MAX_TAGS:
        message = f"{len(tags)} tags; a resource can have {MAX_TAGS}."
        raise ServiceError("TooManyTagsException", message)
    values: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith(_RESERVED):
            message = f"Tag keys that begin with {_RESERVED} are reserved: {key}."
            raise ServiceError("InvalidRequestException", message)
        if key in values:
            raise ServiceError("InvalidRequestException", f"The tag key {key} is given twice.")
        values[key] = tag.get("Value", "")
    return values
