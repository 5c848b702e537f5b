"""The Manifests port: the custom resource definitions of one entry of the settings, fetched once and kept by their checksum.

What came from a server is believed only by its SHA-256; a file that is kept is checked as a fresh one is. Knows no API server.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import requests

from adapters.helm.crds import crds_in
from adapters.helm.results import Crd
from adapters.process.results import ProgramFailed, Runner
from engine.errors import PermanentError, TransientError
from engine.files.content import content_of
from engine.files.whole import write_whole
from engine.text.words import last_lines
from house.model import CrdForm, CrdSource

LARGEST = 64 << 20
_CONNECT_S, _ANSWER_S, _BUILD_S = 10.0, 60.0, 60.0
_CHUNK = 1 << 16
_PREFIX = "manifest-"


class ManifestFiles:
    """The Manifests port. `folder` is where what was fetched is kept."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner, self._folder = runner, folder
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[Crd, ...]] = {}

    def crds_of(self, source: CrdSource) -> tuple[Crd, ...]:
        """The definitions of this entry, by name; whatever else its manifest holds is left out.

        PermanentError when it is not what its checksum is of, cannot be read, or holds none; TransientError for a server that
        may answer later.
        """
        manifest = {CrdForm.URL: self._fetched, CrdForm.FILE: _read, CrdForm.FOLDER: self._built}[source.form](source)
        known = (source.key, hashlib.sha256(manifest).hexdigest())
        with self._lock:  # many checks ask at the same time, and these are megabytes of YAML
            if known not in self._known:
                read = crds_in(manifest.decode("utf-8", "replace"), source.key)
                self._known[known] = tuple({crd.name: crd for crd in read}.values())
            found = self._known[known]
        if not found:
            raise PermanentError(f"{source.place} holds no custom resource definition", hint="take it out of bootstrap.crds")
        return tuple(sorted(found, key=lambda crd: crd.name))

    def _fetched(self, source: CrdSource) -> bytes:
        kept = self._folder / f"{_PREFIX}{source.sha256}.yaml"
        if kept.is_file():
            manifest = kept.read_bytes()
            if hashlib.sha256(manifest).hexdigest() == source.sha256:
                return manifest
        manifest = _fetch(source)
        _check(source, manifest)
        self._keep(kept, manifest)
        return manifest

    def _keep(self, kept: Path, manifest: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(kept, manifest)

    def _built(self, source: CrdSource) -> bytes:
        try:
            return self._runner.run(["kubectl", "kustomize", source.place], timeout_s=_BUILD_S).stdout
        except ProgramFailed as error:
            last = last_lines(error.finished.stderr_tail) or (error.what,)
            what = f"kustomize cannot build {source.place}: {last[0]}"
            raise PermanentError(what, evidence=error.finished.stderr_tail[-5:]) from error


def _read(source: CrdSource) -> bytes:
    try:
        manifest = content_of(Path(source.place))
    except OSError as error:
        raise PermanentError(f"{source.place} cannot be read: {error.strerror}") from error
    if source.sha256:
        _check(source, manifest)
    return manifest


def _check(source: CrdSource, manifest: bytes) -> None:
    """PermanentError unless this is what the settings' checksum is of."""
    found = hashlib.sha256(manifest).hexdigest()
    if found != source.sha256:
        raise PermanentError(
            f"{source.place} is not what its checksum is of",
            evidence=(f"the settings say {source.sha256}", f"what is there has {found}"),
            hint="compare it with what its authors publish, letter by letter, before you write the new checksum down",
        )


def _fetch(source: CrdSource) -> bytes:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(
                source.place, verify=source.ca_file or True, timeout=(_CONNECT_S, _ANSWER_S), stream=True
            ) as answer:
                _refuse(source, answer)
                return _body(source, answer)
        except requests.exceptions.SSLError:
            raise PermanentError(
                f"the certificate of the server of {source.place} is not trusted", hint="is the URL right, and the clock?"
            ) from None
        except requests.exceptions.RequestException as error:
            raise TransientError(
                f"nobody answers at {source.place}",
                evidence=(type(error).__name__,),
                hint="is the internet reachable from here? A copy in the repository, named with `file:`, needs none",
            ) from None


def _refuse(source: CrdSource, answer: requests.Response) -> None:
    if not answer.url.startswith("https://"):
        raise PermanentError(f"{source.place} leads to another place that is not https")
    if answer.status_code == 200:
        return
    status = f"{answer.status_code} {answer.reason}"
    if answer.status_code >= 500 or answer.status_code in (408, 429):
        raise TransientError(f"the server of {source.place} is not well: {status}", hint="try again later")
    missing = answer.status_code in (404, 410)
    told = "is not there" if missing else "is refused"
    raise PermanentError(
        f"{source.place} {told}: {status}", hint="is the version one that was released?" if missing else "does it need a login?"
    )


def _body(source: CrdSource, answer: requests.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise PermanentError(f"{source.place} is larger than {LARGEST >> 20} MiB: no manifest of definitions is")
    return bytes(body)
