"""The calls of an upload in parts. Knows no key, no signature and no fault."""

from __future__ import annotations

import re
import time

from house.files.grammar import number_of
from lab.wire.https import Reply
from lab.wire.s3 import answers
from lab.wire.s3.call import NOT_IMPLEMENTED, Call, number, only_new, source_of, texts, written
from lab.wire.s3.conditions import check_source
from lab.wire.s3.listings import LARGEST_PAGE
from lab.wire.s3.objects import NoSuchUpload, ObjectStore
from lab.wire.s3.signature import Refused
from lab.wire.s3.told import told_in
from lab.wire.s3.versioning import named

MOST_PARTS = 10_000


def list_uploads(objects: ObjectStore, call: Call) -> Reply:
    """ListMultipartUploads."""
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("IsTruncated", "false")]
    prefix = call.asked.get("prefix", "")
    for key, upload in objects.uploads(call.bucket, call.phrase):
        if key.startswith(prefix):
            tree.append(("Upload", [("Key", key), ("UploadId", upload), ("Initiated", answers.moment(0))]))
    return answers.document("ListMultipartUploadsResult", tree)


def begin_upload(objects: ObjectStore, call: Call) -> Reply:
    """CreateMultipartUpload."""
    upload = objects.begin_upload(call.bucket, call.key, call.phrase, told_in(call.headers))
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload)]
    return answers.document("InitiateMultipartUploadResult", tree)


def put_part(objects: ObjectStore, call: Call) -> Reply:
    """UploadPart."""
    etag = objects.put_part(_upload(objects, call), _part_number(call), call.body)
    return Reply(200, "OK", {"ETag": f'"{etag}"'})


def copy_part(objects: ObjectStore, call: Call) -> Reply:
    """UploadPartCopy. Storj has it for those alone who asked for it, which no project with its own encryption here did."""
    if call.encrypted:
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED, as_storj=True)
    number, upload, source = _part_number(call), _upload(objects, call), source_of(call)
    found, content = objects.named(source.bucket, source.key, source.version, call.phrase)
    check_source(found, call.headers)
    piece = _range(content, call.headers.get("x-amz-copy-source-range"))
    etag = objects.put_part(upload, number, piece)
    return answers.document("CopyPartResult", [("LastModified", answers.moment(time.time())), ("ETag", f'"{etag}"')])


def _part_number(call: Call) -> int:
    number = number_of(call.asked.get("partNumber", ""), MOST_PARTS)
    if not number:
        raise Refused(400, "InvalidArgument", f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive")
    return number


def _range(content: bytes, wanted: str | None) -> bytes:
    """The bytes of a copy's range, which has both ends, inside of the object."""
    if wanted is None:
        return content
    found = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{1,18})", wanted)
    if found is None or not int(found[1]) <= int(found[2]) < len(content):
        raise Refused(400, "InvalidArgument", f"Range specified is not valid for source object of size: {len(content)}")
    return content[int(found[1]) : int(found[2]) + 1]


def complete_upload(objects: ObjectStore, call: Call) -> Reply:
    """CompleteMultipartUpload."""
    numbers = [number_of(text, MOST_PARTS) for text in texts(call.body, "PartNumber")]
    etags = texts(call.body, "ETag")
    if not numbers or len(numbers) != len(etags) or None in numbers:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our schema.")
    parts = [(number or 0, etag) for number, etag in zip(numbers, etags, strict=True)]
    etag = objects.complete_upload(_upload(objects, call), parts, only_new=only_new(call))
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("Key", call.key), ("ETag", f'"{written(etag)}"')]
    return named(objects, call, answers.document("CompleteMultipartUploadResult", tree))


def abort_upload(objects: ObjectStore, call: Call) -> Reply:
    """AbortMultipartUpload."""
    objects.abort_upload(_upload(objects, call))
    return Reply(204, "No Content")


def list_parts(objects: ObjectStore, call: Call) -> Reply:
    """The parts of an upload, a thousand at most from behind the marker on."""
    upload, marker = _upload(objects, call), number(call, "part-number-marker", 0)
    behind = [part for part in objects.parts(upload) if part[0] > marker]
    shown = behind[: min(number(call, "max-parts", LARGEST_PAGE), LARGEST_PAGE)]
    tree: list[answers.Tree] = [("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload), ("PartNumberMarker", str(marker))]
    tree += [("IsTruncated", str(len(shown) < len(behind)).lower())]
    tree += [("NextPartNumberMarker", str(shown[-1][0]))] if shown else []
    for place, size, at, etag in shown:
        facts: list[answers.Tree] = [("PartNumber", str(place)), ("LastModified", answers.moment(at))]
        tree.append(("Part", [*facts, ("ETag", f'"{etag}"'), ("Size", str(size))]))
    return answers.document("ListPartsResult", tree)


def _upload(objects: ObjectStore, call: Call) -> str:
    """The upload that is asked for, which is this object's."""
    upload = call.asked["uploadId"]
    if not objects.is_for(upload, call.bucket, call.key, call.phrase):
        raise NoSuchUpload(upload)
    return upload
