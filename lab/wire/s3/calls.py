"""What each S3 call does to the objects, and which calls there are. Knows no key, no signature and no fault."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import replace

from lab.wire.https import Reply
from lab.wire.s3 import answers, uploading, versioning, wishes
from lab.wire.s3.call import (
    NOT_IMPLEMENTED,
    OF_BUCKET,
    Call,
    elements,
    number,
    only_new,
    source_of,
    tag,
    texts,
    written,
)  # fmt: skip
from lab.wire.s3.conditions import check_source, unchanged
from lab.wire.s3.listings import LARGEST_PAGE, page
from lab.wire.s3.objects import ObjectStore
from lab.wire.s3.signature import Refused
from lab.wire.s3.told import told_in
from lab.wire.s3.versioning import LOCKED, named

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What Storj answers with 501, or what we leave out (then said in docs/lab.md).
_NOT_THERE = frozenset(
    {
        "acl", "policy", "cors", "replication", "encryption", "inventory", "notification", "website", "logging",
        "accelerate", "requestPayment", "tagging", "retention", "legal-hold", "torrent", "restore",
        "attributes", "select", "partNumber",
    }
)  # fmt: skip


def serve(objects: ObjectStore, call: Call) -> Reply:
    """Do it. Raises Refused and the object store's errors."""
    wishes.refuse(call)
    wrong = _NOT_THERE & call.asked.keys() - ({"partNumber"} if call.name in ("put_part", "copy_part") else set())
    act = _ACTS.get(call.name)
    copies = "x-amz-copy-source" in call.headers and call.name not in ("copy_object", "copy_part")
    known = {"uploads"} | ({"versioning"} if call.name == "set_versioning" else set())
    if act is None or wrong or copies or (call.method != "GET" and call.asked.keys() & OF_BUCKET.keys() - known):
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED)
    return act(objects, call)


def _list_buckets(objects: ObjectStore, call: Call) -> Reply:
    seen = [name for name in objects.buckets() if not call.buckets or name in call.buckets]
    buckets: list[answers.Tree] = [("Bucket", [("Name", name), ("CreationDate", answers.moment(0))]) for name in seen]
    return answers.document("ListAllMyBucketsResult", [("Buckets", buckets)])


def _list_objects(objects: ObjectStore, call: Call) -> Reply:
    asked = call.asked
    after = asked.get("continuation-token") or asked.get("start-after") or asked.get("marker") or ""
    limit = number(call, "max-keys", LARGEST_PAGE)
    prefix = asked.get("prefix", "")
    keys = objects.keys(call.bucket, prefix, call.phrase)
    shown = page(keys, prefix, asked.get("delimiter", ""), after, limit, encrypted=call.encrypted)
    return answers.listing(call.bucket, shown, [objects.head(call.bucket, key, call.phrase) for key in shown.keys], asked)


def _get_object(objects: ObjectStore, call: Call) -> Reply:
    version = call.asked.get("versionId", "")
    if version and objects.is_mark(call.bucket, call.key, version):
        raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    found, content = objects.named(call.bucket, call.key, version, call.phrase)
    if unchanged(found, call.headers):
        return answers.not_modified(found)
    reply = answers.part_of_object(found, content, call.headers.get("range", ""))
    asked = {name.removeprefix("response-"): value for name, value in call.asked.items() if name.startswith("response-")}
    reply = replace(reply, headers={**{name: value for name, value in reply.headers.items() if name.lower() not in asked}, **asked})
    return replace(reply, headers={**reply.headers, "x-amz-version-id": version}) if version else named(objects, call, reply)


def _put_object(objects: ObjectStore, call: Call) -> Reply:
    told = told_in(call.headers)
    etag = objects.write(call.bucket, call.key, call.body, call.phrase, only_new=only_new(call), told=told)
    return named(objects, call, Reply(200, "OK", {"ETag": f'"{written(etag)}"'}))


def _delete_object(objects: ObjectStore, call: Call) -> Reply:
    objects.delete(call.bucket, call.key, call.phrase)
    return named(objects, call, Reply(204, "No Content"))


def _copy_object(objects: ObjectStore, call: Call) -> Reply:
    source = source_of(call)
    source_object, content = objects.named(source.bucket, source.key, source.version, call.phrase)
    check_source(source_object, call.headers)
    anew = call.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    changed = anew or source.version or "x-amz-storage-class" in call.headers
    if (source.bucket, source.key) == (call.bucket, call.key) and not changed:
        raise Refused(400, "InvalidRequest", "This copy request is illegal: it changes nothing of the object.")
    told = told_in(call.headers) if anew else source_object.told
    etag = objects.write(call.bucket, call.key, content, call.phrase, only_new=only_new(call), told=told)
    found = objects.head(call.bucket, call.key, call.phrase)
    tree: list[answers.Tree] = [("LastModified", answers.moment(found.written)), ("ETag", f'"{written(etag)}"')]
    return named(objects, call, answers.document("CopyObjectResult", tree))


def _delete_objects(objects: ObjectStore, call: Call) -> Reply:
    given = call.headers.get("content-md5", "")
    if not given:
        raise Refused(400, "MissingContentMD5", "Missing required header for this request: Content-Md5.")
    wishes.refuse_sums(call)
    which_ones = elements(call.body, "Object")
    if not 0 < len(which_ones) <= LARGEST_PAGE:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our schema.")
    quiet = [text.lower() for text in texts(call.body, "Quiet")] == ["true"]
    told: list[answers.Tree] = []
    for one in which_ones:
        which: list[answers.Tree] = [(tag(each), each.text or "") for each in one if tag(each) in ("Key", "VersionId")]
        asked = dict(which)
        key, version = str(asked.get("Key", "")), str(asked.get("VersionId", ""))
        if not version:
            objects.delete(call.bucket, key, call.phrase)
        kept = bool(version) and not objects.delete_version(call.bucket, key, version)
        if kept or not quiet:
            told.append(("Error", [*which, ("Code", "AccessDenied"), ("Message", LOCKED)]) if kept else ("Deleted", which))
    return answers.document("DeleteResult", told)


def _head_bucket(objects: ObjectStore, call: Call) -> Reply:
    objects.require(call.bucket)
    return Reply(200, "OK")


def _make_bucket(objects: ObjectStore, call: Call) -> Reply:
    if call.bucket in objects.buckets():
        raise Refused(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded.")
    if not _BUCKET.fullmatch(call.bucket) or ".." in call.bucket or _is_address(call.bucket):
        raise Refused(400, "InvalidBucketName", "The specified bucket is not valid.")
    objects.make_bucket(call.bucket)
    return Reply(200, "OK", {"Location": f"/{call.bucket}"})


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.IPv4Address(name))
    except ValueError:
        return False


def _remove_bucket(objects: ObjectStore, call: Call) -> Reply:
    if not objects.remove_bucket(call.bucket):
        raise Refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
    return Reply(204, "No Content")


def _location(objects: ObjectStore, call: Call) -> Reply:
    _head_bucket(objects, call)
    return answers.document("LocationConstraint", "global")


_ACTS: dict[str, Callable[[ObjectStore, Call], Reply]] = {
    "list_buckets": _list_buckets,
    "list_objects": _list_objects,
    "list_uploads": uploading.list_uploads,
    "get_object": _get_object,
    "put_object": _put_object,
    "delete_object": _delete_object,
    "delete_objects": _delete_objects,
    "delete_versions": _delete_objects,
    "begin_upload": uploading.begin_upload,
    "put_part": uploading.put_part,
    "copy_part": uploading.copy_part,
    "complete_upload": uploading.complete_upload,
    "abort_upload": uploading.abort_upload,
    "head_bucket": _head_bucket,
    "make_bucket": _make_bucket,
    "remove_bucket": _remove_bucket,
    "location": _location,
    "versioning": versioning.versioning,
    "set_versioning": versioning.set_versioning,
    "list_parts": uploading.list_parts,
    "copy_object": _copy_object,
    "delete_version": versioning.delete_version,
    "list_versions": versioning.list_versions,
    "object_lock": versioning.object_lock,
    "lifecycle": versioning.lifecycle,
}
