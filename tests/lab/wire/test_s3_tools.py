"""What sync tools ask the S3 door besides: parts that are copied, versions by name and in pages, buckets that are not empty.

Each of these is what rclone, the AWS CLI, s3cmd or minio-py sent, as boto3 sends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.wire.pki import LabCA
from lab.wire.s3.call import Call
from lab.wire.s3.calls import serve
from lab.wire.s3.objects import MAIN, ObjectStore
from lab.wire.s3.signature import Refused
from tests.lab.wire.test_s3 import FULL
from tests.lab.wire.test_s3_strangers import asking, refused

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PART = bytes(range(256)) * 20480  # 5 MiB


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> LabCA:
    return LabCA(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    store = ObjectStore(tmp_path / "s3")
    store.make_bucket("b")
    return store


@pytest.fixture
def client(pki: LabCA, objects: ObjectStore) -> Iterator[S3Client]:
    with asking(pki, objects) as made:
        yield made


def begin(client: S3Client, key: str) -> dict[str, str]:
    return {"Bucket": "b", "Key": key, "UploadId": client.create_multipart_upload(Bucket="b", Key=key)["UploadId"]}


def test_an_upload_takes_parts_of_what_lies_in_the_store(client: S3Client) -> None:
    client.put_object(Bucket="b", Key="a source", Body=PART + b"end")
    upload = begin(client, "joined")
    source = {"Bucket": "b", "Key": "a source"}
    parts = []
    for number, which in enumerate(("bytes=3-5242882", "bytes=5242880-5242882"), 1):
        copied = client.upload_part_copy(**upload, PartNumber=number, CopySource=source, CopySourceRange=which)["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": copied["ETag"]})
    for wrong in ("bytes=0-5242883", "bytes=5-3", "bytes=7-", "0-1"):
        asked: dict[str, Any] = {**upload, "PartNumber": 1, "CopySource": source, "CopySourceRange": wrong}
        assert refused(client.upload_part_copy, **asked) == (400, "InvalidArgument"), wrong
    none = {"Bucket": "b", "Key": "none"}
    assert refused(client.upload_part_copy, **upload, PartNumber=1, CopySource=none) == (404, "NoSuchKey")
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})  # type: ignore[typeddict-item]  # plain dicts
    assert client.get_object(Bucket="b", Key="joined")["Body"].read() == PART[3:] + b"end" + b"end"


def test_a_project_with_its_own_encryption_copies_no_parts_as_storj_says(objects: ObjectStore) -> None:
    headers = {"x-amz-copy-source": "b/k"}
    call = Call("PUT", "b", "k", {"uploadId": "0", "partNumber": "1"}, headers, b"", MAIN, True)
    with pytest.raises(Refused) as said:
        serve(objects, call)
    assert (said.value.status, said.value.code, said.value.as_storj) == (501, "NotImplemented", True)


def test_a_bucket_with_versions_or_marks_in_it_is_not_empty(client: S3Client) -> None:
    client.create_bucket(Bucket="kept")
    client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="kept", Key="k", Body=b"1")
    client.delete_object(Bucket="kept", Key="k")
    assert "Contents" not in client.list_objects_v2(Bucket="kept")
    assert refused(client.delete_bucket, Bucket="kept") == (409, "BucketNotEmpty")
    told = client.list_object_versions(Bucket="kept")
    for one in (*told["Versions"], *told["DeleteMarkers"]):
        client.delete_object(Bucket="kept", Key="k", VersionId=one["VersionId"])
    client.delete_bucket(Bucket="kept")
    client.create_bucket(Bucket="kept")
    assert "Status" not in client.get_bucket_versioning(Bucket="kept"), "a new bucket has nothing of the old one's"


def test_what_another_phrase_wrote_keeps_a_bucket(client: S3Client, objects: ObjectStore) -> None:
    objects.write("b", "k", b"another's", "another phrase")
    assert refused(client.delete_bucket, Bucket="b") == (409, "BucketNotEmpty")


def test_who_writes_reads_and_deletes_is_told_which_version_it_is(client: S3Client) -> None:
    assert "VersionId" not in client.put_object(Bucket="b", Key="before", Body=b"0")
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(Bucket="b", Key="k", Body=b"1")["VersionId"]
    second = client.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "b", "Key": "before"})["VersionId"]
    upload = begin(client, "k")
    tag = client.upload_part(**upload, PartNumber=1, Body=b"3")["ETag"]
    third = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})["VersionId"]
    listed = client.list_object_versions(Bucket="b", Prefix="k")["Versions"]
    assert [one["VersionId"] for one in listed] == [third, second, first]
    assert client.get_object(Bucket="b", Key="k")["VersionId"] == third
    assert client.head_object(Bucket="b", Key="k", VersionId=first)["VersionId"] == first
    gone = client.delete_object(Bucket="b", Key="k")
    assert gone["DeleteMarker"] is True
    assert refused(client.get_object, Bucket="b", Key="k", VersionId=gone["VersionId"]) == (405, "MethodNotAllowed")
    assert refused(client.get_object, Bucket="b", Key="k") == (404, "NoSuchKey")
    back = client.delete_object(Bucket="b", Key="k", VersionId=gone["VersionId"])
    assert (back["DeleteMarker"], back["VersionId"]) == (True, gone["VersionId"])
    assert client.get_object(Bucket="b", Key="k")["Body"].read() == b"3"


def test_a_former_version_says_what_was_said_of_it(client: S3Client) -> None:
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(Bucket="b", Key="k", Body=b"1", Metadata={"mtime": "1"})["VersionId"]
    second = client.put_object(Bucket="b", Key="k", Body=b"2", Metadata={"mtime": "2"})["VersionId"]
    assert client.head_object(Bucket="b", Key="k", VersionId=first)["Metadata"] == {"mtime": "1"}
    client.delete_object(Bucket="b", Key="k", VersionId=second)
    assert client.head_object(Bucket="b", Key="k")["Metadata"] == {"mtime": "1"}


def test_a_reader_removes_no_bucket_and_a_copy_takes_only_what_may_be_read(pki: LabCA, objects: ObjectStore) -> None:
    objects.make_bucket("other")
    objects.write("other", "k", b"1")
    with asking(pki, objects, replace(FULL, may=frozenset({"read", "list"}))) as reader:
        assert refused(reader.delete_bucket, Bucket="b") == (403, "AccessDenied")
    with asking(pki, objects, replace(FULL, buckets=frozenset({"b"}))) as bound:
        assert refused(bound.copy_object, Bucket="b", Key="k", CopySource={"Bucket": "other", "Key": "k"}) == (403, "AccessDenied")
    with asking(pki, objects, replace(FULL, may=frozenset({"write", "list"}))) as writer:
        assert refused(writer.copy_object, Bucket="b", Key="k", CopySource={"Bucket": "b", "Key": "x"}) == (403, "AccessDenied")


def test_versions_are_paged_through_and_put_into_folders(client: S3Client) -> None:
    client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "d/1", "a", "d/2", "e"):
        client.put_object(Bucket="b", Key=key, Body=b"x")
    client.delete_object(Bucket="b", Key="e")
    seen, marker = [], dict[str, Any]()
    while True:
        told = client.list_object_versions(Bucket="b", MaxKeys=1, **marker)
        seen += [(one["Key"], one["IsLatest"]) for one in (*told.get("Versions", []), *told.get("DeleteMarkers", []))]
        if not told["IsTruncated"]:
            break
        marker = {"KeyMarker": told["NextKeyMarker"], "VersionIdMarker": told["NextVersionIdMarker"]}
    assert seen == [("a", True), ("a", False), ("d/1", True), ("d/2", True), ("e", True), ("e", False)]
    folders = client.list_object_versions(Bucket="b", Delimiter="/")
    assert [one["Prefix"] for one in folders["CommonPrefixes"]] == ["d/"]
    assert [one["Key"] for one in folders["Versions"]] == ["a", "a", "e"]


def test_an_object_is_copied_onto_itself_into_another_storage_class(client: S3Client) -> None:
    client.put_object(Bucket="b", Key="k", Body=b"1", Metadata={"own": "1"})
    source = {"Bucket": "b", "Key": "k"}
    assert refused(client.copy_object, Bucket="b", Key="k", CopySource=source) == (400, "InvalidRequest")
    client.copy_object(Bucket="b", Key="k", CopySource=source, StorageClass="STANDARD")
    assert client.head_object(Bucket="b", Key="k")["Metadata"] == {"own": "1"}


@pytest.mark.parametrize("name", ["ab", "Upper", "under_score", "-dash", "dash-", "a..b", "192.168.0.1", "x" * 64])
def test_a_bucket_has_a_name_that_s3_takes(objects: ObjectStore, name: str) -> None:
    call = Call("PUT", name, "", {}, {}, b"", MAIN, False)
    with pytest.raises(Refused) as said:
        serve(objects, call)
    assert (said.value.status, said.value.code) == (400, "InvalidBucketName")
    serve(objects, replace(call, bucket="a-good.name1"))
