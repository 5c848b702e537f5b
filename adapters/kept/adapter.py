"""The port of kept volumes on a real Kubernetes API: PersistentVolumes that bear our mark. Knows no VolSync and no hold.

A volume is kept by its reclaim policy alone: what Kubernetes then does with it is nothing, whatever made it. Given back it is by
its claimRef without a uid, which binds the next claim of that name to it, whatever else that claim would be filled from.
"""

from __future__ import annotations

import json

from adapters.kept.results import KeptState, KeptVolume
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import CLAIM, VOLUME
from adapters.kubernetes.objects import Obj, name_of, table, text
from adapters.volsync.adapter import handle_of
from engine.errors import PermanentError
from engine.waiting import Clock

MARK = "blackstart/kept"
"""Annotation of a PersistentVolume, as JSON: of which claim, by its uid, since when, and the policy that it had."""
_BOUND_BY = "pv.kubernetes.io/bound-by-controller"
_POLICY = "persistentVolumeReclaimPolicy"
_RETAIN = "Retain"
_LAST = 253_402_300_800  # the second after year 9999


class KubernetesKept:
    """See port.Kept."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    def volumes(self) -> tuple[KeptVolume, ...]:
        """See port.KeptView. A mark that nobody can read is told as one without a claim, never passed over."""
        found = (_kept(obj) for obj in self._clients.main().list_objects(VOLUME))
        return tuple(sorted((one for one in found if one is not None), key=lambda one: (-one.since, one.name)))

    def keep(self, namespace: str, claim: str, uid: str) -> None:
        """See port.Kept."""
        client = self._clients.main()
        found = client.get(CLAIM, claim, namespace) or {}
        if not uid or text(found, "metadata", "uid") != uid:
            there = text(found, "metadata", "uid") or "none"
            raise PermanentError(f"The volume of {namespace}/{claim} is not kept: it is not the claim {uid}", evidence=(there,))
        name = text(found, "spec", "volumeName")
        volume = _demanded(client, name) if name else {}
        if text(volume, "spec", "claimRef", "uid") != uid:
            raise PermanentError(f"Claim {namespace}/{claim} is bound to no volume that could be kept", evidence=(name or "none",))
        before = _kept(volume)
        policy = before.policy if before is not None else text(volume, "spec", _POLICY)
        mark = {"claim": f"{namespace}/{claim}", "uid": uid, "since": self._clock.now(), "policy": policy}
        _change(client, volume, json.dumps(mark, sort_keys=True), {_POLICY: _RETAIN})

    def put_back(self, volume: str) -> None:
        """See port.Kept. The patch is for the object that was seen: nobody else's binding is undone."""
        client = self._clients.main()
        found = _demanded(client, volume)
        one = _kept(found)
        if one is None or not one.claim:
            raise PermanentError(f"PersistentVolume {volume} bears no mark of ours: it is given back to nobody")
        if one.state is KeptState.PROMISED:
            return
        if one.state is not KeptState.FREE:
            raise PermanentError(f"PersistentVolume {volume} is not given back: it is {one.state.value}", evidence=(one.held_by,))
        ref = {"namespace": one.namespace, "name": one.claim, "uid": None, "resourceVersion": None}
        _change(client, found, text(found, "metadata", "annotations", MARK), {"claimRef": ref}, {_BOUND_BY: None})

    def let_go(self, volume: str) -> None:
        """See port.Kept. Nothing where there is no such volume, or no mark on it (any more)."""
        client = self._clients.main()
        found = client.get(VOLUME, volume)
        one = _kept(found) if found is not None else None
        if found is not None and one is not None:
            _change(client, found, None, {_POLICY: one.policy})


def _demanded(client: ApiClient, name: str) -> Obj:
    found = client.get(VOLUME, name)
    if found is None:
        raise ObjectAbsent(f"There is no PersistentVolume {name}")
    return found


def _change(client: ApiClient, seen: Obj, mark: str | None, spec: Obj, notes: Obj | None = None) -> None:
    """Change the volume if it still is as it was seen."""
    metadata = {"resourceVersion": text(seen, "metadata", "resourceVersion"), "annotations": {MARK: mark} | (notes or {})}
    client.merge(VOLUME, name_of(seen), {"metadata": metadata, "spec": spec})


def _kept(obj: Obj) -> KeptVolume | None:
    """None without our mark."""
    written = text(obj, "metadata", "annotations", MARK)
    if not written:
        return None
    mark = _mark(written)
    namespace, _, claim = text(mark, "claim").partition("/")
    return KeptVolume(
        name=name_of(obj),
        namespace=namespace,
        claim=claim,
        uid=text(mark, "uid"),
        since=_seconds(mark.get("since")),
        state=_state(obj),
        handle=handle_of(obj),
        size=text(obj, "spec", "capacity", "storage"),
        storage_class=text(obj, "spec", "storageClassName"),
        held_by=text(obj, "spec", "claimRef", "uid"),
        policy=text(mark, "policy") or _RETAIN,  # in doubt nothing is deleted
        stays=text(obj, "spec", _POLICY) == _RETAIN,
    )


def _state(obj: Obj) -> KeptState:
    phase, ref = text(obj, "status", "phase"), table(obj, "spec", "claimRef")
    if ref and not ref.get("uid"):
        return KeptState.PROMISED
    if phase == "Released" and text(obj, "spec", _POLICY) != _RETAIN:
        return KeptState.UNKNOWN  # its storage is about to delete it
    return {"Bound": KeptState.IN_USE, "Released": KeptState.FREE}.get(phase, KeptState.UNKNOWN)


def _seconds(since: object) -> float:
    return float(since) if isinstance(since, int | float) and not isinstance(since, bool) and 0 < since < _LAST else 0.0


def _mark(written: str) -> Obj:
    try:
        parsed = json.loads(written)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
