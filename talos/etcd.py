"""Whether this house has an etcd, told by every control plane together. The one question a bootstrap hangs on."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from adapters.ports import TalosView
from adapters.talos.results import EtcdData, EtcdState
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.text.words import number
from house.model import House, Node

NO_QUORUM = (
    "no member is healthy: etcd needs more than half of its control planes with the data they had, so start those that are off. "
    "Where such data are lost, save what one node still has before anything is reset (invoke cluster.save-etcd), and make etcd "
    "again from that (invoke cluster.recover-etcd)"
)


def etcd_probe(
    talos: TalosView, house: House, *, absent: Collection[str] = (), never_made: Collection[str] = ()
) -> Probe:
    """MISSING only when every control plane was asked and none has data; SATISFIED when all are healthy members of one cluster.

    `absent` names control planes whose host is off: the others are enough where they have an etcd that works, and prove nothing
    where they have none. Of those `never_made` there is not even a VM: they have no data.
    Raises PermanentError on two different clusters: data that were written to both cannot be joined by a program.
    """
    states = states_of(talos, (node for node in house.control_planes if node.name not in never_made))
    blind = [name for name, state in states.items() if state.data is EtcdData.UNKNOWN]
    works = any(state.healthy for state in states.values())
    if blind and not (works and set(blind) <= set(absent)):
        return unknown("not every control plane could be asked for its etcd", *blind)
    having = {name: state for name, state in states.items() if state.data is EtcdData.PRESENT}
    if not having:
        return missing("every control plane was asked, none has etcd data")
    _refuse_second(having)
    expected = {node.name for node in house.control_planes}
    members = {m.hostname for state in having.values() for m in state.members if not m.learner}
    strangers = members - expected
    if strangers:
        return changing("etcd has members that are no control planes of this house", *sorted(strangers))
    late = (name for name, state in states.items() if not state.healthy or name not in members)
    waiting = sorted(name for name in late if name not in absent)
    if waiting:
        lines = (f"{name}: {_told(state, listed=name in members)}" for name, state in states.items())
        hint = "" if any(state.healthy for state in states.values()) else NO_QUORUM
        return changing("not yet healthy members: " + ", ".join(waiting), *lines, hint=hint)
    healthy = sorted(name for name, state in states.items() if state.healthy and name in members)
    left_out = f"; without {', '.join(sorted(absent))}, whose host is offline" if absent else ""
    return satisfied(f"{number(len(healthy), 'healthy member')} of one etcd{left_out}", *healthy)


def states_of(talos: TalosView, nodes: Iterable[Node]) -> dict[str, EtcdState]:
    """What each of these control planes tells of its etcd, by its name. Raises what a look raises."""
    asked = tuple(nodes)
    return dict(zip((node.name for node in asked), talos.etcds(tuple(node.address for node in asked)), strict=True))


def _told(state: EtcdState, *, listed: bool) -> str:
    if state.data is EtcdData.NONE:
        return "waits to join, without data"
    if state.healthy:
        return "healthy" if listed else "healthy, and not listed as a voter"
    return "has data, and is not healthy"


def _refuse_second(having: dict[str, EtcdState]) -> None:
    """Control planes of one etcd share at least one id, of the cluster or of a member: those that share none are two."""
    clusters: list[tuple[set[str], list[str]]] = []
    for name, state in having.items():
        ids = {member.member_id for member in state.members} | ({state.cluster_id} if state.cluster_id else set())
        if not ids:
            continue
        names = [name]
        for other in [cluster for cluster in clusters if cluster[0] & ids]:
            clusters.remove(other)
            ids, names = ids | other[0], other[1] + names
        clusters.append((ids, names))
    if len(clusters) > 1:
        raise PermanentError(
            "there are two etcd clusters in this house",
            evidence=tuple(f"one on {', '.join(names)}" for names in sorted(names for _, names in clusters)),
            hint="decide which one holds the cluster's data, then reset the nodes of the other (talosctl reset)",
        )
