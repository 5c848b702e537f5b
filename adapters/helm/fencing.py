"""Tokens bound to a run, and the fence: deleting the Secret that they are bound to shuts every helm of that run out.

helm keeps no holder of a release anywhere, so only this proves that nobody is at it any more. Knows no release.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, ObjectAbsent
from adapters.kubernetes.kinds import CLUSTER_ROLE_BINDING, CONFIG_MAP, NAMESPACE, SECRET, SERVICE_ACCOUNT
from adapters.kubernetes.objects import Obj, name_of, table, text
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from engine.waiting import Clock, Pace, pause, wait_until

PLACE = "blackstart"
ACCOUNT = "blackstart-run"
NOTES = "releases"
_RUN = "blackstart/run"
_FENCING = "fencing."
_LABELS = {"app.kubernetes.io/managed-by": "blackstart", "app.kubernetes.io/component": "run"}
_TOKEN_S = 4 * 3600
# An API server believes a token it has accepted for 10 s more (kube-apiserver's token success cache).
_CACHED_S = 12.0
_FENCE_LIMIT_S = 90.0


class RunTokens:
    """The Secrets, tokens and kubeconfigs of runs. A kubeconfig lies 0600 in the state folder only while helm uses it."""

    def __init__(self, clients: Clients, state_dir: Path, clock: Clock) -> None:
        self._clients, self._clock = clients, clock
        self._folder = state_dir / "helm"
        self._lock = threading.Lock()
        self._users: dict[str, int] = {}

    def open(self, run: str) -> Path:
        """A kubeconfig of the run, with a new token bound to the run's Secret (made when it is not there)."""
        client = self._clients.main()
        with self._lock:
            secret = self._secret(client, run)
            token = _mint(client, secret)
            self._users[run] = self._users.get(run, 0) + 1
            path = self._path(run, self._users[run])
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(client.kubeconfig_with(token))
        return path

    def close(self, run: str, path: Path, *, ended: bool) -> None:
        """Remove the kubeconfig; when helm surely `ended` and no other helm of the run is at it, the run's Secret too."""
        path.unlink(missing_ok=True)
        with self._lock:
            self._users[run] -= 1
            if ended and not self._users[run]:
                self._clients.main().delete(SECRET, _secret_name(run), PLACE)

    def open_runs(self) -> tuple[str, ...]:
        """Runs whose Secret is there, and those whose fence was begun and not seen to hold."""
        client = self._clients.main()
        runs = {
            text(s, "metadata", "annotations", _RUN) for s in client.list_objects(SECRET, PLACE, labels=_selector())
        }
        notes = client.get(CONFIG_MAP, NOTES, PLACE) or {}
        runs |= {value for key, value in table(notes, "data").items() if key.startswith(_FENCING)}
        return tuple(sorted(run for run in runs if run))

    def fence(self, run: str) -> None:
        """Take the run's token away and return when no API server accepts it any more.

        A token made just before is accepted by every server at that moment, so it is believed longest of all: once it is
        refused, so is every other of the run. Raises WaitedTooLong when a server goes on believing it.
        """
        client = self._clients.main()
        note = _FENCING + _secret_name(run)
        put_note(client, {note: run})
        secret = client.get(SECRET, _secret_name(run), PLACE)
        if secret is None:
            # An earlier fence got as far as this; when, nobody knows.
            pause(self._clock, _CACHED_S)
        else:
            self._shut_out(client, secret)
        for path in self._folder.glob(f"{_secret_name(run)}.*"):
            path.unlink(missing_ok=True)
        put_note(client, {note: None})

    def _shut_out(self, client: ApiClient, secret: Obj) -> None:
        token = _mint(client, secret)
        servers = [one.as_bearer(token) for _, one in self._clients.each()]
        believed = self._clock.monotonic()
        try:
            answering = [server for server in servers if _code(server) is not None]
            if not answering:
                raise TransientError("No API server answers at its own address, so nobody can be shut out")
            client.delete(SECRET, name_of(secret), PLACE, uid=text(secret, "metadata", "uid"))
            wait_until(
                self._clock,
                lambda: all(_code(server) == 401 for server in answering) or None,
                limit_s=_FENCE_LIMIT_S,
                what=f"every API server to refuse the token of {name_of(secret)}",
                pace=Pace(0.2, 0.1, 1.0),
            )
            if len(answering) < len(servers):
                # One that was silent may have believed a token until just now.
                pause(self._clock, max(0.0, _CACHED_S - (self._clock.monotonic() - believed)))
        finally:
            for server in servers:
                server.close()

    def _secret(self, client: ApiClient, run: str) -> Obj:
        name = _secret_name(run)
        found = client.get(SECRET, name, PLACE)
        if found is not None:
            return found
        with contextlib.suppress(AlreadyThere):
            client.create(NAMESPACE, {"metadata": {"name": PLACE}})
        client.apply(
            SERVICE_ACCOUNT, {"metadata": {"name": ACCOUNT, "namespace": PLACE, "labels": _LABELS}}, force=True
        )
        client.apply(CLUSTER_ROLE_BINDING, _binding(), force=True)
        metadata = {"name": name, "namespace": PLACE, "labels": _LABELS, "annotations": {_RUN: run}}
        try:
            return client.create(SECRET, {"metadata": metadata, "type": "Opaque"}, PLACE)
        except AlreadyThere:
            raise TransientError(f"The Secret of run {run} was made by somebody else just now") from None

    def _path(self, run: str, number: int) -> Path:
        return self._folder / f"{_secret_name(run)}.{number}.{threading.get_ident()}"


def put_note(client: ApiClient, data: dict[str, str | None]) -> None:
    """Write (or, with None, remove) keys of the ConfigMap that tells what was synced, fenced and by whom."""
    try:
        client.merge(CONFIG_MAP, NOTES, {"data": data}, PLACE)
        return
    except ObjectAbsent:
        kept = {key: value for key, value in data.items() if value is not None}
    with contextlib.suppress(AlreadyThere):
        client.create(NAMESPACE, {"metadata": {"name": PLACE}})
    try:
        client.create(CONFIG_MAP, {"metadata": {"name": NOTES, "labels": _LABELS}, "data": kept}, PLACE)
    except AlreadyThere:
        client.merge(CONFIG_MAP, NOTES, {"data": data}, PLACE)


def _secret_name(run: str) -> str:
    return f"run-{run.lower()}"


def _selector() -> str:
    return ",".join(f"{key}={value}" for key, value in _LABELS.items())


def _mint(client: ApiClient, secret: Obj) -> Secret:
    """A new token of the run's account, bound to this very Secret."""
    bound = {"kind": "Secret", "apiVersion": "v1", "name": name_of(secret), "uid": text(secret, "metadata", "uid")}
    answer = client.demand(
        "POST",
        SERVICE_ACCOUNT.path(PLACE, ACCOUNT, "token"),
        "request a token for this run",
        quiet=True,
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_S, "boundObjectRef": bound},
        },
    )
    token = text(answer, "status", "token")
    if not token:
        raise PermanentError("The API server gave no token for this run", evidence=(json.dumps(sorted(answer)),))
    return Secret(token)


def _binding() -> Obj:
    return {
        "metadata": {"name": ACCOUNT, "labels": _LABELS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": PLACE}],
    }


def _code(server: ApiClient) -> int | None:
    """The HTTP code that a token gets, None when the server is silent."""
    try:
        return server.ask("GET", "/api", "try a run's token", timeout_s=4.0).code
    except (TransientError, PermanentError):
        return None
