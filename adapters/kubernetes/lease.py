"""The house's Lease: who may write to this cluster, so that a run on another machine is kept out. Compare-and-swap throughout."""

from __future__ import annotations

import contextlib

from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import AlreadyThere, Changed, ObjectAbsent
from adapters.kubernetes.kinds import LEASE, NAMESPACE
from adapters.kubernetes.objects import Obj, micro_stamp, number, seconds, table, text
from adapters.kubernetes.results import LeaseHolder
from engine.errors import TransientError
from engine.waiting import Clock

PLACE = "blackstart"
_TRIES = 4


def lease_of(house_id: str) -> str:
    """The name of the house's Lease."""
    return f"blackstart-{house_id}"


class LeaseObject:
    """One Lease named for the house's id. The times in it are for people: nobody's clock decides who holds it."""

    def __init__(self, clients: Clients, house_id: str, clock: Clock) -> None:
        self._clients, self._name, self._clock = clients, lease_of(house_id), clock

    def holder(self) -> LeaseHolder | None:
        """Who holds it (perhaps no longer: whoever wants it watches whether it is renewed), None when nobody took it."""
        found = self._clients.main().get(LEASE, self._name, PLACE)
        return None if found is None else _holder(found)

    def take(self, holder: str, duration_s: int, over: str = "") -> LeaseHolder:
        """Take it when it is free, ours already or not renewed since `over`, and renew it; who holds it now comes back."""
        client = self._clients.main()
        for _ in range(_TRIES):
            found = client.get(LEASE, self._name, PLACE)
            now = self._clock.now()
            held = None if found is None else _holder(found)
            if held is not None and held.holder != holder and held.renewal != over:
                return held
            try:
                if found is None:
                    return self._create(holder, duration_s, now)
                return _told(client.replace(LEASE, self._taken(found, holder, duration_s, now), PLACE))
            except (Changed, AlreadyThere, ObjectAbsent):
                continue
        raise TransientError("The house's Lease changes faster than it can be taken")

    def drop(self, holder: str) -> None:
        """Delete it when this holder has it; nothing when it is somebody else's or gone."""
        client = self._clients.main()
        found = client.get(LEASE, self._name, PLACE)
        if found is not None and text(found, "spec", "holderIdentity") == holder:
            version = text(found, "metadata", "resourceVersion")
            client.delete(LEASE, self._name, PLACE, uid=text(found, "metadata", "uid"), resource_version=version)

    def _create(self, holder: str, duration_s: int, now: float) -> LeaseHolder:
        client = self._clients.main()
        fresh: Obj = {"metadata": {"name": self._name, "namespace": PLACE}}
        body = self._taken(fresh, holder, duration_s, now)
        try:
            return _told(client.create(LEASE, body, PLACE))
        except ObjectAbsent:
            with contextlib.suppress(AlreadyThere):
                client.create(NAMESPACE, {"metadata": {"name": PLACE}})
            return _told(client.create(LEASE, body, PLACE))

    def _taken(self, found: Obj, holder: str, duration_s: int, now: float) -> Obj:
        spec = table(found, "spec")
        again = spec.get("holderIdentity") == holder
        spec |= {"holderIdentity": holder, "leaseDurationSeconds": duration_s, "renewTime": micro_stamp(now)}
        if not again:
            spec |= {"acquireTime": micro_stamp(now), "leaseTransitions": number(spec, "leaseTransitions") + 1}
        return {"metadata": table(found, "metadata") | {"managedFields": None}, "spec": spec}


def _holder(found: Obj) -> LeaseHolder | None:
    name = text(found, "spec", "holderIdentity")
    renewal = (text(found, "metadata", "uid"), text(found, "metadata", "resourceVersion"), text(found, "spec", "renewTime"))
    return LeaseHolder(name, " ".join(renewal), seconds(text(found, "spec", "acquireTime"))) if name else None


def _told(found: Obj) -> LeaseHolder:
    holder = _holder(found)
    if holder is None:
        raise TransientError("The API server did not keep the holder of the Lease")
    return holder
