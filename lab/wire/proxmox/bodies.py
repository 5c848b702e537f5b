"""What a request to the Proxmox door carries, in its path, query and body, as pve-http-server takes it. Knows no call."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from engine.text.jsontext import Malformed, an_object, read
from lab.wire.https import Request
from lab.wire.proxmox.schema import Given
from lab.world.pve.access import Refusal, parameter_refusal

_FORM, _JSON, _PARTS = "application/x-www-form-urlencoded", "application/json", "multipart/form-data"


def parameters(request: Request, query: str, in_path: Mapping[str, str]) -> tuple[dict[str, Given], bytes]:
    """Parameters of query, body and path together, and the file of an upload (else empty).

    A key that stands twice is a list. What is in the path may be said again, but not otherwise.
    """
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if request.body and request.method in ("GET", "DELETE"):
        raise Refusal(501, f"Unexpected content for method '{request.method}'")
    given: dict[str, Given] = {}
    file = b""
    _gather(given, query)
    if request.body and kind == _FORM:
        _gather(given, request.body.decode("utf-8", "replace"))
    elif request.body and kind == _JSON:
        given |= _from_json(request.body)
    elif request.body and kind == _PARTS:
        parts, file = _from_parts(request)
        given |= parts
    elif request.body:
        raise Refusal(506, f"upload 'Content-Type '{kind}' not implemented")
    for key, value in in_path.items():
        if given.setdefault(key, value) != value:
            raise parameter_refusal(**{key: "duplicate parameter (already defined in URI) with conflicting values!"})
    return given, file


def _gather(given: dict[str, Given], text: str) -> None:
    for key, value in parse_qsl(text, keep_blank_values=True):
        before = given.get(key)
        given[key] = value if before is None else [*before, value] if isinstance(before, list) else [str(before), value]


def _from_json(body: bytes) -> dict[str, Given]:
    try:
        found = read(body, an_object)
    except Malformed:
        raise Refusal(400, "unable to parse JSON parameters") from None
    return {key: _plain(value) for key, value in found.items() if value is not None}


def _plain(value: Any) -> Given:
    """Numbers are text as in a form; what is nested stays, for the schema to refuse."""
    if isinstance(value, bool | str | dict):
        return value
    return (
        [str(each) for each in value]
        if isinstance(value, list)
        else f"{value:.15g}"
        if isinstance(value, float)
        else str(value)
    )


def _from_parts(request: Request) -> tuple[dict[str, Given], bytes]:
    """An upload: its fields, its file's name as `filename`, and the file."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    given: dict[str, Given] = {}
    file = b""
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        name = str(part.get_param("name", header="content-disposition"))
        if part.get_filename() is not None:
            given["filename"], file = str(part.get_filename()), content
        else:
            given[name] = content.decode("utf-8", "replace").strip("\r\n")
    return given, file
