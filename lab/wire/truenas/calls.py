"""One connection to a box: who is logged in, what it subscribed to, and what each call comes to. Knows no socket.

The order of checks is the server's: the name, the path's translation, the login and the role, then the parameters.
"""

from __future__ import annotations

import logging
import posixpath
import threading
import uuid
from collections.abc import Callable
from typing import Any

from lab.wire.truenas import hardware
from lab.wire.truenas.forms import V25_04, V25_10, V26, Forms, Release, moment
from lab.wire.truenas.jobs import Job, Jobs
from lab.wire.truenas.limits import Logins
from lab.wire.truenas.methods import METHODS, MODELLESS, NONE_OF_THEM, UNTRANSLATED, Method
from lab.wire.truenas.queries import BadQuery, NoMatch, answered
from lab.wire.truenas.scram import BadMessage, Exchange
from lab.wire.truenas.wanted import wrong
from lab.world.nas import LabNas, LabUser

ENOENT, EACCES, EBUSY, EINVAL, ENOMETHOD, ENOTAUTHENTICATED = 2, 13, 16, 22, 201, 207
NAMES = {
    ENOENT: "ENOENT", EACCES: "EACCES", EBUSY: "EBUSY", EINVAL: "EINVAL", ENOMETHOD: "ENOMETHOD",
    ENOTAUTHENTICATED: "ENOTAUTHENTICATED",
}  # fmt: skip
_EVENTS = frozenset({
    "alert.list", "pool.query", "pool.dataset.query", "service.query", "replication.query", "core.get_jobs", "system.ready",
    "system.reboot", "system.shutdown",
})  # fmt: skip
_LOOK_S = 0.1
log = logging.getLogger(__name__)
_OPTIONS = ("legacy_jobs", "private_methods", "py_exceptions")


class Failed(Exception):
    """A call that is answered with an error: its code, message and data."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({"data": data} if data is not None else {})}


def failed(errno: int, reason: str, *, bare: bool = False) -> Failed:
    """-32001 with the server's data; `bare`: the reason without the errno's name before it. The trace is as a client gets it."""
    named = NAMES[errno]
    told = reason if bare else f"[{named}] {reason}"
    trace = {"class": "CallError", "formatted": f"Traceback: {told}", "repr": f"CallError({told!r})", "frames": []}
    return Failed(-32001, "Method call error", {"error": errno, "errname": named, "reason": told, "trace": trace, "extra": None})


def invalid(attribute: str | None, message: str, errno: int = EINVAL) -> Failed:
    """-32602: `data.error` is always 22, the errno itself stands in `extra` alone."""
    reason = f"[{NAMES[errno]}] {attribute}: {message}"
    data = {"error": EINVAL, "errname": "EINVAL", "reason": reason, "trace": None, "extra": [[attribute, message, errno]]}
    return Failed(-32602, "Invalid params", data)


def _absolute(path: str) -> str:
    """A path without its detours; raises Failed for one that does not begin at the root."""
    if not path.startswith("/"):
        raise failed(EINVAL, f"{path}: path must be absolute")
    return posixpath.normpath(path)


class Connection:
    """What one connection knows. `tell` sends a notification to it."""

    def __init__(
        self, nas: LabNas, path: Release, jobs: Jobs, logins: Logins, address: str, now: Callable[[], float], secure: bool,
        tell: Callable[[dict[str, Any]], None], binding: bytes = b"",
    ) -> None:  # fmt: skip
        """`binding`: the digest of the certificate that this connection showed."""
        self._nas, self._path, self._jobs, self._logins, self._address = nas, path, jobs, logins, address
        self._forms, self._now, self._secure, self._tell = Forms(nas, min(path, nas.release), now), now, secure, tell
        self._binding = binding
        self._exchange: Exchange | None = None
        self.user: LabUser | None = None
        self.gone = threading.Event()
        self._subscribed: dict[str, str] = {}
        self._options = {"legacy_jobs": True, "private_methods": False, "py_exceptions": False}

    def call(self, name: str, params: list[Any], message_id: Any) -> Any:
        """The result; raises Failed."""
        method = METHODS.get(name)
        release = min(self._path, self._nas.release)
        if method is None or release not in (*method.releases, *method.hidden):
            log.warning("a client called %r, which is not known here", name[:80])
            raise Failed(-32601, "Method does not exist")
        old_path = self._path == V25_04 and self._nas.release > V25_04
        if old_path and name in UNTRANSLATED:
            plugin, _, short = name.rpartition(".")
            raise failed(ENOMETHOD, f"Method {short!r} not found in {plugin!r}")
        self._allow(name, method, release)
        for attribute, message in wrong(name, params, query=method.query):
            raise invalid(attribute, message)
        if method.job:
            return self._job(name, params, message_id)
        answer = self._answer(name, method, params)
        if old_path and name in MODELLESS:
            raise failed(EINVAL, f"API version 'v25.04.2' does not contain model {MODELLESS[name]!r}", bare=True)
        return answer

    def _allow(self, name: str, method: Method, release: Release) -> None:
        if method.open_in(release) and not (name == "core.ping" and release < V25_10):
            if self.user is None and name != "core.set_options" and not self._logins.allowed(name, self._address):
                raise failed(EBUSY, "Rate Limit Exceeded")
            return
        if self.user is None:
            raise failed(ENOTAUTHENTICATED, "Not authenticated")
        full = self.user.may(())
        if release in method.hidden and not full:
            raise failed(EACCES, "Not authorized")
        if method.roles in (("any login",), ("before login",)):
            return
        if name == self._nas.weather.refuse:
            raise failed(EACCES, "Not authorized")
        admin_only = release == V25_04 and name in ("system.ready", "system.state")
        if not (full if admin_only else self.user.may(method.roles)):
            raise failed(EACCES, "Not authorized")

    def _rows(self) -> dict[str, Callable[[], list[dict[str, Any]]]]:
        """Every list that can be filtered, by its method."""
        forms = self._forms
        return {
            "pool.query": forms.pools, "pool.scrub.query": forms.scrubs, "pool.dataset.query": forms.datasets,
            "pool.snapshottask.query": forms.tasks, "pool.snapshot.query": forms.snapshots, "zfs.snapshot.query": forms.snapshots,
            "replication.query": forms.replications, "sharing.nfs.query": forms.nfs, "sharing.smb.query": forms.smb,
            "service.query": forms.services, "smart.test.results": forms.tests, "core.get_jobs": self._own_jobs,
            "disk.query": lambda: hardware.disks(self._nas, forms.release), **dict.fromkeys(NONE_OF_THEM, list),
        }  # fmt: skip

    def _answer(self, name: str, method: Method, params: list[Any]) -> Any:
        if not method.query:
            return self._plain(name, params)
        if name == "filesystem.listdir":
            found, params = self._forms.listed(_absolute(params[0])), params[1:]
        else:
            found = self._rows()[name]()
        if found is None:
            raise failed(ENOENT, "Directory does not exist")
        filters, options = (params[0] if params else [], params[1] if len(params) > 1 else {})
        try:
            return answered(found, filters, options)
        except BadQuery as error:
            raise invalid("filters", str(error)) from None
        except NoMatch:
            raise failed(EINVAL, "MatchNotFound()", bare=True) from None

    def _plain(self, name: str, params: list[Any]) -> Any:
        forms, version = self._forms, self._nas.version
        simple: dict[str, Callable[[], Any]] = {
            "alert.list": forms.alerts, "system.info": forms.info, "system.version": lambda: version, "core.ping": lambda: "pong",
            "system.version_short": lambda: version, "system.ready": lambda: not self._nas.starting, "auth.me": self._me,
            "system.state": lambda: "BOOTING" if self._nas.starting else "READY", "auth.logout": self._logout,
            "auth.mechanism_choices": self._mechanisms, "disk.temperatures": lambda: hardware.temperatures(self._nas),
            "boot.get_state": lambda: hardware.boot(forms), "system.host_id": lambda: "5f" * 32,
            "system.product_type": lambda: "COMMUNITY_EDITION", "system.global.id": lambda: "5f5f5f5f-5f5f-4f5f-8f5f-5f5f5f5f5f5f",
            "smb.status": list, "directoryservices.status": lambda: dict.fromkeys(("type", "status", "status_msg")),
            "update.status": lambda: hardware.update(version),
        }  # fmt: skip
        if name in simple:
            return simple[name]()
        first = params[0] if params else None
        if name.endswith(".get_instance"):
            return self._instance(name.removesuffix(".get_instance"), first)
        if name == "auth.login":
            return False  # nobody has a password here
        if name == "auth.login_ex":
            return self._login(first)
        if name == "auth.login_with_api_key":
            return self._login_with_key(first)
        if name == "core.set_options":
            return self._set_options(first)
        if name == "core.subscribe":
            return self._subscribe(first)
        if name == "core.unsubscribe":
            self._subscribed.pop(str(first), None)
            return None
        if name == "zfs.resource.snapshot.query":
            return forms.resource_snapshots(first if isinstance(first, dict) else {})
        if name == "service.started":
            return self._nas.services.get(str(first), (False, False))[1]
        path = _absolute(str(first))
        found = forms.stat(path) if name == "filesystem.stat" else hardware.statfs(self._nas, path)
        if found is None:
            raise failed(ENOENT, f"Path {first} not found")
        return found

    def _instance(self, plugin: str, number: Any) -> dict[str, Any]:
        """One row of a list, by its id."""
        found = next((row for row in self._rows()[f"{plugin}.query"]() if row["id"] == number), None)
        if found is None:
            raise invalid(None, f"{plugin.rpartition('.')[2].capitalize()} {number} does not exist", ENOENT)
        return found

    # Logins.

    def _login(self, given: Any) -> dict[str, Any]:
        told = given if isinstance(given, dict) else {}
        if told.get("mechanism") == "SCRAM" and min(self._path, self._nas.release) >= V26:
            return self._scram(told)
        unheld = {"PASSWORD_PLAIN": ("username", "password"), "TOKEN_PLAIN": ("token",)}.get(str(told.get("mechanism")))
        if unheld is not None and all(isinstance(told.get(field), str) for field in unheld):
            return {"response_type": "AUTH_ERR"}  # nobody has a password here, and no token was given out
        texts = all(isinstance(told.get(field), str) for field in ("username", "api_key"))
        if told.get("mechanism") != "API_KEY_PLAIN" or not texts:
            raise invalid("login_data", "Field required")
        options = told.get("login_options") or {}
        known = {"user_info", "reconnect_token"} if self._nas.release >= V26 and self._path >= V26 else {"user_info"}
        if not isinstance(options, dict) or not set(options) <= known:
            raise invalid("login_data.login_options", "Extra inputs are not permitted")
        if self._nas.weather.standby:
            return {"response_type": "REDIRECT", "urls": ["10.0.0.2"]}
        response = self._judged(told["username"], told["api_key"])
        if response != "SUCCESS":
            return {"response_type": response}
        info = self._me() if options.get("user_info", True) else None
        answer = {"response_type": "SUCCESS", "user_info": info, "authenticator": "LEVEL_1"}
        return {**answer, "reconnect_token": None} if self._path >= V26 else answer

    def _scram(self, told: dict[str, Any]) -> dict[str, Any]:
        """One message of a login in which the key is not sent; the second one ends it, well or not."""
        kind, text = told.get("scram_type"), told.get("rfc_str")
        if kind not in ("CLIENT_FIRST_MESSAGE", "CLIENT_FINAL_MESSAGE") or not isinstance(text, str):
            raise invalid("login_data.scram_type", "Field required")
        exchange, self._exchange = self._exchange, None
        try:
            if kind == "CLIENT_FIRST_MESSAGE":
                exchange = Exchange(text)
        except BadMessage:
            raise invalid("login_data.rfc_str", "is no message of SCRAM") from None
        user = next((one for one in self._nas.users if exchange is not None and one.name == exchange.name), None)
        number, _, key = user.key.partition("-") if user is not None else ("", "", "")
        if exchange is None or user is None or number != exchange.number:
            return {"response_type": "AUTH_ERR"}
        answer = {"response_type": "SCRAM_RESPONSE", "scram_type": "SERVER_FIRST_RESPONSE", "user_info": None}
        if kind == "CLIENT_FIRST_MESSAGE":
            self._exchange = exchange
            return {**answer, "rfc_str": exchange.answer(key)}
        proof = exchange.proven(text, key, self._binding)
        response = "AUTH_ERR" if proof is None else self._admitted(user)
        if response != "SUCCESS":
            return {"response_type": response}
        return {**answer, "scram_type": "SERVER_FINAL_RESPONSE", "rfc_str": proof, "user_info": self._me()}

    def _judged(self, name: str, key: str) -> str:
        """The response type; the user is logged in with SUCCESS. A right key without TLS is revoked on the spot."""
        user = next((one for one in self._nas.users if one.name == name), None)
        if user is None or user.key != key:
            return "AUTH_ERR"
        if not self._secure and not user.expired and not user.revoked:
            user.revoked = True
            return "EXPIRED"
        return self._admitted(user)

    def _admitted(self, user: LabUser) -> str:
        """What becomes of a user who has shown the right key."""
        if user.revoked and self._nas.release >= V26:
            return "AUTH_ERR"
        if user.expired or user.revoked:
            return "EXPIRED"
        if not user.roles:
            return "DENIED" if self._nas.release >= V26 else "AUTH_ERR"
        self.user = user
        return "SUCCESS"

    def _login_with_key(self, key: Any) -> bool:
        owner = next((one.name for one in self._nas.users if one.key == key), "")
        return self._judged(owner, str(key)) == "SUCCESS"

    def _logout(self) -> bool:
        self.user = None
        return True

    def _mechanisms(self) -> list[str]:
        if self._nas.release < V26 and self.user is None:
            raise failed(EINVAL, "'NoneType' object has no attribute 'may_create_auth_token'", bare=True)
        new = ["SCRAM"] if self._nas.release >= V26 else []
        return ["API_KEY_PLAIN", "TOKEN_PLAIN", "PASSWORD_PLAIN", *new]

    def _me(self) -> dict[str, Any]:
        assert self.user is not None  # a login comes before it
        roles = sorted(self.user.roles)
        factor = {"provisioning_uri": None, "secret_configured": False, "interval": 30, "otp_digits": 6}
        privilege = {"allowlist": [], "roles": roles, "web_shell": False, "webui_access": False}
        return {
            "pw_name": self.user.name, "pw_gecos": "", "pw_dir": "/var/empty", "pw_shell": "/usr/sbin/nologin", "pw_uid": 3001,
            "pw_gid": 3001, "grouplist": [3001], "sid": None, "source": "LOCAL", "local": True, "attributes": {},
            "two_factor_config": factor, "privilege": privilege, "account_attributes": ["LOCAL", "API_KEY"],
        }  # fmt: skip

    # Options, events, jobs.

    def _set_options(self, given: Any) -> dict[str, bool] | None:
        told = given if isinstance(given, dict) else {}
        known = _OPTIONS if self._nas.release > V25_04 else ("py_exceptions",)
        self._options.update({key: bool(value) for key, value in told.items() if key in known})
        return None if self._nas.release == V25_04 else dict(self._options)

    def _subscribe(self, event: Any) -> str:
        if event not in _EVENTS:
            raise failed(EACCES, "Not authorized")
        number = str(uuid.uuid4())
        self._subscribed[number] = str(event)
        return number

    def hear(self, collection: str, number: Any, fields: dict[str, Any], owner: str) -> None:
        """An event of the box: told when it was subscribed to; jobs are told to their owner alone."""
        if collection in self._subscribed.values() and self.user is not None and (not owner or owner == self.user.name):
            event = {"msg": "changed", "collection": collection, "id": number, "fields": fields}
            self._tell({"jsonrpc": "2.0", "method": "collection_update", "params": event})

    def _own_jobs(self) -> list[dict[str, Any]]:
        assert self.user is not None  # a login comes before it
        return [self._job_row(job) for job in self._jobs.of(self.user)]

    def _job_row(self, job: Job) -> dict[str, Any]:
        data: dict[str, Any] = {"username": job.owner, "login_at": moment(job.began), "api_key": {"id": 3, "name": job.owner}}
        row: dict[str, Any] = {
            "id": job.number, "method": job.method, "arguments": job.arguments, "transient": False, "description": None,
            "abortable": False, "logs_path": None, "logs_excerpt": None,
            "progress": {"percent": 100 if job.ended else 0, "description": "", "extra": None}, "result": job.result,
            "result_encoding_error": None, "error": None, "exception": None, "exc_info": None,
            "state": "SUCCESS" if job.ended else "RUNNING", "time_started": moment(job.began), "time_finished": moment(job.ended),
            "credentials": {"type": "API_KEY", "data": data},
        }  # fmt: skip
        if self._nas.release > V25_04:
            row["message_ids"] = job.message_ids
            data["login_id"] = "00000000-0000-4000-8000-0000000000aa"
        return row

    def _job(self, name: str, params: list[Any], message_id: Any) -> Any:
        assert self.user is not None  # a login comes before it
        if name != "pool.dataset.encryption_summary":
            raise Failed(-32601, "Method does not exist")
        dataset = str(params[0]) if params else ""
        if dataset not in {one.name for one in self._nas.there()}:
            raise invalid("id", f"Dataset {dataset} does not exist", ENOENT)
        done = threading.Event()

        def ended(job: Job) -> None:
            done.set()
            self._jobs.tell(job.number, self._job_row(job), job.owner)

        job = self._jobs.begin(name, params, self.user.name, message_id, lambda: self._forms.summary(dataset), ended)
        if self._options["legacy_jobs"]:
            return job.number
        while not done.wait(_LOOK_S):
            if self.gone.is_set():
                raise Failed(-32603, "the connection has ended")
        return job.result
