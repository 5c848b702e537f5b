"""What the S3 door says to numbers, names and bodies that are none, and to half a request: no, and never half an object."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import boto3
import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from engine.secrets import Secret
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults
from tests.lab.wire.test_s3 import FULL

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ONLY_B = AccessKey("ONLYB", Secret("secret-of-one-bucket"), buckets=frozenset({"b"}))
UPLOADS = hashlib.md5(b"", usedforsecurity=False).hexdigest()


class _Signer(S3SigV4Auth):
    """Signs the body's sum that the request says."""

    def payload(self, request: Any) -> Any:
        """See botocore."""
        return request.context["sum"]


class Asked:
    """A door and requests for it that no client would write, signed all the same."""

    def __init__(self, root: Path, ca_file: Path, context: ssl.SSLContext) -> None:
        self.objects = ObjectStore(root)
        for name in ("b", "c"):
            self.objects.make_bucket(name)
        self.ca_file = ca_file
        self.door = S3Door(self.objects, (FULL, ONLY_B), context, Faults(), encrypted=False)
        self.door.start()

    def signed(self, method: str, target: str, body: bytes = b"", **headers: str) -> AWSRequest:
        """A request with its signature; the body's own sum unless another is given."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method=method, url=self.door.url + target, data=body, headers=given)
        request.context["sum"] = given.pop("x-amz-content-sha256", hashlib.sha256(body).hexdigest())
        key = Credentials(FULL.key_id, FULL.secret.reveal())
        _Signer(key, "s3", "global").add_auth(request)
        return request

    def __call__(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
        """Status and body of the answer."""
        made = self.signed(method, target, body, **headers)
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method, self.door.url + target, data=body, headers=dict(made.headers), verify=str(self.ca_file), timeout=10
            )
        return answer.status_code, answer.text

    def raw(self, head: str, body: bytes, *, ends: bool = False) -> bytes:
        """What comes back for these bytes; `ends`: the client sends no more."""
        place = urlsplit(self.door.url)
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        plain = socket.create_connection((str(place.hostname), place.port or 0), 10)
        with trust.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(head.encode("latin-1") + b"\r\n\r\n" + body)
            return b"" if ends else secure.recv(65536)

    def client(self, key: AccessKey = FULL) -> S3Client:
        """boto3 with this key."""
        config = Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required", response_checksum_validation="when_required",
        )  # fmt: skip
        return boto3.client(
            "s3", endpoint_url=self.door.url, verify=str(self.ca_file), region_name="global", aws_access_key_id=key.key_id,
            aws_secret_access_key=key.secret.reveal(), config=config,
        )  # fmt: skip


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    pki = LabCA(tmp_path_factory.mktemp("pki"))
    return pki.ca_file, pki.server("s3", "127.0.0.1").context()


@pytest.fixture
def ask(tmp_path: Path, keys: tuple[Path, ssl.SSLContext]) -> Iterator[Asked]:
    asked = Asked(tmp_path / "s3", *keys)
    yield asked
    asked.door.close()


def xml(*parts: tuple[str, str]) -> bytes:
    rows = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts)
    return f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()


@pytest.mark.parametrize("number", ["²", "٣", "-1", "1.0", "9" * 5000, "2147483648"])
def test_a_number_that_is_none_is_refused_wherever_it_stands(ask: Asked, number: str) -> None:
    told = quote(number)
    assert ask("GET", f"/b?max-keys={told}")[0] == 400
    upload = ask.objects.begin_upload("b", "k")
    assert ask("PUT", f"/b/k?partNumber={told}&uploadId={upload}", b"p")[0] == 400
    assert ask("GET", f"/b/k?max-parts={told}&uploadId={upload}")[0] == 400
    assert ask("POST", f"/b/k?uploadId={upload}", xml((number, UPLOADS)))[0] == 400


@pytest.mark.parametrize("wanted", ["bytes=0-" + "9" * 5000, "bytes=" + "9" * 5000 + "-", "bytes=²-"])
def test_a_range_that_is_no_number_is_no_wish(ask: Asked, wanted: str) -> None:
    ask.objects.write("b", "k", b"abc")
    assert ask("GET", "/b/k", range=wanted.encode("latin-1").decode("latin-1")) == (200, "abc")


@pytest.mark.parametrize("upload", ["x" * 5000, "é" * 8, "..%2F..", ""])
def test_an_upload_that_is_none_is_none_however_it_is_called(ask: Asked, upload: str) -> None:
    for method, more in (("GET", ""), ("DELETE", ""), ("PUT", "partNumber=1&")):
        status, said = ask(method, f"/b/k?{more}uploadId={quote(upload, safe='%')}")
        assert (status, "NoSuchUpload" in said) == (404, True)


def test_a_version_that_is_named_and_empty_is_the_object_as_it_is(ask: Asked) -> None:
    ask.objects.write("b", "k", b"abc")
    assert ask("DELETE", "/b/k?versionId=")[0] == 204
    assert list(ask.objects.keys("b")) == []


@pytest.mark.parametrize("source", ["b", "/", "b/", "", "b/" + "k" * 1025])
def test_a_copy_of_nothing_is_refused(ask: Asked, source: str) -> None:
    assert ask("PUT", "/b/k", x_amz_copy_source=source)[0] == 400
    assert list(ask.objects.keys("b")) == []


@pytest.mark.parametrize("kind", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_a_sum_that_is_not_looked_at_is_refused(ask: Asked, kind: str) -> None:
    status, said = ask("PUT", "/b/k", b"abc", **{f"x_amz_checksum_{kind}": "AAAAAA=="})
    assert (status, "Checksum options are not supported" in said) == (501, True)
    assert list(ask.objects.keys("b")) == [] and ask.door.unknown == []


def test_a_bucket_is_not_made_without_the_lock_that_was_asked_for(ask: Asked) -> None:
    assert ask("PUT", "/locked", x_amz_bucket_object_lock_enabled="true")[0] == 501
    assert "locked" not in ask.objects.buckets()
    assert ask("PUT", "/locked", x_amz_bucket_object_lock_enabled="false")[0] == 200


def deleted(ask: Asked, keys: list[str], more: str = "") -> tuple[int, str]:
    body = f"<Delete>{more}{''.join(f'<Object><Key>{key}</Key></Object>' for key in keys)}</Delete>".encode()
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    return ask("POST", "/b?delete", body, content_md5=md5)


def test_a_thousand_are_deleted_at_once_and_no_more_and_quietly_where_that_is_asked(ask: Asked) -> None:
    ask.objects.write("b", "k1", b"abc")
    for many in ([], [f"k{number}" for number in range(1001)]):
        status, said = deleted(ask, many)
        assert (status, "MalformedXML" in said) == (400, True)
    assert list(ask.objects.keys("b")) == ["k1"]
    status, said = deleted(ask, ["k1"], "<Quiet>true</Quiet>")
    assert (status, "Deleted" in said, list(ask.objects.keys("b"))) == (200, False, [])


def test_a_key_of_one_bucket_knows_of_no_other(ask: Asked) -> None:
    client = ask.client(ONLY_B)
    assert [one["Name"] for one in client.list_buckets()["Buckets"]] == ["b"]
    client.close()


class TestHalfARequest:
    def put(self, ask: Asked, **changed: Any) -> str:
        """The head of an upload of six bytes whose body nobody signed."""
        made = ask.signed("PUT", "/b/k", b"", x_amz_content_sha256="UNSIGNED-PAYLOAD")
        headers = {"Host": urlsplit(ask.door.url).netloc, **dict(made.headers), **changed}
        return "PUT /b/k HTTP/1.1\r\n" + "\r\n".join(f"{name}: {value}" for name, value in headers.items() if value)

    def test_who_goes_away_in_the_middle_leaves_no_half_object(self, ask: Asked) -> None:
        whole = {"Content-Length": "6"}
        assert b" 200 OK" in ask.raw(self.put(ask, **whole), b"abcdef")
        ask.objects.delete("b", "k")
        ask.raw(self.put(ask, **whole), b"abc", ends=True)
        ask.door.close()
        assert list(ask.objects.keys("b")) == []

    @pytest.mark.parametrize("length", ["six", "-1", "²", "9" * 5000, "0x6"])
    def test_a_length_that_is_none_is_refused_at_once(self, ask: Asked, length: str) -> None:
        assert b" 400 " in ask.raw(self.put(ask, **{"Content-Length": length}), b"abcdef")
        assert list(ask.objects.keys("b")) == []

    @pytest.mark.parametrize("chunks", [b"zz\r\nabc\r\n", b"-3\r\nabc\r\n0\r\n\r\n", b"\r\n\r\n", b"2\r\nabc\r\n0\r\n\r\n"])
    def test_a_chunk_that_is_none_is_refused(self, ask: Asked, chunks: bytes) -> None:
        head = self.put(ask, **{"Content-Length": "", "Transfer-Encoding": "chunked"})
        assert b" 400 " in ask.raw(head, chunks)
        assert list(ask.objects.keys("b")) == []

    @pytest.mark.parametrize("size", ["zz", "-3", "", "0x3", "f" * 5000])
    def test_a_signed_chunk_whose_size_is_none_is_refused(self, ask: Asked, size: str) -> None:
        body = f"{size};chunk-signature={'0' * 64}\r\nabc\r\n".encode()
        streamed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        assert ask("PUT", "/b/k", body, x_amz_content_sha256=streamed)[0] == 400
        assert list(ask.objects.keys("b")) == []
