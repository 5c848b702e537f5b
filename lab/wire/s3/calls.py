"""Which S3 call a request is, and what it does to the objects. Knows no key, no signature and no fault."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

from lab.wire.https import Reply
from lab.wire.s3 import answers
from lab.wire.s3.conditions import unchanged
from lab.wire.s3.listings import LARGEST_PAGE, page
from lab.wire.s3.objects import NoSuchUpload, ObjectStore
from lab.wire.s3.signature import Refused
from lab.wire.s3.told import told_in

MOST_PARTS = 10_000
_LOCKED = "Access Denied because object protected by object lock."

# What Storj answers with 501, or what we leave out (then said in docs/lab.md).
_NOT_THERE = frozenset(
    {
        "acl", "policy", "cors", "replication", "encryption", "inventory", "notification", "website", "logging",
        "accelerate", "requestPayment", "tagging", "retention", "legal-hold", "torrent", "restore",
        "attributes", "select", "partNumber",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request, understood. `phrase` is the encryption phrase of the key that asks."""

    method: str
    bucket: str
    key: str
    asked: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    phrase: str
    encrypted: bool

    @property
    def name(self) -> str:
        """The call's name in our words, "unknown" for what this store does not know."""
        if not self.bucket:
            return "list_buckets" if self.method == "GET" else "unknown"
        parts = self.asked.keys()
        if not self.key:
            name = _of_bucket(self.method, parts)
            return "delete_versions" if name == "delete_objects" and b"<VersionId" in self.body else name
        if self.method == "PUT" and "x-amz-copy-source" in self.headers and not parts & {"uploadId"}:
            return "copy_object"
        return _of_object(self.method, parts)

    @property
    def target(self) -> str:
        """What it is about: `bucket/key`."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    def as_if_done(self) -> Reply:
        """The answer of a mutation that was not made."""
        etag = hashlib.md5(self.body, usedforsecurity=False).hexdigest()
        if self.name == "complete_upload":
            return answers.document("CompleteMultipartUploadResult", [("ETag", f'"{etag}"')])
        if self.name == "begin_upload":
            return answers.document("InitiateMultipartUploadResult", [("UploadId", "0" * 32)])
        return Reply(204 if self.name.startswith("delete") else 200, "OK", {"ETag": f'"{etag}"'})


_ASKED = {
    "location": "location", "versioning": "versioning", "uploads": "list_uploads", "versions": "list_versions",
    "object-lock": "object_lock", "lifecycle": "lifecycle",
}  # fmt: skip


def _of_bucket(method: str, parts: Container[str]) -> str:
    if method == "GET":
        for mark, name in _ASKED.items():
            if mark in parts:
                return name
        return "list_objects"
    if method == "POST" and "delete" in parts:
        return "delete_objects"
    if method == "PUT" and "versioning" in parts:
        return "set_versioning"
    return {"HEAD": "head_bucket", "PUT": "make_bucket", "DELETE": "remove_bucket"}.get(method, "unknown")


def _of_object(method: str, parts: Container[str]) -> str:
    upload = "uploadId" in parts
    if method == "POST":
        return "begin_upload" if "uploads" in parts else "complete_upload" if upload else "unknown"
    if method == "PUT":
        return "put_part" if upload else "put_object"
    if method == "DELETE":
        return "abort_upload" if upload else "delete_version" if "versionId" in parts else "delete_object"
    if method == "GET" and upload:
        return "list_parts"
    return "get_object" if method in ("GET", "HEAD") else "unknown"


def serve(objects: ObjectStore, call: Call) -> Reply:
    """Do it. Raises Refused and the object store's errors."""
    wrong = _NOT_THERE & call.asked.keys() - ({"partNumber"} if call.name == "put_part" else set())
    act = _ACTS.get(call.name)
    copies = "x-amz-copy-source" in call.headers and call.name != "copy_object"
    known = {"uploads"} | ({"versioning"} if call.name == "set_versioning" else set())
    if act is None or wrong or copies or (call.method != "GET" and call.asked.keys() & _ASKED.keys() - known):
        raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
    return act(objects, call)


def _list_buckets(objects: ObjectStore, call: Call) -> Reply:
    buckets: list[answers.Tree] = [("Bucket", [("Name", name), ("CreationDate", answers.moment(0))]) for name in objects.buckets()]
    return answers.document("ListAllMyBucketsResult", [("Buckets", buckets)])


def _list_objects(objects: ObjectStore, call: Call) -> Reply:
    asked = call.asked
    after = asked.get("continuation-token") or asked.get("start-after") or asked.get("marker") or ""
    limit = _number(call, "max-keys", LARGEST_PAGE)
    prefix = asked.get("prefix", "")
    keys = objects.keys(call.bucket, prefix, call.phrase)
    shown = page(keys, prefix, asked.get("delimiter", ""), after, limit, encrypted=call.encrypted)
    return answers.listing(call.bucket, shown, [objects.head(call.bucket, key, call.phrase) for key in shown.keys], asked)


def _list_uploads(objects: ObjectStore, call: Call) -> Reply:
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("IsTruncated", "false")]
    prefix = call.asked.get("prefix", "")
    for key, upload in objects.uploads(call.bucket, call.phrase):
        if key.startswith(prefix):
            tree.append(("Upload", [("Key", key), ("UploadId", upload), ("Initiated", answers.moment(0))]))
    return answers.document("ListMultipartUploadsResult", tree)


def _get_object(objects: ObjectStore, call: Call) -> Reply:
    if "versionId" in call.asked:
        found, content = objects.version(call.bucket, call.key, call.asked["versionId"])
    else:
        found = objects.head(call.bucket, call.key, call.phrase)
        content = objects.read(call.bucket, call.key, call.phrase)
    if unchanged(found, call.headers):
        return answers.not_modified(found)
    reply = answers.part_of_object(found, content, call.headers.get("range", ""))
    asked = {name.removeprefix("response-"): value for name, value in call.asked.items() if name.startswith("response-")}
    return replace(reply, headers={**{name: value for name, value in reply.headers.items() if name.lower() not in asked}, **asked})


def _put_object(objects: ObjectStore, call: Call) -> Reply:
    told = told_in(call.headers)
    etag = objects.write(call.bucket, call.key, call.body, call.phrase, only_new=_only_new(call), told=told)
    return Reply(200, "OK", {"ETag": f'"{_written(etag)}"'})


def _delete_object(objects: ObjectStore, call: Call) -> Reply:
    objects.delete(call.bucket, call.key, call.phrase)
    return Reply(204, "No Content")


def _copy_object(objects: ObjectStore, call: Call) -> Reply:
    source, _, query = call.headers["x-amz-copy-source"].partition("?")
    bucket, _, key = unquote(source).lstrip("/").partition("/")
    asked = dict(parse_qsl(query))
    former = asked.get("versionId")
    if former:
        source_object, content = objects.version(bucket, key, former)
    else:
        source_object, content = objects.head(bucket, key, call.phrase), objects.read(bucket, key, call.phrase)
    anew = call.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    if (bucket, key) == (call.bucket, call.key) and not anew and not former:
        raise Refused(400, "InvalidRequest", "This copy request is illegal: it changes nothing of the object.")
    told = told_in(call.headers) if anew else source_object.told
    etag = objects.write(call.bucket, call.key, content, call.phrase, only_new=_only_new(call), told=told)
    found = objects.head(call.bucket, call.key, call.phrase)
    tree: list[answers.Tree] = [("LastModified", answers.moment(found.written)), ("ETag", f'"{_written(etag)}"')]
    return answers.document("CopyObjectResult", tree)


def _delete_version(objects: ObjectStore, call: Call) -> Reply:
    if not objects.delete_version(call.bucket, call.key, call.asked["versionId"]):
        raise Refused(403, "AccessDenied", _LOCKED)
    return Reply(204, "No Content")


def _list_versions(objects: ObjectStore, call: Call) -> Reply:
    """All on one page: the door's other lists show how pages are gone through."""
    tree: list[answers.Tree] = [("Name", call.bucket), ("Prefix", call.asked.get("prefix", "")), ("IsTruncated", "false")]
    for found, one in objects.versions(call.bucket, call.asked.get("prefix", "")):
        facts: list[answers.Tree] = [
            ("Key", found.key), ("VersionId", one.version_id), ("IsLatest", str(one.latest).lower()),
            ("LastModified", answers.moment(one.written)),
        ]  # fmt: skip
        if not one.gone:
            facts += [("ETag", f'"{found.etag}"'), ("Size", str(one.size)), ("StorageClass", "STANDARD")]
        tree.append(("DeleteMarker" if one.gone else "Version", facts))
    return answers.document("ListVersionsResult", tree)


def _object_lock(objects: ObjectStore, call: Call) -> Reply:
    _head_bucket(objects, call)
    lock = objects.former.of(call.bucket).lock
    if lock is None:
        raise Refused(404, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
    rule: list[answers.Tree] = [("DefaultRetention", [("Mode", lock[0]), ("Days", str(lock[1]))])]
    return answers.document("ObjectLockConfiguration", [("ObjectLockEnabled", "Enabled"), ("Rule", rule)])


def _lifecycle(objects: ObjectStore, call: Call) -> Reply:
    _head_bucket(objects, call)
    days = objects.former.of(call.bucket).expires_days
    if not days:
        told = "A header you provided implies functionality that is not implemented."
        raise Refused(501, "NotImplemented", told, as_storj=True)
    former: list[answers.Tree] = [("NoncurrentDays", str(days))]
    rule: list[answers.Tree] = [("ID", "former"), ("Status", "Enabled"), ("NoncurrentVersionExpiration", former)]
    return answers.document("LifecycleConfiguration", [("Rule", rule)])


def _delete_objects(objects: ObjectStore, call: Call) -> Reply:
    given = call.headers.get("content-md5", "")
    if not given:
        raise Refused(400, "MissingContentMD5", "Missing required header for this request: Content-Md5.")
    if any(name.startswith("x-amz-checksum-") for name in call.headers):
        raise Refused(501, "NotImplemented", "Checksum options are not supported at this time.", as_storj=True)
    told: list[answers.Tree] = []
    for one in _elements(call.body, "Object"):
        which: list[answers.Tree] = [(_tag(each), each.text or "") for each in one if _tag(each) in ("Key", "VersionId")]
        named = dict(which)
        key, version = str(named.get("Key", "")), str(named.get("VersionId", ""))
        if not version:
            objects.delete(call.bucket, key, call.phrase)
        kept = bool(version) and not objects.delete_version(call.bucket, key, version)
        told.append(("Error", [*which, ("Code", "AccessDenied"), ("Message", _LOCKED)]) if kept else ("Deleted", which))
    return answers.document("DeleteResult", told)


def _begin_upload(objects: ObjectStore, call: Call) -> Reply:
    upload = objects.begin_upload(call.bucket, call.key, call.phrase, told_in(call.headers))
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload)]
    return answers.document("InitiateMultipartUploadResult", tree)


def _put_part(objects: ObjectStore, call: Call) -> Reply:
    number = call.asked.get("partNumber", "")
    if not number.isdigit() or not 1 <= int(number) <= MOST_PARTS:
        raise Refused(400, "InvalidArgument", f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive")
    etag = objects.put_part(_upload(objects, call), int(number), call.body)
    return Reply(200, "OK", {"ETag": f'"{etag}"'})


def _complete_upload(objects: ObjectStore, call: Call) -> Reply:
    numbers, etags = _texts(call.body, "PartNumber"), _texts(call.body, "ETag")
    if not numbers or len(numbers) != len(etags) or not all(text.isdigit() for text in numbers):
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our schema.")
    parts = [(int(number), etag) for number, etag in zip(numbers, etags, strict=True)]
    etag = objects.complete_upload(_upload(objects, call), parts, only_new=_only_new(call))
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("Key", call.key), ("ETag", f'"{_written(etag)}"')]
    return answers.document("CompleteMultipartUploadResult", tree)


def _abort_upload(objects: ObjectStore, call: Call) -> Reply:
    objects.abort_upload(_upload(objects, call))
    return Reply(204, "No Content")


def _list_parts(objects: ObjectStore, call: Call) -> Reply:
    """The parts of an upload, a thousand at most from behind the marker on."""
    upload, marker = _upload(objects, call), _number(call, "part-number-marker", 0)
    behind = [part for part in objects.parts(upload) if part[0] > marker]
    shown = behind[: min(_number(call, "max-parts", LARGEST_PAGE), LARGEST_PAGE)]
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload), ("PartNumberMarker", str(marker))]
    tree += [("IsTruncated", str(len(shown) < len(behind)).lower())]
    tree += [("NextPartNumberMarker", str(shown[-1][0]))] if shown else []
    for number, size, written, etag in shown:
        facts: list[answers.Tree] = [("PartNumber", str(number)), ("LastModified", answers.moment(written))]
        tree.append(("Part", [*facts, ("ETag", f'"{etag}"'), ("Size", str(size))]))
    return answers.document("ListPartsResult", tree)


def _upload(objects: ObjectStore, call: Call) -> str:
    """The upload that is asked for, which is this object's."""
    upload = call.asked["uploadId"]
    if not objects.is_for(upload, call.bucket, call.key, call.phrase):
        raise NoSuchUpload(upload)
    return upload


def _head_bucket(objects: ObjectStore, call: Call) -> Reply:
    next(iter(objects.keys(call.bucket, phrase=call.phrase)), None)  # raises when there is no such bucket
    return Reply(200, "OK")


def _make_bucket(objects: ObjectStore, call: Call) -> Reply:
    if call.bucket in objects.buckets():
        raise Refused(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded.")
    objects.make_bucket(call.bucket)
    return Reply(200, "OK", {"Location": f"/{call.bucket}"})


def _remove_bucket(objects: ObjectStore, call: Call) -> Reply:
    if not objects.remove_bucket(call.bucket):
        raise Refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
    return Reply(204, "No Content")


def _location(objects: ObjectStore, call: Call) -> Reply:
    _head_bucket(objects, call)
    return answers.document("LocationConstraint", "global")


def _versioning(objects: ObjectStore, call: Call) -> Reply:
    _head_bucket(objects, call)
    state = objects.former.of(call.bucket).state
    return answers.document("VersioningConfiguration", [("Status", state)] if state else [])


def _set_versioning(objects: ObjectStore, call: Call) -> Reply:
    _head_bucket(objects, call)
    wanted = [text for text in _texts(call.body, "Status") if text in ("Enabled", "Suspended")]
    if len(wanted) != 1:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our schema.")
    if objects.former.of(call.bucket).lock is not None and wanted != ["Enabled"]:
        raise Refused(409, "InvalidBucketState", "An Object Lock configuration is present on this bucket.")
    objects.former.of(call.bucket).state = wanted[0]
    return Reply(200, "OK")


def _only_new(call: Call) -> bool:
    condition = call.headers.get("if-none-match", "")
    if condition not in ("", "*"):
        raise Refused(501, "NotImplemented", "If-None-Match only supports *.")
    return condition == "*"


def _written(etag: str | None) -> str:
    if etag is None:
        raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    return etag


def _texts(body: bytes, name: str) -> list[str]:
    """Texts of all elements of this name, whatever their namespace."""
    return [element.text or "" for element in _elements(body, name)]


def _elements(body: bytes, name: str) -> list[ET.Element]:
    try:
        root = ET.fromstring(body)  # noqa: S314 - loopback, and only our own clients write here
    except ET.ParseError as error:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed.") from error
    return [element for element in root.iter() if _tag(element) == name]


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(call: Call, name: str, default: int) -> int:
    """A number in the query; absent or empty is the default."""
    text = call.asked.get(name) or str(default)
    if not text.isdigit():
        raise Refused(400, "InvalidArgument", f"Argument {name} must be an integer between 0 and 2147483647")
    return int(text)


_ACTS: dict[str, Callable[[ObjectStore, Call], Reply]] = {
    "list_buckets": _list_buckets,
    "list_objects": _list_objects,
    "list_uploads": _list_uploads,
    "get_object": _get_object,
    "put_object": _put_object,
    "delete_object": _delete_object,
    "delete_objects": _delete_objects,
    "delete_versions": _delete_objects,
    "begin_upload": _begin_upload,
    "put_part": _put_part,
    "complete_upload": _complete_upload,
    "abort_upload": _abort_upload,
    "head_bucket": _head_bucket,
    "make_bucket": _make_bucket,
    "remove_bucket": _remove_bucket,
    "location": _location,
    "versioning": _versioning,
    "set_versioning": _set_versioning,
    "list_parts": _list_parts,
    "copy_object": _copy_object,
    "delete_version": _delete_version,
    "list_versions": _list_versions,
    "object_lock": _object_lock,
    "lifecycle": _lifecycle,
}
