"""Checks Signature Version 4 of a request, and of its chunks where the body is signed piece by piece. Knows no object."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from house.files.grammar import number_of
from lab.wire.https import Request

CHUNKED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED = "UNSIGNED-PAYLOAD"
_SKEW_S = 15 * 60
# A presigned URL is good for a week at most.
_LONGEST_S = 7 * 86400
_EMPTY = hashlib.sha256(b"").hexdigest()
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<id>[^/]+)/(?P<scope>(?P<day>\d{8})/(?P<region>[^/]*)/s3/aws4_request),"
    r"\s*SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class Refused(Exception):
    """The request is not accepted: HTTP status, S3 error code, message.

    `as_storj`: it is Storj that says so, which the lab knows; a 501 without it is of what the lab does not model.
    """

    def __init__(self, status: int, code: str, message: str, *, as_storj: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.as_storj = as_storj


@dataclass(frozen=True)
class Claimed:
    """What the Authorization header claims, before it is checked."""

    key_id: str
    scope: str
    day: str
    region: str
    signed_headers: tuple[str, ...]
    signature: str
    date: str
    expires_s: float | None = None


def claimed(request: Request) -> Claimed:
    """Read the header. Raises Refused when there is none, or none that this store takes."""
    header = request.headers.get("authorization", "")
    if not header and "X-Amz-Signature=" in request.target:
        return _in_query(request)
    if not header:
        raise Refused(403, "AccessDenied", "Access Denied.")
    found = _AUTHORIZATION.fullmatch(header.strip())
    if found is None:
        raise Refused(400, "InvalidRequest", "authorization mechanism is not supported, please use AWS4-HMAC-SHA256")
    date = request.headers.get("x-amz-date", "")
    return Claimed(
        found["id"],
        found["scope"],
        found["day"],
        found["region"],
        tuple(found["headers"].split(";")),
        found["signature"],
        date,
    )


def _in_query(request: Request) -> Claimed:
    """Read a presigned URL."""
    asked = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
    scope = asked.get("X-Amz-Credential", "").split("/", 1)[-1]
    found = _AUTHORIZATION.fullmatch(
        f"{asked.get('X-Amz-Algorithm')} Credential={asked.get('X-Amz-Credential')},"
        f"SignedHeaders={asked.get('X-Amz-SignedHeaders')},Signature={asked.get('X-Amz-Signature')}"
    )
    expires = number_of(asked.get("X-Amz-Expires", ""), _LONGEST_S)
    if found is None or not expires:
        raise Refused(400, "AuthorizationQueryParametersError", "Error parsing the parameters of a presigned URL.")
    headers = tuple(found["headers"].split(";"))
    return Claimed(
        found["id"], scope, found["day"], found["region"], headers, found["signature"], asked.get("X-Amz-Date", ""), float(expires)
    )


def checked_body(request: Request, claim: Claimed, secret: str) -> bytes:
    """The body (out of its chunks), after signature, date and checksum were found right. Raises Refused."""
    try:
        stamp = timegm(time.strptime(claim.date, "%Y%m%dT%H%M%SZ"))
    except ValueError as error:
        raise Refused(403, "AccessDenied", "Missing or malformed x-amz-date.") from error
    if claim.expires_s is not None and not stamp - _SKEW_S <= time.time() <= stamp + claim.expires_s:
        raise Refused(403, "AccessDenied", "Request has expired")
    if claim.expires_s is None and abs(stamp - time.time()) > _SKEW_S:
        raise Refused(
            403, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large."
        )
    payload = request.headers.get("x-amz-content-sha256", _EMPTY if claim.expires_s is None else UNSIGNED)
    key = _signing_key(secret, claim)
    if not hmac.compare_digest(_sign(key, _to_sign(claim, _canonical(request, claim, payload))), claim.signature):
        raise Refused(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )
    if payload == CHUNKED:
        return _unchunked(request.body, key, claim)
    if payload.startswith("STREAMING-"):
        # What boto3 sends by default since 1.36; Storj's answer, misleading as it is.
        raise Refused(
            400, "InvalidRequest", f"authorization mechanism {payload} not supported, please use AWS4-HMAC-SHA256"
        )
    if payload != UNSIGNED and hashlib.sha256(request.body).hexdigest() != payload:
        raise Refused(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided x-amz-content-sha256 header does not match the body.",
        )
    return request.body


def _canonical(request: Request, claim: Claimed, payload: str) -> str:
    path, _, query = request.target.partition("?")
    given = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k != "X-Amz-Signature"]
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in given)
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in claim.signed_headers)
    return "\n".join(
        (
            request.method,
            quote(unquote(path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            headers,
            ";".join(claim.signed_headers),
            payload,
        )
    )


def _to_sign(claim: Claimed, canonical: str) -> str:
    return "\n".join(("AWS4-HMAC-SHA256", claim.date, claim.scope, hashlib.sha256(canonical.encode()).hexdigest()))


def _signing_key(secret: str, claim: Claimed) -> bytes:
    key = f"AWS4{secret}".encode()
    for word in (claim.day, claim.region, "s3", "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _unchunked(body: bytes, key: bytes, claim: Claimed) -> bytes:
    """`size;chunk-signature=…` lines and their chunks, each signed over the one before; the last one is empty."""
    previous, at, whole = claim.signature, 0, bytearray()
    while True:
        head, mark, _ = body[at:].partition(b"\r\n") if at < len(body) else (b"", b"", b"")
        size, _, signature = head.decode("latin-1").partition(";chunk-signature=")
        if not mark or not re.fullmatch(r"[0-9A-Fa-f]{1,8}", size):
            raise Refused(400, "IncompleteBody", "The body ended before its last chunk.")
        start = at + len(head) + 2
        chunk = body[start : start + int(size, 16)]
        text = "\n".join(
            ("AWS4-HMAC-SHA256-PAYLOAD", claim.date, claim.scope, previous, _EMPTY, hashlib.sha256(chunk).hexdigest())
        )
        if not hmac.compare_digest(_sign(key, text), signature):
            raise Refused(403, "SignatureDoesNotMatch", "A chunk's signature does not match.")
        if not chunk:
            return bytes(whole)
        whole += chunk
        previous, at = signature, start + len(chunk) + 2
