"""The permissions that a request to S3 needs.

Decides this from method, path and query, because S3's actions are not named like its operations.
Must not know the caller. Read next: request_actions.py.

Notes
-----
*Source*: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations" and "Enforce
conditional writes on Amazon S3 buckets".
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from local_cloud.access.request_actions import CloudRequest

_KEY_ACTIONS = {
    "tagging": {
        "GET": "GetObjectTagging",
        "PUT": "PutObjectTagging",
        "DELETE": "DeleteObjectTagging",
    },
    "acl": {"GET": "GetObjectAcl", "PUT": "PutObjectAcl"},
    "uploadId": {
        "GET": "ListMultipartUploadParts",
        "DELETE": "AbortMultipartUpload",
        "PUT": "PutObject",
        "POST": "PutObject",
    },
    "uploads": {"POST": "PutObject"},
}
_PLAIN_KEY_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
_VERSIONED = {"GetObject", "DeleteObject", "GetObjectTagging"}
# The part of the query that selects a bucket's configuration, and its name in actions.
_BUCKET_PARTS = {
    "policy": "BucketPolicy",
    "versioning": "BucketVersioning",
    "lifecycle": "LifecycleConfiguration",
    "encryption": "EncryptionConfiguration",
    "notification": "BucketNotification",
    "tagging": "BucketTagging",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "ownershipControls": "BucketOwnershipControls",
    "cors": "BucketCORS",
    "acl": "BucketAcl",
    "location": "BucketLocation",
}
_LISTINGS = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads"}
_PLAIN_BUCKET_ACTIONS = {
    "GET": "ListBucket",
    "HEAD": "ListBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
}
_DELETED_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)

Needed = tuple[str, str, dict[str, str]]


def bucket_and_key(path: str) -> tuple[str, str]:
    """Split a path into bucket and key; both may be empty.

    Examples
    --------
    >>> bucket_and_key("/inbox/intents/train/a%20b.csv")
    ('inbox', 'intents/train/a b.csv')
    """
    bucket, _, key = path.lstrip("/").partition("/")
    return bucket, unquote(key)


def s3_permissions(request: "CloudRequest") -> list[Needed]:
    """Return action, ARN and condition keys of each permission that a request needs."""
    bucket, key = bucket_and_key(request.path)
    if not bucket:
        return [("s3:ListAllMyBuckets", "*", {})]
    arn = f"arn:aws:s3:::{bucket}"
    if key:
        return _key_permissions(request, f"{arn}/{key}")
    if request.method == "POST" and "delete" in request.query:
        keys = [key.decode() for key in _DELETED_KEY.findall(request.body)]
        return [("s3:DeleteObject", f"{arn}/{name}", {}) for name in keys]
    return [(f"s3:{_bucket_action(request)}", arn, _listing_context(request))]


def _key_permissions(request: "CloudRequest", arn: str) -> list[Needed]:
    actions = next(
        (actions for part, actions in _KEY_ACTIONS.items() if part in request.query),
        _PLAIN_KEY_ACTIONS,
    )
    action = actions.get(request.method, f"{request.method.title()}Object")
    if "versionId" in request.query and action in _VERSIONED:
        action = action.replace("Object", "ObjectVersion")
    needed: list[Needed] = [(f"s3:{action}", arn, _condition_headers(request))]
    source = request.headers.get("x-amz-copy-source")
    if source:
        name, _, version = unquote(source).lstrip("/").partition("?versionId=")
        read = "s3:GetObjectVersion" if version else "s3:GetObject"
        needed.append((read, f"arn:aws:s3:::{name}", {}))
    if request.headers.get("x-amz-tagging"):
        needed.append(("s3:PutObjectTagging", arn, {}))
    return needed


def _condition_headers(request: "CloudRequest") -> dict[str, str]:
    """Return the condition keys of a conditional write; only writes have such headers."""
    names = {"if-none-match": "s3:if-none-match", "if-match": "s3:if-match"}
    is_conditional = request.method == "PUT" or "uploadId" in request.query
    if not is_conditional or "partNumber" in request.query:
        return {}
    return {key: request.headers[name] for name, key in names.items() if name in request.headers}


def _bucket_action(request: "CloudRequest") -> str:
    verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(request.method, "")
    for part, name in _BUCKET_PARTS.items():
        if part in request.query:
            return f"{verb}{name}"
    for part, action in _LISTINGS.items():
        if part in request.query:
            return action
    return _PLAIN_BUCKET_ACTIONS.get(request.method, "ListBucket")


def _listing_context(request: "CloudRequest") -> dict[str, str]:
    names = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
    return {key: request.query[name][0] for name, key in names.items() if name in request.query}
