"""One request to the S3 door: which call it is, and what its query, headers and body say. Knows no object."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

from house.files.grammar import number_of
from lab.wire.https import Reply
from lab.wire.s3 import answers
from lab.wire.s3.signature import Refused

_MOST = 2**31 - 1
NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented."


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
    # What its key is for alone; empty for every bucket.
    buckets: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The call's name in our words, "unknown" for what this store does not know."""
        if not self.bucket:
            return "list_buckets" if self.method == "GET" else "unknown"
        parts = self.asked.keys()
        if not self.key:
            name = _of_bucket(self.method, parts)
            return "delete_versions" if name == "delete_objects" and b"<VersionId" in self.body else name
        if self.method == "PUT" and "x-amz-copy-source" in self.headers:
            return "copy_part" if "uploadId" in parts else "copy_object"
        # A version that is named and empty is none.
        return _of_object(self.method, {part for part in parts if part != "versionId" or self.asked[part]})

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


OF_BUCKET = {
    "location": "location", "versioning": "versioning", "uploads": "list_uploads", "versions": "list_versions",
    "object-lock": "object_lock", "lifecycle": "lifecycle",
}  # fmt: skip


def _of_bucket(method: str, parts: Container[str]) -> str:
    if method == "GET":
        for mark, name in OF_BUCKET.items():
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


def only_new(call: Call) -> bool:
    """Whether it may only be written where there is none. Raises Refused for other conditions."""
    condition = call.headers.get("if-none-match", "")
    if condition not in ("", "*"):
        raise Refused(501, "NotImplemented", "If-None-Match only supports *.")
    return condition == "*"


def written(etag: str | None) -> str:
    """The ETag of what was written. Raises Refused where it was not, since there was one."""
    if etag is None:
        raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    return etag


def texts(body: bytes, name: str) -> list[str]:
    """Texts of all elements of this name, whatever their namespace."""
    return [element.text or "" for element in elements(body, name)]


def elements(body: bytes, name: str) -> list[ET.Element]:
    """All elements of this name, whatever their namespace. Raises Refused for what is no XML."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - loopback, and only our own clients write here
    except ET.ParseError as error:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed.") from error
    return [element for element in root.iter() if tag(element) == name]


def tag(element: ET.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def number(call: Call, name: str, default: int) -> int:
    """A number in the query; absent or empty is the default."""
    found = number_of(call.asked.get(name) or str(default), _MOST)
    if found is None:
        raise Refused(400, "InvalidArgument", f"Argument {name} must be an integer between 0 and {_MOST}")
    return found


@dataclass(frozen=True)
class Source:
    """What is copied: `version` is "" for the object as it is now."""

    bucket: str
    key: str
    version: str


def source_of(call: Call) -> Source:
    """What the header of a copy names."""
    path, _, query = call.headers["x-amz-copy-source"].partition("?")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    if not bucket or not key:
        wanted = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey."
        raise Refused(400, "InvalidArgument", wanted)
    return Source(bucket, key, dict(parse_qsl(query)).get("versionId", ""))
