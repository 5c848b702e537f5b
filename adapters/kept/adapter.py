"""The port of kept volumes on a real Kubernetes API: PersistentVolumes that bear our mark. Knows no VolSync and no hold.

A volume is kept by its reclaim policy alone: what Kubernetes then does with it is nothing, whatever made it. Given back it is by
its claimRef without a uid, which binds the next claim of that name to it, whatever else that claim would be filled from.
"""

from __future__ import annotations

import json
from contextlib import suppress

from adapters.kept.results import Found, KeptState, KeptVolume, Word, aside_of
from adapters.kept.static import OURS, aside_claim, volume_of
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, ObjectAbsent
from adapters.kubernetes.kinds import CLAIM, VOLUME
from adapters.kubernetes.objects import Obj, name_of, table, text
from adapters.volsync.adapter import handle_of
from engine.errors import PermanentError
from engine.text.jsontext import Malformed, an_object, read
from engine.waiting import Clock
from house.known.inventory import VolumeRecord

MARK = "blackstart/kept"
"""Annotation of a PersistentVolume, as JSON: of which claim, by its uid, since when, and the policy that it had.
Of one that was brought from a lost cluster besides: that it was, and what was found on it."""
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

    def bring(self, volume: VolumeRecord, since: float) -> None:
        """See port.Kept. Two objects of one handle would be one volume that is mounted, and deleted, as if it were two."""
        client = self._clients.main()
        mark = {"claim": volume.claim, "uid": "", "since": since, "policy": volume.policy or _RETAIN, "brought": True}
        made = volume_of(volume, MARK, json.dumps(mark, sort_keys=True))
        for one in client.list_objects(VOLUME):
            if name_of(one) == volume.name and text(one, "metadata", "annotations", MARK) and handle_of(one) == handle_of(made):
                return
            if name_of(one) == volume.name or ("csi" in made["spec"] and handle_of(one) == handle_of(made)):
                raise PermanentError(
                    f"PersistentVolume {volume.name} of {volume.claim} is not written again: {name_of(one)} is there",
                    evidence=(f"it is {text(one, 'status', 'phase') or 'in no phase'}, at {handle_of(one)}",),
                    hint="whoever wrote that has the volume in use: see kubectl get pv, and whose claim it is bound to",
                )
        client.create(VOLUME, made)

    def open_aside(self, volume: str) -> None:
        """See port.Kept."""
        client = self._clients.main()
        found, one = _marked(client, volume)
        if one.state is not KeptState.ASIDE:
            raise PermanentError(f"PersistentVolume {volume} is not looked at: it is {one.state.value}", evidence=(one.held_by,))
        with suppress(AlreadyThere):
            client.create(CLAIM, aside_claim(found, one.claim), one.namespace)

    def note(self, volume: str, found: Found) -> None:
        """See port.Kept. The mark first: a claim of ours that is left tells that the look has not ended."""
        client = self._clients.main()
        obj, one = _marked(client, volume)
        told = {"word": found.word.name, "told": found.told, "against": found.against, "only": found.only}
        mark = _mark(text(obj, "metadata", "annotations", MARK)) | {"found": told}
        _change(client, obj, json.dumps(mark, sort_keys=True), {})
        aside = client.get(CLAIM, aside_of(one.claim), one.namespace)
        if aside is not None and table(aside, "metadata", "labels").items() >= OURS.items():
            client.delete(CLAIM, aside_of(one.claim), one.namespace, uid=text(aside, "metadata", "uid"))

    def put_back(self, volume: str) -> None:
        """See port.Kept. The patch is for the object that was seen: nobody else's binding is undone."""
        client = self._clients.main()
        found, one = _marked(client, volume)
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


def _marked(client: ApiClient, name: str) -> tuple[Obj, KeptVolume]:
    """The volume, and what our mark on it says. PermanentError without one."""
    found = _demanded(client, name)
    one = _kept(found)
    if one is None or not one.claim:
        raise PermanentError(f"PersistentVolume {name} bears no mark of ours: it is given back to nobody")
    return found, one


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
        state=_state(obj, aside_of(claim)),
        handle=handle_of(obj),
        size=text(obj, "spec", "capacity", "storage"),
        storage_class=text(obj, "spec", "storageClassName"),
        held_by=text(obj, "spec", "claimRef", "uid"),
        policy=text(mark, "policy") or _RETAIN,  # in doubt nothing is deleted
        stays=text(obj, "spec", _POLICY) == _RETAIN,
        brought=mark.get("brought") is True,
        found=_found(table(mark, "found")),
    )


def _found(told: Obj) -> Found | None:
    """None where nobody has looked, or nobody can read what was said of it."""
    word = Word.__members__.get(text(told, "word"))
    if word is None:
        return None
    only = told.get("only")
    return Found(word, text(told, "told"), text(told, "against"), only if isinstance(only, int) else 0)


def _state(obj: Obj, aside: str) -> KeptState:
    phase, ref = text(obj, "status", "phase"), table(obj, "spec", "claimRef")
    if ref.get("name") == aside and phase != "Released":
        return KeptState.ASIDE
    if ref and not ref.get("uid"):
        return KeptState.PROMISED
    if phase == "Released" and text(obj, "spec", _POLICY) != _RETAIN:
        return KeptState.UNKNOWN  # its storage is about to delete it
    return {"Bound": KeptState.IN_USE, "Released": KeptState.FREE}.get(phase, KeptState.UNKNOWN)


def _seconds(since: object) -> float:
    return float(since) if isinstance(since, int | float) and not isinstance(since, bool) and 0 < since < _LAST else 0.0


def _mark(written: str) -> Obj:
    try:
        return read(written, an_object, ours=True)
    except Malformed:
        return {}
