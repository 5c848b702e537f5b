"""The S3 door with real clients: boto3 as the adapter sets it up, boto3 as it comes, and a whole life of a repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from adapters.backups.stores.s3 import S3Clients, S3Credentials
from adapters.process.keeper import Keeper
from engine.secrets import Secret
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import NoSuchKey, ObjectStore
from lab.world.faults import Fault, Faults

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BIN = Path(__file__).resolve().parents[3] / ".tools" / "bin"
FULL = AccessKey("FULL", Secret("secret-of-the-full-key"))
OTHER = AccessKey("OTHER", Secret("secret-of-the-other-key"), phrase="a mistyped phrase")
READER = AccessKey("READER", Secret("secret-of-the-reader"), may=frozenset({"read", "list"}))
EXPIRED = AccessKey("EXPIRED", Secret("secret-of-the-expired"), expired=True)


@dataclass
class Bench:
    door: S3Door
    faults: Faults
    ca_file: Path
    clients: S3Clients

    def client(self, key: AccessKey = FULL) -> S3Client:
        return self.clients.get(self.door.url, S3Credentials(key.key_id, key.secret, ca_file=str(self.ca_file)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    authority = LabCA(tmp_path / "ca")
    objects = ObjectStore(tmp_path / "s3")
    objects.make_bucket("backups")
    faults = Faults()
    context = authority.server("s3", "127.0.0.1").context()
    door = S3Door(objects, (FULL, OTHER, READER, EXPIRED), context, faults, slow_fault_s=0.05).start()
    yield Bench(door, faults, authority.ca_file, S3Clients())
    door.close()


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_objects_come_back_whole_and_by_range(bench: Bench) -> None:
    client = bench.client()
    content = os.urandom(300_000)
    for key in ("app/a b+ü.bin", "app/data/00/x", "/leading", "a//b", "app/%41"):
        etag = client.put_object(Bucket="backups", Key=key, Body=content)["ETag"]
        got = client.get_object(Bucket="backups", Key=key)
        assert got["Body"].read() == content and got["ETag"] == etag
        assert client.head_object(Bucket="backups", Key=key)["ContentLength"] == len(content)
    part = client.get_object(Bucket="backups", Key="app/data/00/x", Range="bytes=1000-1999")
    assert part["Body"].read() == content[1000:2000] and part["ResponseMetadata"]["HTTPStatusCode"] == 206
    keys = [item["Key"] for item in client.list_objects_v2(Bucket="backups")["Contents"]]
    assert sorted(keys) == sorted(["app/a b+ü.bin", "app/data/00/x", "/leading", "a//b", "app/%41"])
    client.delete_object(Bucket="backups", Key="a//b")
    with pytest.raises(ClientError) as caught:
        client.get_object(Bucket="backups", Key="a//b")
    assert code(caught) == (404, "NoSuchKey")


def test_what_was_handed_out_is_counted_by_object_and_by_what_clients_have_taken(bench: Bench) -> None:
    client, content = bench.client(), os.urandom(300_000)
    client.put_object(Bucket="backups", Key="app/data/x", Body=content)
    before = bench.door.sent
    for _ in range(2):
        client.get_object(Bucket="backups", Key="app/data/x")["Body"].read()
    client.get_object(Bucket="backups", Key="app/data/x", Range="bytes=1000-1999")["Body"].read()
    client.head_object(Bucket="backups", Key="app/data/x")
    handed = 2 * len(content) + 1000
    assert bench.door.read == {"backups/app/data/x": handed}
    assert handed <= bench.door.sent - before < handed * 1.02, "TLS' own, and the heads of four answers, on a connection that lives"
    before = bench.door.sent
    client.close()
    assert before <= bench.door.sent < before + 1000, "what is over is not forgotten"


def test_no_key_climbs_out_of_its_bucket(bench: Bench, tmp_path: Path) -> None:
    bench.client().put_object(Bucket="backups", Key="../../../ca/ca.crt", Body=b"x")
    assert bench.ca_file.read_bytes().startswith(b"-----BEGIN")
    assert bench.client().get_object(Bucket="backups", Key="../../../ca/ca.crt")["Body"].read() == b"x"


def test_keys_below_a_prefix_are_those_that_begin_with_it(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.make_bucket("b")
    for key in ("a/1", "a/b/2", "ab/3", "a//4", "top", "c/../5"):
        store.write("b", key, b"x")
    for prefix in ("", "a", "a/", "a/b", "a//", "c/../", "none/", "to"):
        assert sorted(store.keys("b", prefix)) == sorted(key for key in store.keys("b") if key.startswith(prefix))
    assert sorted(store.keys("b")) == sorted(("a/1", "a/b/2", "ab/3", "a//4", "top", "c/../5"))


def test_pages_are_stable_complete_and_in_no_alphabetical_order(bench: Bench) -> None:
    wanted = [f"app/snapshots/{number:04}" for number in range(57)]
    for key in wanted:
        bench.door.objects.write("backups", key, b"x")
    client = bench.client()
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="backups", Prefix="app/snapshots/", PaginationConfig={"PageSize": 10}
    )
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    assert sorted(keys) == wanted and keys != wanted
    old = client.get_paginator("list_objects").paginate(
        Bucket="backups", Prefix="app/snapshots/", PaginationConfig={"PageSize": 10}
    )
    assert [item["Key"] for page in old for item in page["Contents"]] == keys
    top = client.list_objects_v2(Bucket="backups", Delimiter="/")
    assert [folder["Prefix"] for folder in top["CommonPrefixes"]] == ["app/"] and "Contents" not in top


def test_a_prefix_inside_a_name_and_other_delimiters_are_501(bench: Bench) -> None:
    for prefix, delimiter in (("app", ""), ("app/sn", ""), ("", "-")):
        with pytest.raises(ClientError) as caught:
            bench.client().list_objects_v2(Bucket="backups", Prefix=prefix, Delimiter=delimiter)
        assert code(caught) == (501, "NotImplemented")


def test_boto3_as_it_comes_fails_as_it_does_on_storj(bench: Bench) -> None:
    plain = boto3.session.Session().client(
        "s3",
        endpoint_url=bench.door.url,
        aws_access_key_id=FULL.key_id,
        aws_secret_access_key=FULL.secret.reveal(),
        region_name="eu1",
        verify=str(bench.ca_file),
        config=Config(s3={"addressing_style": "path"}),
    )
    with pytest.raises(ClientError) as caught:
        plain.put_object(Bucket="backups", Key="k", Body=b"x")
    assert code(caught) == (400, "InvalidRequest")
    with pytest.raises(ClientError) as caught:
        bench.client().delete_objects(Bucket="backups", Delete={"Objects": [{"Key": "k"}]})
    assert code(caught) == (400, "MissingContentMD5")


def test_wrong_keys_are_refused_each_in_its_way(bench: Bench) -> None:
    for key, wanted in (
        (AccessKey("NOBODY", Secret("whatever-secret")), (403, "InvalidAccessKeyId")),
        (replace(FULL, secret=Secret("not-its-secret")), (403, "SignatureDoesNotMatch")),
        (EXPIRED, (403, "AccessDenied")),
    ):
        with pytest.raises(ClientError) as caught:
            bench.client(key).list_objects_v2(Bucket="backups")
        assert code(caught) == wanted
    with pytest.raises(ClientError) as caught:
        bench.client(READER).put_object(Bucket="backups", Key="k", Body=b"x")
    assert code(caught) == (403, "AccessDenied")
    with pytest.raises(ClientError) as caught:
        bench.client().list_objects_v2(Bucket="nowhere")
    assert code(caught) == (404, "NoSuchBucket")


def test_a_key_of_another_phrase_sees_an_empty_bucket_without_an_error(bench: Bench) -> None:
    bench.client().put_object(Bucket="backups", Key="app/config", Body=b"x")
    assert bench.client(OTHER).list_objects_v2(Bucket="backups")["KeyCount"] == 0
    bench.client(OTHER).put_object(Bucket="backups", Key="app/config", Body=b"y")
    assert bench.client().get_object(Bucket="backups", Key="app/config")["Body"].read() == b"x"


def test_conditional_writes_make_once(bench: Bench) -> None:
    client = bench.client()
    client.put_object(Bucket="backups", Key="lock", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket="backups", Key="lock", Body=b"2", IfNoneMatch="*")
    assert code(caught) == (412, "PreconditionFailed")
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket="backups", Key="lock", Body=b"2", IfNoneMatch='"abc"')
    assert code(caught) == (501, "NotImplemented")


def test_multipart_is_joined_and_an_unended_one_stays_to_be_seen(bench: Bench) -> None:
    client = bench.client()
    parts = [os.urandom(5 << 20), os.urandom(1000)]
    upload = client.create_multipart_upload(Bucket="backups", Key="big")["UploadId"]
    done = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(Bucket="backups", Key="big", UploadId=upload, PartNumber=number, Body=part)["ETag"],
        }
        for number, part in enumerate(parts, 1)
    ]
    client.complete_multipart_upload(Bucket="backups", Key="big", UploadId=upload, MultipartUpload={"Parts": done})  # type: ignore[typeddict-item]  # plain dicts
    got = client.get_object(Bucket="backups", Key="big")
    assert got["Body"].read() == b"".join(parts) and got["ETag"].endswith('-2"')
    half = client.create_multipart_upload(Bucket="backups", Key="half")["UploadId"]
    listed = client.list_multipart_uploads(Bucket="backups")["Uploads"]
    assert [(one["Key"], one["UploadId"]) for one in listed] == [("half", half)]
    client.abort_multipart_upload(Bucket="backups", Key="half", UploadId=half)
    assert "Uploads" not in client.list_multipart_uploads(Bucket="backups")


def test_throttling_is_429_and_ends(bench: Bench) -> None:
    bench.door.weather.throttled = 1
    assert bench.client().list_objects_v2(Bucket="backups")["KeyCount"] == 0, "boto3 tries again"
    bench.door.weather.limit = "SegmentsLimitExceeded"
    with pytest.raises(ClientError) as caught:
        bench.client().list_objects_v2(Bucket="backups")
    assert code(caught) == (403, "SegmentsLimitExceeded")


@pytest.mark.parametrize("fault", [Fault.ERROR_TWICE, Fault.LOSE_REPLY, Fault.SLOW, Fault.DIE_BEFORE])
def test_faults_strike_by_name_and_a_client_that_tries_again_gets_through(bench: Bench, fault: Fault) -> None:
    bench.faults.arm("s3.put_object/backups/app/data/*", fault)
    bench.client().put_object(Bucket="backups", Key="app/config", Body=b"x")
    bench.client().put_object(Bucket="backups", Key="app/data/00/x", Body=b"y")
    assert bench.faults.struck[0] == ("s3.put_object/backups/app/data/00/x#1", fault)
    assert bench.door.objects.read("backups", "app/data/00/x") == b"y"


def test_a_lie_says_done_and_keeps_nothing(bench: Bench) -> None:
    bench.faults.arm("s3.put_object/*", Fault.LIE_ONCE)
    bench.client().put_object(Bucket="backups", Key="app/data/00/x", Body=b"y")
    with pytest.raises(NoSuchKey):
        bench.door.objects.head("backups", "app/data/00/x")


def test_what_storj_does_not_have_is_501(bench: Bench) -> None:
    with pytest.raises(ClientError) as caught:
        bench.client().get_bucket_lifecycle_configuration(Bucket="backups")
    assert code(caught) == (501, "NotImplemented")
    assert bench.door.unknown == []  # the lab knows that Storj says so
    with pytest.raises(ClientError) as caught:
        bench.client().get_bucket_policy(Bucket="backups")
    assert code(caught) == (501, "NotImplemented")
    assert bench.door.unknown == ["GET /backups?policy: NotImplemented"]


@pytest.mark.programs
@pytest.mark.skipif(not (BIN / "restic").exists(), reason="restic is not built")
def test_restic_lives_a_whole_life_here(bench: Bench, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "file").write_bytes(os.urandom(2_000_000))
    env: dict[str, str | Secret] = {
        "RESTIC_REPOSITORY": f"s3:{bench.door.url}/backups/app",
        "RESTIC_PASSWORD": Secret("restic-password"),
        "AWS_ACCESS_KEY_ID": FULL.key_id,
        "AWS_SECRET_ACCESS_KEY": FULL.secret,
        "RESTIC_CACERT": str(bench.ca_file),
    }
    with Keeper(tmp_path / "state", search=(BIN,)) as keeper:
        for words in (
            ["init"],
            ["backup", "."],
            ["backup", "."],
            ["forget", "--keep-last", "1", "--prune"],
            ["check", "--read-data"],
            ["restore", "latest", "--target", str(tmp_path / "back")],
        ):
            keeper.run(["restic", *words], env=env, cwd=work, timeout_s=60)
    assert (tmp_path / "back" / "file").read_bytes() == (work / "file").read_bytes()
    assert not [key for key in bench.door.objects.keys("backups") if "/locks/" in key]


def test_a_bucket_that_keeps_versions_gives_back_what_was_deleted_and_overwritten(bench: Bench) -> None:
    client, objects = bench.client(), bench.door.objects
    client.put_object(Bucket="backups", Key="app/a", Body=b"never kept")
    client.delete_object(Bucket="backups", Key="app/a")
    assert client.get_bucket_versioning(Bucket="backups").get("Status") is None
    objects.former.of("backups").state = "Enabled"
    assert client.get_bucket_versioning(Bucket="backups")["Status"] == "Enabled"
    for body in (b"first", b"second"):
        client.put_object(Bucket="backups", Key="app/a", Body=body)
    client.delete_object(Bucket="backups", Key="app/a")
    with pytest.raises(ClientError):
        client.get_object(Bucket="backups", Key="app/a")
    told = client.list_object_versions(Bucket="backups", Prefix="app/")
    assert [(one["Key"], one["Size"]) for one in told["Versions"]] == [("app/a", 6), ("app/a", 5)]
    second, first = (one["VersionId"] for one in told["Versions"])
    assert client.get_object(Bucket="backups", Key="app/a", VersionId=first)["Body"].read() == b"first"
    source = {"Bucket": "backups", "Key": "app/a", "VersionId": second}
    client.copy_object(Bucket="backups", Key="new/a b", CopySource=source)
    assert client.get_object(Bucket="backups", Key="new/a b")["Body"].read() == b"second"
    client.delete_object(Bucket="backups", Key="app/a", VersionId=told["DeleteMarkers"][0]["VersionId"])
    assert client.get_object(Bucket="backups", Key="app/a")["Body"].read() == b"second"
    client.delete_object(Bucket="backups", Key="never written", VersionId="null")
    assert [item["Key"] for item in client.list_objects_v2(Bucket="backups")["Contents"]] != []


def test_a_retention_keeps_versions_and_not_names(bench: Bench) -> None:
    client, keeping = bench.client(), bench.door.objects.former.of("backups")
    with pytest.raises(ClientError) as caught:
        client.get_object_lock_configuration(Bucket="backups")
    assert code(caught) == (404, "ObjectLockConfigurationNotFoundError")
    keeping.state, keeping.lock, keeping.expires_days = "Enabled", ("COMPLIANCE", 30), 90
    rule = client.get_object_lock_configuration(Bucket="backups")["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (rule["Mode"], rule["Days"]) == ("COMPLIANCE", 30)
    (former,) = client.get_bucket_lifecycle_configuration(Bucket="backups")["Rules"]
    assert former["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    client.put_object(Bucket="backups", Key="app/a", Body=b"kept")
    client.delete_object(Bucket="backups", Key="app/a")
    (version,) = client.list_object_versions(Bucket="backups", Prefix="app/")["Versions"]
    with pytest.raises(ClientError) as caught:
        client.delete_object(Bucket="backups", Key="app/a", VersionId=version["VersionId"])
    assert code(caught) == (403, "AccessDenied")
    with pytest.raises(ClientError) as caught:
        bench.client(READER).delete_object(Bucket="backups", Key="never written", VersionId="null")
    assert code(caught) == (403, "AccessDenied")
