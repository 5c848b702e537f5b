"""Registries over HTTPS, by the API that all of them have (OCI distribution, v2): the head of a manifest, and no layer of it.

Nobody's credentials are sent. A registry that gives to everybody wants a token all the same, which it gives to everybody, too.
What Docker's registry counts are manifests that are got, not heads of them (docs.docker.com, Docker Hub usage and limits).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from adapters.registries.results import DOCKER, Allowance, ImageLook, Reference, Standing, reference_of
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.text import jsontext
from house.values.rehearsing import Mirror

_TIMEOUT_S = (5.0, 15.0)
_HOSTS = {DOCKER: "registry-1.docker.io"}
_KINDS = (
    "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
)  # fmt: skip
_OTHER_KINDS = ("application/vnd.docker.distribution.manifest.v1+", "application/vnd.")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_LARGEST, _CHUNK = 1 << 20, 1 << 14
_ANY = "*"
_SILENCES = 2
"""After so many images in a row of which a registry says nothing, it is not asked for the rest of a run: each would cost a wait."""


class RegistriesAdapter:
    """RegistriesView (port.py). `mirrors`: registry, or `*` for all others → what machines ask in its place.

    What a registry has said of an image is not asked twice in one run.
    """

    def __init__(self, mirrors: Mapping[str, Mirror]) -> None:
        self._mirrors = mirrors
        self._known: dict[str, ImageLook | BlackstartError] = {}
        self._silences: dict[str, list[TransientError]] = {}
        self._lock = threading.Lock()

    def look(self, image: str) -> ImageLook:
        """See port.RegistriesView."""
        with self._lock:  # one question at a time: registries count those, too
            if image not in self._known:
                try:
                    self._known[image] = self._unless_silent(reference_of(image))
                except BlackstartError as error:
                    self._known[image] = error
            found = self._known[image]
        if isinstance(found, BlackstartError):
            raise found
        return found

    def _unless_silent(self, wanted: Reference) -> ImageLook:
        silences = self._silences.setdefault(wanted.registry, [])
        if len(silences) >= _SILENCES:
            raise silences[-1]
        try:
            found = self._look(wanted)
        except TransientError as error:
            silences.append(error)
            raise
        silences.clear()
        return found

    def _look(self, wanted: Reference) -> ImageLook:
        mirror = self._mirrors.get(wanted.registry) or self._mirrors.get(_ANY)
        base = mirror.url if mirror is not None else f"https://{_HOSTS.get(wanted.registry, wanted.registry)}"
        with _Registry(base, mirror.ca_file if mirror is not None else "") as registry:
            return registry.look(wanted, of=wanted.registry if mirror is not None else "")


@dataclass(frozen=True)
class _Answer:
    """One answer; header names in any case. The body is b"" where nobody wanted it: of a manifest its head is enough."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class _Registry:
    """One registry at `base`, for one question."""

    def __init__(self, base: str, ca_file: str) -> None:
        self._base, self._host = base.rstrip("/"), urlsplit(base).netloc
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_file or True

    def __enter__(self) -> _Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def look(self, wanted: Reference, of: str) -> ImageLook:
        """Whether it has this. `of` tells a mirror whose image is asked for, as container engines tell it."""
        url = f"{self._base}/v2/{wanted.repository}/manifests/{wanted.wanted}"
        headers = {"Accept": ", ".join(_KINDS)}
        query = {"ns": of} if of else {}
        answer = self._asked("HEAD", url, headers, query)
        if answer.status == 401:
            token = self._token(answer.headers.get("WWW-Authenticate", ""))
            if not token:
                return ImageLook(Standing.REFUSED, self._host, "it gives this to nobody without credentials, or has no such image")
            headers["Authorization"] = f"Bearer {token}"
            answer = self._asked("HEAD", url, headers, query)
        if answer.status in (404, 405):  # not every registry knows HEAD
            answer = self._asked("GET", url, headers, query)
        return self._judged(answer, wanted)

    def _judged(self, answer: _Answer, wanted: Reference) -> ImageLook:
        status, allowance = answer.status, _allowance(answer.headers)
        match status:
            case 200:
                return self._held(answer, wanted, allowance)
            case 404:
                return ImageLook(Standing.ABSENT, self._host, "404 Not Found", allowance)
            case 401 | 403:
                told = f"{status}: it gives this to nobody without credentials, or has no such image"
                return ImageLook(Standing.REFUSED, self._host, told, allowance)
            case 429:
                return ImageLook(Standing.LIMITED, self._host, "429: no more may be pulled from here for now", Allowance(0))
        raise self._silent(f"{status} {answer.reason}")

    def _held(self, answer: _Answer, wanted: Reference, allowance: Allowance | None) -> ImageLook:
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in _KINDS and not kind.startswith(_OTHER_KINDS):
            told = f"what it answers is no manifest ({kind or 'of no kind'})"
            raise self._silent(f"{told}: is it the registry, or a page in front of it?")
        digest = answer.headers.get("Docker-Content-Digest", "")
        if wanted.pinned and digest and digest != wanted.wanted:
            return ImageLook(Standing.ABSENT, self._host, f"it answers with {digest[:19]} in its place", allowance)
        return ImageLook(Standing.THERE, self._host, digest, allowance)

    def _token(self, challenge: str) -> str:
        """What lets anybody pull, "" where nobody without credentials may."""
        scheme, _, rest = challenge.partition(" ")
        told = dict(_CHALLENGE.findall(rest))
        realm = told.pop("realm", "")
        if scheme.lower() != "bearer" or not realm.startswith("https://"):
            return ""
        query = {key: told[key] for key in ("service", "scope") if key in told}
        answer = self._asked("GET", realm, {}, query, whole=True)
        if answer.status in (400, 401, 403, 404):
            return ""
        if answer.status != 200:
            raise self._silent(f"{answer.status} {answer.reason} where it gives tokens")
        try:
            body = jsontext.read(answer.body, jsontext.an_object)
            token = body.get("token") or body.get("access_token")
        except jsontext.Malformed:
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self._silent("what it gives for a token is none")
        return token

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str], query: Mapping[str, str], *, whole: bool = False
    ) -> _Answer:  # fmt: skip
        try:
            with self._session.request(
                method, url, headers=dict(headers), params=dict(query), timeout=_TIMEOUT_S, stream=True
            ) as answer:  # fmt: skip
                if not answer.url.startswith("https://"):
                    raise self._silent("it leads to another place that is not https")
                body = self._body(answer) if whole else b""
                return _Answer(answer.status_code, answer.reason, answer.headers, body)
        except requests.exceptions.SSLError:
            raise PermanentError(
                f"the certificate of the registry {self._host} is not trusted",
                hint="is its authority known here (rehearsal.registries, ca_file), and is the clock right?",
            ) from None
        except (requests.exceptions.RequestException, OSError) as error:
            raise self._silent(type(error).__name__) from None

    def _body(self, answer: requests.Response) -> bytes:
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > _LARGEST:
                raise self._silent("its answer has no end")
        return bytes(body)

    def _silent(self, why: str) -> TransientError:
        return TransientError(
            f"the registry {self._host} does not say what it has: {why}", hint="is it up, and reachable from here?"
        )


def _allowance(headers: Mapping[str, str]) -> Allowance | None:
    """As Docker's registry tells it: `ratelimit-remaining: 76;w=21600`; None where nothing is counted, or not to be understood."""
    left, _ = _counted(headers.get("ratelimit-remaining", ""))
    limit, window = _counted(headers.get("ratelimit-limit", ""))
    return Allowance(left, limit, window) if left is not None else None


def _counted(text: str) -> tuple[int | None, int | None]:
    found = re.fullmatch(r"\s*(\d{1,9})\s*(?:;\s*w=(\d{1,9}).*)?", text)
    return (int(found[1]), int(found[2]) if found[2] else None) if found else (None, None)
