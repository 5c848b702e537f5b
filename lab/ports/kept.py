"""The port of kept volumes, in process, on the modelled cluster."""

from __future__ import annotations

from adapters.kept.results import KeptState, KeptVolume
from engine.errors import PermanentError
from lab.world.kubernetes import KubeWorld
from lab.world.volsync import VolSync
from lab.world.volumes import LabKept


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

    def put_back(self, volume: str) -> None:
        """See port.Kept."""
        with self._world.looking():
            objects = self._kube.objects()
            found = objects.kept.get(volume)
            if found is None:
                raise PermanentError(f"There is no PersistentVolume {volume} that we keep")
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


def _told(one: LabKept) -> KeptVolume:
    state = KeptState.IN_USE if one.held_by else KeptState.PROMISED if one.promised else KeptState.FREE
    return KeptVolume(one.name, one.namespace, one.claim, one.uid, one.since, state, f"lab {one.name}", "1Gi", "lab", one.held_by)
