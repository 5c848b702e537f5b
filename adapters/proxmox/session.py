"""Connections to the Proxmox endpoints: which one, with which certificate, one client per thread. Knows no call of the API."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from proxmoxer.backends.https import Backend
from proxmoxer.core import AuthenticationError, ProxmoxResource, ResourceException
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from adapters.proxmox.admission import Admission
from adapters.proxmox.errors import HostSilent, never_connected, not_the_api, translate
from engine.errors import BlackstartError, PermanentError, SettingsInvalid, TransientError
from engine.secrets import Secret
from house.model import ProxmoxAccess, ProxmoxEndpoint

# proxmoxer logs request bodies, passwords included, as soon as somebody turns its level up.
for _name in ("proxmoxer", "proxmoxer.core", "proxmoxer.backends.https"):
    logging.getLogger(_name).disabled = True

# PVE drops a connection that was idle for 5 s (pve-http-server): a request on it would die, and for a POST we could not
# tell whether it arrived. Younger ones are reused.
_IDLE_S = 3.0

_OF_A_HOST = re.compile(r"/nodes/([^/]+)/")
_FOREIGN = (
    ResourceException,
    AuthenticationError,
    requests.exceptions.RequestException,
    AttributeError,
    KeyError,
    TypeError,
)


@dataclass(frozen=True)
class Timeouts:
    """Seconds. PVE itself waits up to 30 s for another host before it answers 596, so `answer_s` must be above that.

    Once `patience_s` have passed no further endpoint is asked: a host that is online and hangs hangs through each of them.
    """

    connect_s: float = 5.0
    answer_s: float = 40.0
    patience_s: float = 45.0


class _Pinned(HTTPAdapter):
    """Takes only a certificate with this SHA-256 fingerprint ("" leaves the check to the authority alone).

    `alone`: no authority is asked besides.
    """

    def __init__(self, fingerprint: str, *, alone: bool) -> None:
        self._fingerprint, self._alone = fingerprint, alone
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Hand the fingerprint to urllib3, which compares it after the handshake and before the first byte is sent."""
        if self._fingerprint:
            kwargs["assert_fingerprint"] = self._fingerprint
            if self._alone:
                # urllib3 reads this machine's whole list of authorities for each connection otherwise, and asks none of them.
                kwargs["ssl_context"] = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
        super().init_poolmanager(*args, **kwargs)


def _worth_another_endpoint(error: Exception, ours: BlackstartError, *, looks: bool) -> bool:
    if isinstance(ours, PermanentError):
        return False
    if isinstance(error, ResourceException):
        # 595 and above: this host cannot reach the one in the path; another endpoint may be that very host.
        return looks and int(error.status_code) >= 595
    return looks or never_connected(error)


def _fit_for_a_header(secret: Secret) -> Secret:
    """The same. What http.client raises for a value of several lines quotes it, so that one must not get there."""
    value = secret.reveal()
    if not (value.isascii() and value.isprintable()):
        raise SettingsInvalid(
            "the Proxmox token's secret holds a sign that none of its kind has, or more than one line",
            hint="proxmox.token.secret is the value that was shown once, when the token was made: letters, digits and -",
        )
    return secret


@dataclass
class _Client:
    resource: ProxmoxResource
    session: requests.Session
    used: float


class Sessions:
    """Sends one request to the first endpoint that can be reached, and remembers which that was."""

    def __init__(self, access: ProxmoxAccess, secret: Callable[[], Secret], timeouts: Timeouts | None = None) -> None:
        """`secret` is asked once, when the first connection is made, so that a house can be read without its secrets.

        `access` may be without endpoints (backups are looked at with the rest of the settings unfinished): asking is refused then.
        """
        self._access = access
        self._secret = secret
        self._timeouts = timeouts or Timeouts()
        self._first = 0
        self._local = threading.local()
        self._admission = Admission()
        self._resolved: Secret | None = None
        self._resolving = threading.Lock()

    def send(self, method: str, path: str, doing: str, parameters: Mapping[str, str | int | bool] | None = None) -> Any:
        """The `data` of the answer. Parameters: booleans become 1 and 0, as PVE wants them.

        A request that only looks (GET) moves on to the next endpoint on any loss of connection; one that changes something
        only when it cannot have arrived. Raises TransientError or PermanentError.
        """
        if not self._access.endpoints:
            raise SettingsInvalid("no Proxmox endpoint is given", hint="proxmox.endpoints needs at least one address")
        wire = {key: int(value) if isinstance(value, bool) else value for key, value in (parameters or {}).items()}
        with self._admission.request():
            return self._ask(method, path, doing, wire)

    def _ask(self, method: str, path: str, doing: str, wire: dict[str, str | int]) -> Any:
        """Through the endpoints in turn, from the one that answered last."""
        first = self._first
        lost: list[BlackstartError] = []
        began = time.monotonic()
        for offset in range(len(self._access.endpoints)):
            index = (first + offset) % len(self._access.endpoints)
            endpoint = self._access.endpoints[index].url
            try:
                answer = self._send_to(index, method, path, wire)
            except _FOREIGN as error:
                ours = translate(error, doing, endpoint)
                self._drop(index)
                if not _worth_another_endpoint(error, ours, looks=method == "GET"):
                    raise ours from None
                lost.append(ours)
                if isinstance(ours, HostSilent) and time.monotonic() - began >= self._timeouts.patience_s:
                    break
                continue
            if isinstance(answer, dict) and isinstance(answer.get("errors"), bytes):
                raise not_the_api(endpoint, doing)
            self._first = index
            return answer
        raise self._unreached(path, doing, lost)

    def _unreached(self, path: str, doing: str, lost: list[BlackstartError]) -> BlackstartError:
        """Why no endpoint gave an answer. Where a host is asked about, and some endpoint was there, that host is the silent one."""
        host = _OF_A_HOST.match(path)
        if host and any(isinstance(error, HostSilent) for error in lost):
            return TransientError(
                f"Proxmox host {host[1]} gives no answer: could not {doing}",
                evidence=tuple("; ".join((error.what, *error.evidence)) for error in lost),
                hint=f"if `pvecm status` counts {host[1]} in, it is on and hangs: look at its console",
            )
        if len(lost) == 1:
            return lost[0]
        return TransientError(
            f"no Proxmox endpoint can be reached to {doing}",
            evidence=tuple(error.what for error in lost),
            hint="is any Proxmox host up, and reachable from here on its API port?",
        )

    def close(self) -> None:
        """Close this thread's connections; another request opens them again."""
        for index in range(len(self._access.endpoints)):
            self._drop(index)

    def _send_to(self, index: int, method: str, path: str, wire: dict[str, str | int]) -> Any:
        client = self._client(index)
        resource = client.resource(path.strip("/"))
        verbs = {"GET": resource.get, "POST": resource.post, "PUT": resource.put, "DELETE": resource.delete}
        try:
            return verbs[method](**wire)
        finally:
            client.used = time.monotonic()

    def _client(self, index: int) -> _Client:
        clients: dict[int, _Client] = self._local.__dict__.setdefault("clients", {})
        client = clients.get(index)
        if client is not None and time.monotonic() - client.used > _IDLE_S:
            client.session.close()
            client = None
        if client is None:
            client = clients[index] = self._connect(self._access.endpoints[index])
        return client

    def _token(self) -> Secret:
        with self._resolving:
            if self._resolved is None:
                self._resolved = _fit_for_a_header(self._secret())
            return self._resolved

    def _drop(self, index: int) -> None:
        clients: dict[int, _Client] = self._local.__dict__.setdefault("clients", {})
        client = clients.pop(index, None)
        if client is not None:
            client.session.close()

    def _connect(self, endpoint: ProxmoxEndpoint) -> _Client:
        url = urlsplit(endpoint.url)
        user, _, name = self._access.token_id.partition("!")
        if url.scheme != "https" or not url.hostname or not name:
            raise SettingsInvalid(
                "the Proxmox access in the settings is not usable",
                evidence=(endpoint.url, self._access.token_id),
                hint="endpoints look like https://host:8006, the token id like user@realm!name",
            )
        # With a pinned fingerprint no authority is needed; with neither, the machine's own authorities decide.
        verify: str | bool = endpoint.ca_file or not endpoint.fingerprint
        backend = Backend(
            url.hostname,
            port=url.port or 8006,
            user=user,
            token_name=name,
            token_value=self._token().reveal(),
            verify_ssl=verify,
            timeout=(self._timeouts.connect_s, self._timeouts.answer_s),
        )
        session = backend.get_session()
        # No proxy, no .netrc and no CA bundle from the environment: what the settings say is all that counts.
        session.trust_env = False
        session.max_redirects = 0
        session.mount("https://", _Pinned(endpoint.fingerprint, alone=verify is False))
        resource = ProxmoxResource(
            base_url=backend.get_base_url(), session=session, serializer=backend.get_serializer()
        )
        return _Client(resource, session, time.monotonic())
