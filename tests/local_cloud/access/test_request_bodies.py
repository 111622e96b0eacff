"""What stands where a request's body should be, at the cloud's own port."""

import base64
import http.client
import socket
import zlib
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from local_cloud.cloud import Cloud
from local_cloud.server import RequestHandler
from tests.local_cloud.access.test_request_gate import BUCKET, inbox, sent, signed

__all__ = ["inbox"]

S3 = b"Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request,\r\n"
SQS = S3.replace(b"/s3/", b"/sqs/")
JSON = SQS + b"X-Amz-Target: AmazonSQS.ListQueues\r\nContent-Type: application/x-amz-json-1.0\r\n"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def exchanged(cloud: Cloud, request: bytes) -> bytes:
    """Send bytes, and no more; return all that is answered."""
    address = urlsplit(cloud.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connected:
        connected.sendall(request)
        connected.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connected.recv(65536), b""))


@pytest.mark.parametrize(
    ("rest", "status", "code"),
    [
        (S3 + b"\r\n", 411, b"<Code>MissingContentLength<"),
        (S3 + b"Content-Length: many\r\n\r\ntext", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Content-Length: -4\r\n\r\ntext", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Content-Length: +4\r\n\r\ntext", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Content-Length: \r\n\r\ntext", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Content-Length: 10\r\n\r\ntext", 400, b"<Code>IncompleteBody<"),
        (S3 + b"Content-Length: 9999999999\r\n\r\ntext", 400, b"<Code>EntityTooLarge<"),
        (S3 + b"Transfer-Encoding: gzip\r\n\r\ntext", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Transfer-Encoding: chunked\r\n\r\ntext", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400, b"<Code>InvalidRequest<"),
        (S3 + b"Transfer-Encoding: chunked\r\n\r\n9\r\nte", 400, b"<Code>InvalidRequest<"),
        (JSON + b"\r\n", 411, b'"MalformedHttpRequestException"'),
        (JSON + b"Content-Length: x\r\n\r\n{}", 400, b'"MalformedHttpRequestException"'),
        (JSON + b"Content-Length: 3\r\n\r\n{}", 400, b'"RequestAbortedException"'),
        (JSON + b"Content-Length: 999999999\r\n\r\n{}", 400, b'"RequestEntityTooLargeException"'),
        (SQS + b"Content-Length: -1\r\n\r\n{}", 400, b"<Code>MalformedHttpRequestException<"),
    ],
)
def test_a_request_is_refused_when_it_has_another_body_than_announced(
    cloud: Cloud, rest: bytes, status: int, code: bytes
) -> None:
    """In the form of the service that it is meant for, and whoever signed it."""
    answer = exchanged(cloud, b"POST /a/b HTTP/1.1\r\nHost: 127.0.0.1\r\n" + rest)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert code in answer


def test_a_client_is_not_waited_for_when_it_falls_silent(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that is shorter than announced holds no thread for ever."""
    monkeypatch.setattr(RequestHandler, "timeout", 0.01)
    with closing(http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=10)) as silent:
        silent.putrequest("PUT", "/a/b")
        silent.putheader("Content-Length", "10")
        silent.putheader("Authorization", S3.decode().partition(" ")[2].strip())
        silent.endheaders(b"text")
        answer = silent.getresponse()
        assert (answer.status, b"<Code>RequestTimeout<" in answer.read()) == (400, True)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_object_is_stored_when_it_comes_in_chunks_with_a_checksum(
    inbox: Cloud, is_chunked: bool
) -> None:
    """As SDKs send it: chunks of their own, and over TLS those of HTTP around them."""
    content = b"text " * 1000
    checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    pieces = [content[:2000], content[2000:]]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    body = framed + f"0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()
    headers = signed(
        inbox,
        "PUT",
        f"/{BUCKET}/chunks.csv",
        "s3",
        b"",
        **{
            "X-Amz-Content-SHA256": UNSIGNED_TRAILER,
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(len(content)),
            "X-Amz-Trailer": "x-amz-checksum-crc32",
            "X-Amz-Sdk-Checksum-Algorithm": "CRC32",
        },
    )
    if is_chunked:
        headers["Transfer-Encoding"] = "chunked"
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:100], body[100:]))
        body += b"0\r\n\r\n"
    assert sent(inbox, "PUT", f"/{BUCKET}/chunks.csv", headers, body)[0] == 200
    stored = inbox.client("s3").get_object(Bucket=BUCKET, Key="chunks.csv")
    with stored["Body"] as read:
        assert read.read() == content
