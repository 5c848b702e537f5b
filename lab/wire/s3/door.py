"""The S3 door: takes requests over TLS, checks who asks, lets faults and weather have their way, and serves the objects.

Behaves as Storj's gateway does where that differs from AWS. Not modelled: life cycles that act, POST forms.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from engine.secrets import Secret
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.s3 import answers
from lab.wire.s3.call import Call, source_of
from lab.wire.s3.calls import serve
from lab.wire.s3.conditions import check_digest, check_key
from lab.wire.s3.objects import MAIN, NoSuchBucket, NoSuchKey, NoSuchUpload, ObjectStore, WrongParts
from lab.wire.s3.signature import Refused, checked_body, claimed
from lab.world.faults import Fault, Faults

EVERYTHING = frozenset({"read", "list", "write", "delete", "delete versions"})
WRITES = frozenset({
    "put_object", "put_part", "complete_upload", "begin_upload", "delete_object", "make_bucket", "delete_objects",
    "copy_object", "copy_part",
})  # fmt: skip
_MAY = {
    "get_object": "read", "list_objects": "list", "list_uploads": "list", "list_parts": "list", "list_versions": "list",
    "delete_object": "delete", "remove_bucket": "delete", "set_versioning": "write", "abort_upload": "write",
    "delete_objects": "delete", "delete_version": "delete versions", "delete_versions": "delete versions",
}  # fmt: skip
_PARTS = {
    "InvalidPartOrder": "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
    "InvalidPart": "One or more of the specified parts could not be found.",
    "EntityTooSmall": "Your proposed upload is smaller than the minimum allowed object size.",
}
_ACCOUNT_LIMIT = "You have reached the limit of your account."


@dataclass(frozen=True)
class AccessKey:
    """One key of the store. `phrase` decides which objects it sees; `buckets` empty means all; `expired` keys are refused."""

    key_id: str
    secret: Secret
    phrase: str = MAIN
    may: frozenset[str] = EVERYTHING
    buckets: frozenset[str] = frozenset()
    expired: bool = False


@dataclass
class Weather:
    """How the store is just now. `throttled`: so many requests more get 429; `limit`: every data request gets 403 with this code;
    `down`: connections are cut; `slow_s`: seconds before each answer."""

    throttled: int = 0
    limit: str = ""
    down: bool = False
    slow_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def throttles(self) -> bool:
        """Whether this request is one too many."""
        with self.lock:
            self.throttled = max(0, self.throttled - 1) if (struck := self.throttled > 0) else 0
            return struck


class S3Door:
    """A running S3 endpoint on loopback; `close` leaves no thread behind. `unknown` holds every request that is not modelled,
    `read` how many bytes of each object (`bucket/key`) were handed out."""

    def __init__(
        self,
        objects: ObjectStore,
        keys: tuple[AccessKey, ...],
        context: ssl.SSLContext,
        faults: Faults,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        encrypted: bool = True,
        slow_fault_s: float = 2.0,
        on_death: Callable[[str], None] | None = None,
    ) -> None:
        """`encrypted`: the project manages its own encryption (order and prefixes of listings). Port 0: any free one.

        `on_death` is told the mutation at which a death is played: the store's clients are not the tool that is killed.
        """
        self.objects = objects
        self.weather = Weather()
        self.unknown: list[str] = []
        self.read: Counter[str] = Counter()
        self._keys: Mapping[str, AccessKey] = {key.key_id: key for key in keys}
        self._faults = faults
        self._encrypted = encrypted
        self._slow_fault_s = slow_fault_s
        self._on_death = on_death
        self._server = HttpsServer(address, port, context, self.answer, lambda: not self.weather.down, chunked=True)

    @property
    def url(self) -> str:
        """`https://address:port`."""
        return self._server.url

    @property
    def sent(self) -> int:
        """See HttpsServer."""
        return self._server.sent

    def start(self) -> S3Door:
        """Begin to answer."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._server.close()

    def keep(self, key: AccessKey) -> None:
        """Keep this key from now on, in place of the one with its id."""
        self._keys = {**self._keys, key.key_id: key}

    def answer(self, request: Request) -> Reply:
        """One request, one answer: every refusal becomes the error that Storj's gateway gives."""
        resource = request.target.partition("?")[0]
        if self.weather.down:
            return Reply(drop=True)
        if self.weather.slow_s:
            time.sleep(self.weather.slow_s)
        try:
            if self.weather.throttles():
                raise Refused(429, "SlowDown", "Please reduce your request rate.")
            call = self._call(request)
            return self._struck(call)
        except Refused as error:
            if error.status == 501 and not error.as_storj:
                self.unknown.append(f"{request.method} {request.target}: {error.code}")
            return answers.refused(error, resource)
        except NoSuchBucket:
            return answers.refused(Refused(404, "NoSuchBucket", "The specified bucket does not exist"), resource)
        except NoSuchKey:
            return answers.refused(Refused(404, "NoSuchKey", "The specified key does not exist."), resource)
        except WrongParts as wrong:
            return answers.refused(Refused(400, str(wrong), _PARTS[str(wrong)]), resource)
        except NoSuchUpload:
            return answers.refused(Refused(404, "NoSuchUpload", "The specified multipart upload does not exist."), resource)

    def _call(self, request: Request) -> Call:
        """Who asks for what: signature, permissions and limits found right."""
        claim = claimed(request)
        key = self._keys.get(claim.key_id)
        if key is None:
            raise Refused(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
        body = checked_body(request, claim, key.secret.reveal())
        path, _, query = request.target.partition("?")
        bucket, _, name = unquote(path).lstrip("/").partition("/")
        asked = dict(parse_qsl(query, keep_blank_values=True))
        call = Call(request.method, bucket, name, asked, request.headers, body, key.phrase, self._encrypted, key.buckets)
        permission = _MAY.get(call.name, "write" if call.name in WRITES else "")
        allowed = not permission or permission in key.may
        touched = {bucket} if bucket else set()
        if call.name in ("copy_object", "copy_part"):
            touched.add(source_of(call).bucket)
            allowed = allowed and "read" in key.may
        if key.expired or not allowed or (key.buckets and touched - key.buckets):
            raise Refused(403, "AccessDenied", "Access Denied.")
        if self.weather.limit and permission:
            raise Refused(403, self.weather.limit, _ACCOUNT_LIMIT)
        check_key(call.key)
        if call.name in ("copy_object", "copy_part"):
            check_key(source_of(call).key)
        check_digest(call.body, call.headers)
        return call

    def _struck(self, call: Call) -> Reply:
        """Serve it, unless a fault is armed for this mutation."""
        fault = self._faults.strike("s3", call.name, call.target) if call.name in WRITES else None
        if fault is Fault.DIE_BEFORE:
            return self._dead(call)
        if fault is Fault.ERROR_TWICE:
            raise Refused(500, "InternalError", "We encountered an internal error, please try again.")
        if fault is Fault.LIE_ONCE:
            return call.as_if_done()
        if fault is Fault.SLOW:
            time.sleep(self._slow_fault_s)
        reply = serve(self.objects, call)
        if call.name == "get_object" and call.method == "GET" and reply.status in (200, 206):
            self.read[call.target] += len(reply.body)
        if fault in (Fault.DIE_AFTER, Fault.DIE_DURING):
            return self._dead(call)
        if fault is Fault.LOSE_REPLY:
            return Reply(drop=True)
        return reply

    def _dead(self, call: Call) -> Reply:
        if self._on_death is not None:
            self._on_death(f"s3.{call.name}/{call.target}")
        return Reply(drop=True)
