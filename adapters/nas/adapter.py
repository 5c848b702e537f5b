"""The Nas port on TrueNAS' own API: one connection a look, kept for some seconds so that each check need not make its own.

Every method here may be called by a user with READONLY_ADMIN. What a version has not is asked in its own way, or left out.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.nas import reading
from adapters.nas.fields import mapping, measure, moment, name, text
from adapters.nas.jobs import unlocking
from adapters.nas.listing import Listing
from adapters.nas.midclt import opened_by_ssh
from adapters.nas.results import Dataset, Heard, NasLook, NasTrouble, Trouble, Unheard
from adapters.nas.session import Asking, Bounds, Call, opened
from adapters.nas.snapshots import newest
from adapters.nas.versions import FIRST, release_of
from adapters.nas.wanted import used
from adapters.nas.wording import RpcError, Stopped, stopped
from adapters.trust import SshTrust
from engine.errors import BlackstartError
from engine.secrets import Secret
from house.files.paths import at_home
from house.model import SecretRef
from house.values.nas import Nas

KEPT_S = 5.0
"""How long one look answers for, by this machine's clock: the checks of one pass share it, a check that looks again does not."""
QUESTIONS: tuple[tuple[str, str, Callable[[dict[str, Any]], Any]], ...] = (
    ("pools", "pool.query", reading.pool),
    ("scrubs", "pool.scrub.query", reading.scrub_task),
    ("datasets", "pool.dataset.query", reading.dataset),
    ("nfs", "sharing.nfs.query", reading.nfs_export),
    ("smb", "sharing.smb.query", reading.smb_share),
    ("services", "service.query", reading.service),
    ("tasks", "pool.snapshottask.query", reading.snapshot_task),
    ("replications", "replication.query", reading.replication),
    ("alerts", "alert.list", reading.alert),
)


class TrueNas:
    """Implements NasView."""

    def __init__(
        self, resolve: Callable[[SecretRef], Secret], bounds: Bounds | None = None, trust: SshTrust | None = None,
        listing: Listing | None = None,
    ) -> None:  # fmt: skip
        """`trust`: which SSH servers are known; None for the user's own. `listing`: how exports are listed, None: they are not."""
        self._resolve, self._bounds, self._listing = resolve, bounds or Bounds(), listing
        self._trust = trust or SshTrust(at_home(Path("~/.ssh/known_hosts")))
        self._guard = threading.Lock()
        self._locks: dict[Nas, threading.Lock] = {}
        self._kept: dict[Nas, tuple[float, NasLook]] = {}

    def look(self, nas: Nas) -> NasLook:
        """One look, or one of the last seconds. Never raises: what went wrong is in it."""
        with self._guard:
            lock = self._locks.setdefault(nas, threading.Lock())
        with lock:
            then, kept = self._kept.get(nas, (0.0, NasLook()))
            if nas in self._kept and time.monotonic() - then < KEPT_S:
                return kept
            found = self._listed(nas, self._either(nas))
            self._kept[nas] = (time.monotonic(), found)
            return found

    def _either(self, nas: Nas) -> NasLook:
        """By its API, and where that cannot be had by SSH, where the settings name a way. What both say of a failure is told."""
        found = self._look(nas)
        if found.trouble is None or not nas.ssh_host:
            return found
        try:
            with opened_by_ssh(nas, self._trust_of(nas), self._bounds) as session:
                return replace(asyncio.run(_seen(nas, session, self._bounds)), instead=found.trouble)
        except Stopped as error:
            told = f"{found.trouble.detail}; nor by SSH, it {error.trouble.trouble.value}: {error.trouble.detail}"
            return NasLook(replace(found.trouble, detail=told))

    def _listed(self, nas: Nas, look: NasLook) -> NasLook:
        """With what its exports show. Of a box that gives no answer, or is not ready, nobody asks."""
        if self._listing is None or look.trouble is not None or look.state not in ("", "READY"):
            return look
        return replace(look, listed=self._listing.of(nas, look.smb, self._trust_of(nas)))

    def _trust_of(self, nas: Nas) -> SshTrust:
        """What the settings say of this box goes before the user's own."""
        known = Path(nas.known_hosts) if nas.known_hosts else self._trust.known_hosts
        return SshTrust(known, Path(nas.ssh_key) if nas.ssh_key else self._trust.identity)

    def _look(self, nas: Nas) -> NasLook:
        try:
            key = self._resolve(nas.api_key)
        except BlackstartError as error:
            return NasLook(NasTrouble(Trouble.UNASKED, "; ".join((error.what, *error.evidence)), error.hint))
        try:
            return asyncio.run(_asked(nas, key, self._bounds))
        except Stopped as error:
            return NasLook(error.trouble)


async def _asked(nas: Nas, key: Secret, bounds: Bounds) -> NasLook:
    async with opened(nas, key, bounds) as session:
        return await _seen(nas, session, bounds)


async def _seen(nas: Nas, session: Asking, bounds: Bounds) -> NasLook:
    info, version = await session.ask([Call("system.info"), Call("system.version")])
    told = text(mapping(info).get("version")) or (text(version) if isinstance(version, str) else "")
    release = session.release or release_of(told)
    if release is None or release < FIRST:
        raise stopped(Trouble.OTHER, f"nobody can tell its version: {told or 'it says none'}", "25.04, 25.10 and 26 are known")
    extra = [Call("system.ready")] if release > FIRST else [Call("smart.test.results")]
    calls = [Call(method) for _, method, _ in QUESTIONS]
    *answers, last = await session.ask([*calls, *extra])
    heard: dict[str, Any] = {
        part: reading.listed(answer, method, read) for (part, method, read), answer in zip(QUESTIONS, answers, strict=True)
    }
    wanted = used(nas, heard["datasets"], heard["smb"])
    heard["datasets"] = await _mounted(session, heard["datasets"], wanted, bounds)
    there = [] if isinstance(heard["datasets"], Unheard) else [one.name for one in heard["datasets"] if one.name in wanted]
    return NasLook(
        version=told or f"{release[0]}.{release[1]:02}", release=release, path=session.path, expires=session.expires,
        state=_state(last) if release > FIRST else "", clock=moment(mapping(info).get("datetime")),
        up_s=measure(mapping(info).get("uptime_seconds")), asked_at=time.time(),
        snapshots=await newest(session, release, there),
        tests=None if release > FIRST else reading.listed(last, "smart.test.results", reading.disk_test), **heard,
    )  # fmt: skip


def _state(ready: Any) -> str:
    if isinstance(ready, bool):
        return "READY" if ready else "BOOTING"
    return name(ready)


async def _mounted(session: Asking, datasets: Heard[Dataset], wanted: tuple[str, ...], bounds: Bounds) -> Heard[Dataset]:
    """The datasets, those that are used with whether each is really mounted: a locked one shows a mountpoint all the same."""
    if isinstance(datasets, Unheard):
        return datasets
    asked = [one for one in datasets if one.name in wanted and one.mountpoint]
    answers = await session.ask([Call("filesystem.stat", (one.mountpoint,)) for one in asked])
    mounted = {one.name: _is_mounted(answer) for one, answer in zip(asked, answers, strict=True)}
    keys = {one.name: await unlocking(session, one.name, bounds.job_s) for one in asked if one.locked}
    return with_mounts(datasets, mounted, keys)


def with_mounts(datasets: Heard[Dataset], mounted: Mapping[str, bool | None], keys: Mapping[str, str]) -> Heard[Dataset]:
    """The datasets with whether each is mounted, and what a locked one waits for; by name, where it was asked."""
    if isinstance(datasets, Unheard):
        return datasets
    return tuple(replace(one, mounted=mounted.get(one.name), unlocking=keys.get(one.name, "")) for one in datasets)


def _is_mounted(answer: Any) -> bool | None:
    if isinstance(answer, RpcError):
        return False if answer.missing else None
    found = mapping(answer).get("is_mountpoint")
    return found if isinstance(found, bool) else None
