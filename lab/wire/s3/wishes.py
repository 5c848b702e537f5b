"""What headers ask of a store beside the call itself, and is refused: to take the object and not the wish would be a lie."""

from __future__ import annotations

from lab.wire.s3.call import NOT_IMPLEMENTED, Call
from lab.wire.s3.signature import Refused

_SSE = "x-amz-server-side-encryption"
_KEYS = ("server-side-encryption-aws-kms", "server-side-encryption-customer")
_SUMS = ("x-amz-checksum-", "x-amz-sdk-checksum-algorithm")
_SUMMED = ("put_object", "put_part", "begin_upload", "complete_upload")
_LOCKS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date")


def refuse_sums(call: Call) -> None:
    """Refuse sums that are not looked at. Raises Refused."""
    if any(name.startswith(_SUMS) for name in call.headers):
        raise Refused(501, "NotImplemented", "Checksum options are not supported at this time.", as_storj=True)


def refuse(call: Call) -> None:
    """Refuse keys of the client's own or of a key service as Storj does (storj/minio, cmd/object-handlers.go; it takes AES256
    alone, which it does anyhow), sums of other kinds than MD5 as its coming front does, and as not modelled a bucket with a lock,
    an object's own retention, its hold and its tags, and that it be written or deleted only as long as it is as it was.

    Raises Refused.
    """
    named = call.headers.get(_SSE, "AES256")
    foreign = named.upper() != "AES256" or any(each in name for name in call.headers for each in _KEYS)
    if foreign and call.method in ("GET", "HEAD"):
        raise Refused(400, "BadRequest", "400 BadRequest", as_storj=True)
    if foreign:
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED, as_storj=True)
    if call.name in _SUMMED:
        refuse_sums(call)
    if call.name == "make_bucket" and call.headers.get("x-amz-bucket-object-lock-enabled", "false").lower() != "false":
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED)
    if "if-match" in call.headers and call.method not in ("GET", "HEAD"):
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED)
    held = call.headers.get("x-amz-object-lock-legal-hold", "OFF").upper() != "OFF"
    if held or call.headers.get("x-amz-tagging") or any(call.headers.get(name) for name in _LOCKS):
        raise Refused(501, "NotImplemented", NOT_IMPLEMENTED)
