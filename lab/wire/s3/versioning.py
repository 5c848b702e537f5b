"""The calls about versions, and what a bucket does to them. Knows no key, no signature and no fault."""

from __future__ import annotations

from dataclasses import replace

from lab.wire.https import Reply
from lab.wire.s3 import answers
from lab.wire.s3.call import NOT_IMPLEMENTED, Call, number, texts
from lab.wire.s3.listings import LARGEST_PAGE
from lab.wire.s3.objects import ObjectStore, StoredObject
from lab.wire.s3.signature import Refused
from lab.wire.s3.versions import StoredVersion

LOCKED = "Access Denied because object protected by object lock."
Row = tuple[str, tuple[StoredObject, StoredVersion] | None]
"""A key with one version of it, or a folder."""


def named(objects: ObjectStore, call: Call, reply: Reply) -> Reply:
    """The answer, with the version that its object now is where versions are kept."""
    newest = objects.newest(call.bucket, call.key, call.phrase)
    return reply if newest is None else replace(reply, headers={**reply.headers, **_headers(newest.version_id, gone=newest.gone)})


def _headers(version_id: str, *, gone: bool) -> dict[str, str]:
    return {"x-amz-version-id": version_id} | ({"x-amz-delete-marker": "true"} if gone else {})


def delete_version(objects: ObjectStore, call: Call) -> Reply:
    """DeleteObject of one version."""
    version = call.asked["versionId"]
    gone = objects.is_mark(call.bucket, call.key, version)
    if not objects.delete_version(call.bucket, call.key, version):
        raise Refused(403, "AccessDenied", LOCKED)
    return Reply(204, "No Content", _headers(version, gone=gone))


def list_versions(objects: ObjectStore, call: Call) -> Reply:
    """ListObjectVersions, in the order of the keys, of one key the newest first."""
    asked, prefix, delimiter = call.asked, call.asked.get("prefix", ""), call.asked.get("delimiter", "")
    limit = min(number(call, "max-keys", LARGEST_PAGE), LARGEST_PAGE)
    after = (asked.get("key-marker", ""), asked.get("version-id-marker", ""))
    rows = _behind(_rows(objects, call.bucket, prefix, delimiter), *after)
    shown, more = rows[:limit], len(rows) > limit
    tree: list[answers.Tree] = [
        ("Name", call.bucket), ("Prefix", prefix), ("KeyMarker", after[0]), ("VersionIdMarker", after[1]),
        ("MaxKeys", str(limit)), ("IsTruncated", str(more).lower()),
    ]  # fmt: skip
    tree += [("Delimiter", delimiter)] if delimiter else []
    if more and shown:
        key, found = shown[-1]
        tree += [("NextKeyMarker", key)] + ([("NextVersionIdMarker", found[1].version_id)] if found else [])
    tree += [_row(*found) for _, found in shown if found is not None]
    tree += [("CommonPrefixes", [("Prefix", key)]) for key, found in shown if found is None]
    return answers.document("ListVersionsResult", tree)


def _rows(objects: ObjectStore, bucket: str, prefix: str, delimiter: str) -> list[Row]:
    """Versions under the prefix by their keys, and folders."""
    rows: list[Row] = []
    for found, one in sorted(objects.versions(bucket, prefix), key=lambda pair: pair[0].key):
        head, cut, _ = found.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not cut:
            rows.append((found.key, (found, one)))
        elif rows[-1:] != [(folder := prefix + head + cut, None)]:
            rows.append((folder, None))
    return rows


def _behind(rows: list[Row], key: str, version: str) -> list[Row]:
    """What comes behind this version of this key, or behind all of this key's where no version is named."""
    places = [at for at, (name, found) in enumerate(rows) if name == key and found and found[1].version_id == version]
    return rows[places[0] + 1 :] if places else [row for row in rows if row[0] > key]


def _row(found: StoredObject, one: StoredVersion) -> answers.Tree:
    facts: list[answers.Tree] = [
        ("Key", found.key), ("VersionId", one.version_id), ("IsLatest", str(one.latest).lower()),
        ("LastModified", answers.moment(one.written)),
    ]  # fmt: skip
    if not one.gone:
        facts += [("ETag", f'"{found.etag}"'), ("Size", str(one.size)), ("StorageClass", "STANDARD")]
    return ("DeleteMarker" if one.gone else "Version", facts)


def object_lock(objects: ObjectStore, call: Call) -> Reply:
    """GetObjectLockConfiguration."""
    objects.require(call.bucket)
    lock = objects.former.of(call.bucket).lock
    if lock is None:
        raise Refused(404, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
    rule: list[answers.Tree] = [("DefaultRetention", [("Mode", lock[0]), ("Days", str(lock[1]))])]
    return answers.document("ObjectLockConfiguration", [("ObjectLockEnabled", "Enabled"), ("Rule", rule)])


def lifecycle(objects: ObjectStore, call: Call) -> Reply:
    """GetBucketLifecycleConfiguration."""
    objects.require(call.bucket)
    days = objects.former.of(call.bucket).expires_days
    if not days:
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED, as_storj=True)
    former: list[answers.Tree] = [("NoncurrentDays", str(days))]
    rule: list[answers.Tree] = [("ID", "former"), ("Status", "Enabled"), ("NoncurrentVersionExpiration", former)]
    return answers.document("LifecycleConfiguration", [("Rule", rule)])


def versioning(objects: ObjectStore, call: Call) -> Reply:
    """GetBucketVersioning."""
    objects.require(call.bucket)
    state = objects.former.of(call.bucket).state
    return answers.document("VersioningConfiguration", [("Status", state)] if state else [])


def set_versioning(objects: ObjectStore, call: Call) -> Reply:
    """PutBucketVersioning."""
    objects.require(call.bucket)
    wanted = [text for text in texts(call.body, "Status") if text in ("Enabled", "Suspended")]
    if len(wanted) != 1:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our schema.")
    if objects.former.of(call.bucket).lock is not None and wanted != ["Enabled"]:
        raise Refused(409, "InvalidBucketState", "An Object Lock configuration is present on this bucket.")
    objects.former.of(call.bucket).state = wanted[0]
    return Reply(200, "OK")
