"""What tools that nobody here wrote ask of the S3 door: a sync that finds nothing to do the second time, odd keys, refusals."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.wire.pki import LabCA
from lab.wire.s3.call import Call
from lab.wire.s3.calls import serve
from lab.wire.s3.door import EVERYTHING, AccessKey, S3Door
from lab.wire.s3.names import key_of, place
from lab.wire.s3.objects import MAIN, ObjectStore
from lab.wire.s3.signature import Refused
from lab.world.faults import Faults
from tests.lab.wire.test_s3 import FULL, code

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PART = b"p" * (5 << 20)
Answer = tuple[int, str]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> LabCA:
    return LabCA(tmp_path_factory.mktemp("pki"))


@contextmanager
def asking(pki: LabCA, objects: ObjectStore, key: AccessKey = FULL) -> Iterator[S3Client]:
    """A client with this key, of a door that the store stands behind."""
    door = S3Door(objects, (key,), pki.server("s3", "127.0.0.1").context(), Faults(), encrypted=False).start()
    made = boto3.client(
        "s3", endpoint_url=door.url, verify=str(pki.ca_file), region_name="global", aws_access_key_id=key.key_id,
        aws_secret_access_key=key.secret.reveal(),
        config=Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required", response_checksum_validation="when_required",
        ),
    )  # fmt: skip
    yield made
    made.close()
    door.close()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    made = ObjectStore(tmp_path / "s3")
    made.make_bucket("b")
    return made


@pytest.fixture
def client(pki: LabCA, objects: ObjectStore) -> Iterator[S3Client]:
    with asking(pki, objects) as made:
        yield made


def refused(call: Any, **given: Any) -> Answer:
    """Status and code that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    return code(caught)


def read(client: S3Client, **given: Any) -> tuple[bytes, Any]:
    """A whole object and what is said of it."""
    answer = client.get_object(Bucket="b", **given)
    with answer["Body"] as body:
        return body.read(), answer


def sync(client: S3Client, files: dict[str, tuple[bytes, str]]) -> list[str]:
    """One way as rclone does it: list, ask for each object's own time, send what differs, remove what is not there any more."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="b")
    there = {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}
    did = []
    for name, (content, mtime) in files.items():
        digest, told = hashlib.md5(content, usedforsecurity=False), {"mtime": mtime}
        head = client.head_object(Bucket="b", Key=name) if there.get(name) == len(content) else None
        if head is not None and head["Metadata"] == told:
            continue
        if head is not None and head["ETag"].strip('"') == digest.hexdigest():
            # Only its time is another: a copy onto itself says so.
            itself: Any = {"Bucket": "b", "Key": name}
            client.copy_object(**itself, CopySource=itself, Metadata=told, MetadataDirective="REPLACE", ContentType="text/plain")
            did.append(f"touched {name}")
            continue
        md5 = base64.b64encode(digest.digest()).decode()
        client.put_object(Bucket="b", Key=name, Body=content, Metadata=told, ContentType="text/plain", ContentMD5=md5)
        did.append(f"sent {name}")
    for name in sorted(set(there) - set(files)):
        client.delete_object(Bucket="b", Key=name)
        did.append(f"removed {name}")
    return did


def test_a_sync_finds_nothing_to_do_the_second_time(client: S3Client) -> None:
    files = {"a": (b"1", "1700000000.123456789"), "a/b": (b"22", "1700000001"), "d/ü e+f": (b"", "3")}
    assert sync(client, files) == ["sent a", "sent a/b", "sent d/ü e+f"]
    assert sync(client, files) == []
    files["a"], files["a/b"] = (b"1", "1700000002"), (b"33", "1700000003")
    assert sync(client, files) == ["touched a", "sent a/b"]
    del files["a"]
    assert sync(client, files) == ["removed a"]
    assert sync(client, files) == []
    assert client.head_object(Bucket="b", Key="a/b")["ContentType"] == "text/plain"


def test_what_was_said_of_an_object_comes_back_and_goes_with_a_copy(client: S3Client) -> None:
    client.put_object(Bucket="b", Key="k", Body=b"x", CacheControl="no-cache", ContentDisposition="inline", Metadata={"who": "me"})
    client.copy_object(Bucket="b", Key="copy", CopySource={"Bucket": "b", "Key": "k"})
    _, got = read(client, Key="copy", ResponseContentType="text/html")
    assert (got["CacheControl"], got["ContentDisposition"], got["Metadata"]) == ("no-cache", "inline", {"who": "me"})
    assert got["ContentType"] == "text/html"
    assert refused(client.copy_object, Bucket="b", Key="k", CopySource={"Bucket": "b", "Key": "k"}) == (400, "InvalidRequest")
    client.put_object(Bucket="b", Key="k", Body=b"y")
    assert client.head_object(Bucket="b", Key="k")["Metadata"] == {}


WISHES: dict[str, dict[str, Any]] = {
    "a key service's key": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"},
    "a key of one's own": {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    "retention": {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": datetime(2030, 1, 1, tzinfo=UTC)},
    "a hold": {"ObjectLockLegalHoldStatus": "ON"},
    "tags": {"Tagging": "keep=1"},
}


@pytest.mark.parametrize("wish", WISHES)
def test_an_object_is_not_taken_without_what_was_asked_for_it(client: S3Client, wish: str) -> None:
    client.put_object(Bucket="b", Key="there", Body=b"x")
    for call, given in (
        (client.put_object, {"Body": b"x"}), (client.create_multipart_upload, {}), (client.copy_object, {"CopySource": "b/there"}),
    ):  # fmt: skip
        assert refused(call, Bucket="b", Key="k", **given, **WISHES[wish]) == (501, "NotImplemented"), call.__name__
    assert [one["Key"] for one in client.list_objects_v2(Bucket="b")["Contents"]] == ["there"]


def test_an_encryption_that_the_store_does_anyhow_may_be_asked_for(client: S3Client) -> None:
    client.put_object(Bucket="b", Key="k", Body=b"x", ServerSideEncryption="AES256", ObjectLockLegalHoldStatus="OFF", Tagging="")
    assert read(client, Key="k")[0] == b"x"
    own: Any = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    assert refused(client.get_object, Bucket="b", Key="k", **own) == (400, "BadRequest")


def test_what_was_to_be_changed_only_as_it_was_is_not_changed_without_a_look(client: S3Client) -> None:
    client.put_object(Bucket="b", Key="k", Body=b"x")
    for call, given in ((client.put_object, {"Body": b"y"}), (client.delete_object, {})):
        assert refused(call, Bucket="b", Key="k", IfMatch='"0"', **given) == (501, "NotImplemented")
    assert read(client, Key="k")[0] == b"x"


def test_a_copy_is_made_of_what_it_was_wanted_of_alone(client: S3Client) -> None:
    etag = client.put_object(Bucket="b", Key="k", Body=b"x" * 6)["ETag"]
    upload = client.create_multipart_upload(Bucket="b", Key="parts")["UploadId"]
    calls: list[tuple[Any, dict[str, Any]]] = [
        (client.copy_object, {"Key": "copy"}), (client.upload_part_copy, {"Key": "parts", "UploadId": upload, "PartNumber": 1}),
    ]  # fmt: skip
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for call, given in calls:
        for name, value in (("Match", '"0"'), ("NoneMatch", etag), ("UnmodifiedSince", past), ("ModifiedSince", datetime.now(UTC))):
            answer = refused(call, Bucket="b", CopySource="b/k", **given, **{f"CopySourceIf{name}": value})
            assert answer == (412, "PreconditionFailed"), (call.__name__, name)
        call(Bucket="b", CopySource="b/k", CopySourceIfMatch=etag, CopySourceIfModifiedSince=past, **given)


LONG = "s" * 251


@pytest.mark.parametrize("keys", [("k", "k/x", "k/x/y"), ("k/x/y", "k/x", "k"), ("k/", "k", "k//x"), (LONG, LONG + "/é" * 200)])
def test_a_key_may_be_the_folder_of_others_and_as_long_as_it_likes(client: S3Client, keys: tuple[str, ...]) -> None:
    for key in keys:
        client.put_object(Bucket="b", Key=key, Body=key.encode(), Metadata={"own": str(len(key))})
    assert sorted(one["Key"] for one in client.list_objects_v2(Bucket="b")["Contents"]) == sorted(keys)
    for key in keys:
        content, got = read(client, Key=key)
        assert (content, got["Metadata"]) == (key.encode(), {"own": str(len(key))})
    for key in keys:
        client.delete_object(Bucket="b", Key=key)
    assert "Contents" not in client.list_objects_v2(Bucket="b")


ODD = ("", "a", "/", "a//b/", ".", "../..", "%", "%%", "%~", "a%2Fb", "ü" * 300, "%" * 500, "x/" * 300, "." * 400)


@pytest.mark.parametrize("key", ODD)
def test_a_key_is_known_by_its_path(key: str) -> None:
    names = place(key)
    assert all(name not in ("", ".", "..") and len(name.encode()) <= 255 for name in names)
    assert key_of(Path(*names)) == key


def test_a_read_goes_by_what_the_reader_has(client: S3Client) -> None:
    etag = client.put_object(Bucket="b", Key="k", Body=b"0123456789")["ETag"]
    written = client.head_object(Bucket="b", Key="k")["LastModified"]
    for given in ({"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfModifiedSince": written}):
        assert refused(client.get_object, Bucket="b", Key="k", **given)[0] == 304
    for given in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": written.replace(year=2000)}):
        assert refused(client.head_object, Bucket="b", Key="k", **given)[0] == 412
    early = written.replace(year=2000)
    for given in ({"IfMatch": etag}, {"IfNoneMatch": '"other"'}, {"IfMatch": etag, "IfUnmodifiedSince": early}):
        assert read(client, Key="k", **given)[0] == b"0123456789"
    ranges = {"bytes=abc": 10, "bytes=7-": 3, "bytes=-4": 4, "bytes=5-2": 10, "bytes=0-0,2-3": 10, "lines=1-2": 10}
    assert {each: len(read(client, Key="k", Range=each)[0]) for each in ranges} == ranges
    assert refused(client.get_object, Bucket="b", Key="k", Range="bytes=10-") == (416, "InvalidRange")


def test_a_body_is_the_one_that_its_digest_names(client: S3Client) -> None:
    other = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    assert refused(client.put_object, Bucket="b", Key="k", Body=b"x", ContentMD5=other) == (400, "BadDigest")
    assert refused(client.put_object, Bucket="b", Key="k", Body=b"x", ContentMD5="bm90aGluZw==") == (400, "InvalidDigest")
    assert refused(client.put_object, Bucket="b", Key="k" * 1025, Body=b"x") == (400, "KeyTooLongError")
    assert refused(client.get_object, Bucket="b", Key="k") == (404, "NoSuchKey")


def test_an_upload_takes_its_parts_in_order_and_large_enough_and_no_others(client: S3Client) -> None:
    def part(upload: str, number: int, body: bytes, key: str = "k") -> dict[str, Any]:
        etag = client.upload_part(Bucket="b", Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        return {"PartNumber": number, "ETag": etag}

    upload = client.create_multipart_upload(Bucket="b", Key="k", Metadata={"own": "1"}, ContentType="text/plain")["UploadId"]
    first, second, small = part(upload, 1, PART), part(upload, 3, b"end"), part(upload, 2, b"small")
    assert refused(part, upload=upload, number=1, body=b"", key="other") == (404, "NoSuchUpload")
    assert refused(part, upload=upload, number=10_001, body=b"") == (400, "InvalidArgument")
    listed = client.list_parts(Bucket="b", Key="k", UploadId=upload, MaxParts=2)
    assert ([one["PartNumber"] for one in listed["Parts"]], listed["IsTruncated"]) == ([1, 2], True)
    rest = client.list_parts(Bucket="b", Key="k", UploadId=upload, PartNumberMarker=listed["NextPartNumberMarker"])
    assert [(one["PartNumber"], one["Size"]) for one in rest["Parts"]] == [(3, 3)]

    def complete(*parts: dict[str, Any], key: str = "k") -> Any:
        return client.complete_multipart_upload(Bucket="b", Key=key, UploadId=upload, MultipartUpload={"Parts": list(parts)})  # type: ignore[typeddict-item]  # plain dicts

    def wrong(*parts: dict[str, Any], key: str = "k") -> Answer:
        with pytest.raises(ClientError) as caught:
            complete(*parts, key=key)
        return code(caught)

    assert wrong(second, first) == (400, "InvalidPartOrder")
    assert wrong(first, small, second) == (400, "EntityTooSmall")
    assert wrong(first, {"PartNumber": 4, "ETag": first["ETag"]}) == (400, "InvalidPart")
    assert wrong(first, second, key="other") == (404, "NoSuchUpload")
    assert complete(first, second)["ETag"].endswith('-2"')
    got = client.head_object(Bucket="b", Key="k")
    assert (got["ContentLength"], got["Metadata"], got["ContentType"]) == (len(PART) + 3, {"own": "1"}, "text/plain")
    assert refused(client.list_parts, Bucket="b", Key="k", UploadId=upload) == (404, "NoSuchUpload")


def test_a_url_that_was_signed_is_good_until_it_ends(client: S3Client, pki: LabCA) -> None:
    def fetch(method: str, how: str, **given: Any) -> requests.Response:
        url = client.generate_presigned_url(how, Params={"Bucket": "b", "Key": "a b", **given}, ExpiresIn=60)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, data=b"hello" if method == "PUT" else None, verify=str(pki.ca_file), timeout=10)

    assert fetch("PUT", "put_object").status_code == 200
    got = fetch("GET", "get_object", ResponseContentType="text/css")
    assert (got.content, got.headers["content-type"]) == (b"hello", "text/css")
    assert fetch("DELETE", "get_object").status_code == 403


def test_a_bucket_is_told_to_keep_versions(client: S3Client) -> None:
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    assert client.get_bucket_versioning(Bucket="b")["Status"] == "Enabled"
    for body in (b"1", b"2"):
        client.put_object(Bucket="b", Key="k", Body=body)
    assert len(client.list_object_versions(Bucket="b")["Versions"]) == 2
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Suspended"})
    assert client.get_bucket_versioning(Bucket="b")["Status"] == "Suspended"


def delete_all(client: S3Client, *objects: dict[str, str]) -> tuple[list[str], list[str]]:
    """What one request for many deleted, and the codes of what it did not; with the digest that Storj wants."""

    def digest(params: dict[str, Any], **_: object) -> None:
        params["context"].pop("checksum", None)
        params["headers"]["Content-MD5"] = base64.b64encode(hashlib.md5(params["body"], usedforsecurity=False).digest()).decode()

    client.meta.events.register("before-call.s3.DeleteObjects", digest)
    answer = client.delete_objects(Bucket="b", Delete={"Objects": list(objects)})  # type: ignore[typeddict-item]  # plain dicts
    return [one["Key"] for one in answer.get("Deleted", [])], [one["Code"] for one in answer.get("Errors", [])]


def test_many_are_deleted_at_once_each_the_version_that_is_named(client: S3Client, objects: ObjectStore, pki: LabCA) -> None:
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2", b"3"):
        client.put_object(Bucket="b", Key="k", Body=body)
    third, second, first = (one["VersionId"] for one in client.list_object_versions(Bucket="b")["Versions"])
    with asking(pki, objects, replace(FULL, may=EVERYTHING - {"delete versions"})) as forbidden:
        assert refused(lambda: delete_all(forbidden, {"Key": "k", "VersionId": third})) == (403, "AccessDenied")
    assert delete_all(client, {"Key": "k", "VersionId": third}, {"Key": "k", "VersionId": first}) == (["k", "k"], [])
    assert [one["VersionId"] for one in client.list_object_versions(Bucket="b")["Versions"]] == [second]
    assert read(client, Key="k")[0] == b"2"
    objects.former.of("b").lock = ("COMPLIANCE", 30)
    assert delete_all(client, {"Key": "k", "VersionId": second}) == ([], ["AccessDenied"])
    assert delete_all(client, {"Key": "k"}) == (["k"], [])
    told = client.list_object_versions(Bucket="b")
    assert [one["VersionId"] for one in told["Versions"]] == [second] and len(told["DeleteMarkers"]) == 1


def test_a_bucket_that_keeps_versions_no_more_keeps_those_it_had(client: S3Client) -> None:
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="b", Key="k", Body=b"kept")
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Suspended"})
    for body in (b"over it", b"over that"):
        client.put_object(Bucket="b", Key="k", Body=body)
    kept = client.list_object_versions(Bucket="b")["Versions"][-1]["VersionId"]
    assert [one["Size"] for one in client.list_object_versions(Bucket="b")["Versions"]] == [9, 4]
    client.delete_object(Bucket="b", Key="k")
    assert read(client, Key="k", VersionId=kept)[0] == b"kept"


def test_the_newest_version_says_what_the_object_says(client: S3Client) -> None:
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="b", Key="k", Body=b"1", Metadata={"own": "1"})
    (version,) = client.list_object_versions(Bucket="b")["Versions"]
    assert read(client, Key="k", VersionId=version["VersionId"])[1]["Metadata"] == {"own": "1"}


def test_a_page_of_parts_that_is_no_number_is_refused(client: S3Client, objects: ObjectStore) -> None:
    upload = client.create_multipart_upload(Bucket="b", Key="k")["UploadId"]
    call = Call("GET", "b", "k", {"uploadId": upload, "part-number-marker": "x"}, {}, b"", MAIN, False)
    with pytest.raises(Refused, match="part-number-marker"):
        serve(objects, call)
