"""S3's answers as XML and headers. Decides nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import quote
from xml.etree import ElementTree as ET

from lab.wire.https import Reply
from lab.wire.s3.listings import Page
from lab.wire.s3.objects import StoredObject
from lab.wire.s3.signature import Refused
from lab.wire.s3.told import DEFAULT

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
Tree = tuple[str, "str | list[Tree]"]
"""An element's name, and its text or its children."""


def document(root: str, children: list[Tree] | str, status: int = 200) -> Reply:
    """An XML answer; `children` a text where the root holds nothing else."""
    element = ET.Element(root) if root == "Error" else ET.Element(root, xmlns=_NAMESPACE)  # errors have none
    if isinstance(children, str):
        element.text = children
    else:
        _fill(element, children)
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(element)
    return Reply(status, HTTPStatus(status).phrase, {"Content-Type": "application/xml"}, body)


def refused(error: Refused, resource: str) -> Reply:
    """An error as S3 words it."""
    tree: list[Tree] = [("Code", error.code), ("Message", str(error)), ("Resource", resource), ("RequestId", "0")]
    return document("Error", tree, error.status)


def whole_object(found: StoredObject, content: bytes) -> Reply:
    """The object with its headers (also what HEAD answers: the server leaves the body out)."""
    return Reply(200, "OK", object_headers(found), content)


def part_of_object(found: StoredObject, content: bytes, wanted: str) -> Reply:
    """The bytes of one Range header; one that says nothing is no wish. Raises Refused 416 when it lies outside."""
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", wanted.strip())
    first, last = match.groups() if match else ("", "")
    if not (first or last) or (first and last and int(first) > int(last)):
        return whole_object(found, content)
    if not first:
        start, end = max(0, len(content) - int(last)), len(content) - 1
    else:
        start, end = int(first), min(int(last), len(content) - 1) if last else len(content) - 1
    if start >= len(content) or start > end:
        raise Refused(416, "InvalidRange", "The requested range is not satisfiable.")
    headers = object_headers(found) | {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
    return Reply(206, "Partial Content", headers, content[start : end + 1])


def object_headers(found: StoredObject) -> dict[str, str]:
    """What every answer about an object says of it: its facts, and what its writer said."""
    return {
        "ETag": f'"{found.etag}"',
        "Last-Modified": formatdate(found.written, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Type": found.told.get("content-type", DEFAULT),
        **{name: value for name, value in found.told.items() if name != "content-type"},
    }


def not_modified(found: StoredObject) -> Reply:
    """The reader has it."""
    return Reply(304, "Not Modified", object_headers(found))


def listing(bucket: str, shown: Page, objects: Iterable[StoredObject], asked: dict[str, str]) -> Reply:
    """One page of version 1 or 2, as `asked` (the query) wants it."""
    url = asked.get("encoding-type") == "url"
    second = asked.get("list-type") == "2"
    name = (lambda text: quote(text, safe="/-_.~")) if url else str
    tree: list[Tree] = [
        ("Name", bucket),
        ("Prefix", name(asked.get("prefix", ""))),
        ("MaxKeys", asked.get("max-keys", "1000")),
        ("IsTruncated", "true" if shown.after else "false"),
    ]
    if asked.get("delimiter"):
        tree.append(("Delimiter", asked["delimiter"]))
    if url:
        tree.append(("EncodingType", "url"))
    if second:
        tree.append(("KeyCount", str(len(shown.keys) + len(shown.folders))))
        tree += [("NextContinuationToken", shown.after)] if shown.after else []
    else:
        tree.append(("Marker", name(asked.get("marker", ""))))
        tree += [("NextMarker", name(shown.after))] if shown.after else []
    for one in objects:
        tree.append(
            (
                "Contents",
                [
                    ("Key", name(one.key)),
                    ("LastModified", moment(one.written)),
                    ("ETag", f'"{one.etag}"'),
                    ("Size", str(one.size)),
                    ("StorageClass", "STANDARD"),
                ],
            )
        )
    tree += [("CommonPrefixes", [("Prefix", name(folder))]) for folder in shown.folders]
    return document("ListBucketResult", tree)


def moment(seconds: float) -> str:
    """ISO 8601 with milliseconds, as S3 writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03}Z"


def _fill(element: ET.Element, children: list[Tree]) -> None:
    for name, content in children:
        child = ET.SubElement(element, name)
        if isinstance(content, str):
            child.text = content
        else:
            _fill(child, content)
