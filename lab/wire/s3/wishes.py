"""What headers ask of a store beside the call itself, and is refused: to take the object and not the wish would be a lie."""

from __future__ import annotations

from lab.wire.s3.call import NOT_IMPLEMENTED, Call
from lab.wire.s3.signature import Refused

_SSE = "x-amz-server-side-encryption"
_KEYS = ("server-side-encryption-aws-kms", "server-side-encryption-customer")
_LOCKS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date")


def refuse(call: Call) -> None:
    """Refuse keys of the client's own or of a key service as Storj does (storj/minio, cmd/object-handlers.go; it takes AES256
    alone, which it does anyhow), and as not modelled an object's own retention, its hold and its tags, and that it be written or
    deleted only as long as it is as it was. Raises Refused."""
    named = call.headers.get(_SSE, "AES256")
    foreign = named.upper() != "AES256" or any(each in name for name in call.headers for each in _KEYS)
    if foreign and call.method in ("GET", "HEAD"):
        raise Refused(400, "BadRequest", "400 BadRequest", as_storj=True)
    if foreign:
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED, as_storj=True)
    if "if-match" in call.headers and call.method not in ("GET", "HEAD"):
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED)
    held = call.headers.get("x-amz-object-lock-legal-hold", "OFF").upper() != "OFF"
    if held or call.headers.get("x-amz-tagging") or any(call.headers.get(name) for name in _LOCKS):
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED)
