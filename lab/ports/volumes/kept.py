"""The port of kept volumes, in process, on the modelled cluster."""

from __future__ import annotations

from adapters.kept.results import Found, KeptState, KeptVolume, aside_of
from engine.errors import PermanentError
from house.known.inventory import VolumeRecord
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.cluster.volsync import VolSync
from lab.world.cluster.volumes import Claim, LabKept, Sick


class ModelledKept:
    """Kept port (adapters.kept.port)."""

    def __init__(self, kube: KubeWorld, volsync: VolSync) -> None:
        self._kube, self._world, self._volsync = kube, kube.world, volsync

    def volumes(self) -> tuple[KeptVolume, ...]:
        """See port.KeptView."""
        with self._world.looking():
            found = (_told(one) for one in self._kube.objects().kept.values())
            return tuple(sorted(found, key=lambda one: (-one.since, one.name)))

    def keep(self, namespace: str, claim: str, uid: str) -> None:
        """See port.Kept."""
        with self._world.looking():
            objects = self._kube.objects()
            found = objects.claims.get((namespace, claim))
            if found is None or found.uid != uid:
                raise PermanentError(f"The volume of {namespace}/{claim} is not kept: it is not the claim {uid}")
            if not found.bound:
                raise PermanentError(f"Claim {namespace}/{claim} is bound to no volume that could be kept")
            name = found.bound_to
            objects.kept[name] = LabKept(name, namespace, claim, uid, self._world.clock.now(), uid)

    def bring(self, volume: VolumeRecord, since: float) -> None:
        """See port.Kept. Whether its storage still has it nobody knows before it is looked at."""
        with self._world.looking():
            table, lies = self._kube.objects().kept, self._kube.outlived.get(volume.handle)
            if volume.name in table and table[volume.name].handle == f"{volume.driver} {volume.handle}":
                return
            if volume.name in table:
                raise PermanentError(f"PersistentVolume {volume.name} of {volume.claim} is not written again: it is there")
            namespace, _, claim = volume.claim.partition("/")
            entries, sick = (lies.entries, lies.sick) if lies is not None else ((), Sick.GONE)
            handle = f"{volume.driver} {volume.handle}"
            table[volume.name] = LabKept(
                volume.name, namespace, claim, "", since, "", entries, brought=True, handle=handle, sick=sick, aside=True
            )

    def open_aside(self, volume: str) -> None:
        """See port.Kept."""
        with self._world.looking():
            objects = self._kube.objects()
            found = _demanded(objects, volume)
            if not found.aside:
                raise PermanentError(f"PersistentVolume {volume} is not looked at: it is not aside", evidence=(found.held_by,))
            key = (found.namespace, aside_of(found.claim))
            if key not in objects.claims:
                uid = f"aside-{self._world.random.getrandbits(32):08x}"
                made = Claim(*key, uid, "", created=self._world.clock.now(), volume=volume)
                objects.claims[key] = made
                self._world.after(self._kube.delays.bind_s, f"bind {made.name}", lambda: _bind(objects, made, found))

    def note(self, volume: str, found: Found) -> None:
        """See port.Kept."""
        with self._world.looking():
            objects = self._kube.objects()
            one = _demanded(objects, volume)
            one.found, one.aside = found, False
            claim = objects.claims.get((one.namespace, aside_of(one.claim)))
            if claim is not None:
                self._volsync.remove(objects, claim)

    def put_back(self, volume: str) -> None:
        """See port.Kept."""
        with self._world.looking():
            objects = self._kube.objects()
            found = _demanded(objects, volume)
            if found.aside:
                raise PermanentError(f"PersistentVolume {volume} is not given back: it is aside, to be looked at")
            if found.held_by:
                raise PermanentError(f"PersistentVolume {volume} is not given back: it is in use", evidence=(found.held_by,))
            found.promised = True
            claim = objects.claims.get(found.key)
            if claim is not None:
                self._volsync.consider_claim(objects, claim)

    def let_go(self, volume: str) -> None:
        """See port.Kept."""
        with self._world.looking():
            found = self._kube.objects().kept.pop(volume, None)
            if found is not None and not found.held_by:
                self._world.happened("kubernetes", f"{volume} is deleted with what was on it")


def _demanded(objects: Objects, volume: str) -> LabKept:
    found = objects.kept.get(volume)
    if found is None:
        raise PermanentError(f"There is no PersistentVolume {volume} that we keep")
    return found


def _bind(objects: Objects, claim: Claim, kept: LabKept) -> None:
    if objects.claims.get(claim.key) is claim:
        claim.bound, claim.entries = True, kept.entries
        kept.held_by = claim.uid


def _told(one: LabKept) -> KeptVolume:
    state = KeptState.IN_USE if one.held_by else KeptState.PROMISED if one.promised else KeptState.FREE
    state = KeptState.ASIDE if one.aside else state
    return KeptVolume(
        one.name, one.namespace, one.claim, one.uid, one.since, state, one.handle or f"lab {one.name}", "1Gi", "lab", one.held_by,
        brought=one.brought, found=one.found,
    )  # fmt: skip
