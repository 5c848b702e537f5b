"""cluster.replace-node, save-etcd, recover-etcd: part of the house is lost, and the rest lives."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from adapters.context import LookContext
from adapters.etcd.results import EtcdSnapshot
from adapters.talos.results import Phase
from bootstrap.checks.etcd.recoverable import newest
from bootstrap.recover_etcd import course as recovery
from bootstrap.recover_etcd import saving
from bootstrap.replace_node import course as replacement
from cluster.machines.absent import first_present
from cluster.storage.kinds import storage_checks
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from engine.errors import SettingsInvalid
from house.files.paths import expanded, is_file
from house.model import House, Node


def replace_node(settings: str, json: bool, name: str, approve: str, report: str = "") -> int:
    """One lost node made anew: the plan of it and what goes, or, approved, the act."""

    def body() -> int:
        session = open_session("cluster.replace-node", settings, json, report=report)
        refuse_unfit(session.house)
        return replace_of(session, name, approve)

    return guarded("cluster.replace-node", json, body, settings)


def replace_of(session: Session, name: str, approve: str) -> int:
    """The same, of a session that stands open."""
    node = _named(session, name)
    with session.doors(None) as doors:
        rows = tuple(storage_checks(doors.look, session.house))
    course = replacement(session.house, node, rows)
    again = f"invoke cluster.replace-node {node.name}"
    if not approve:
        return session.plan(course, act=again)
    last = LastWords(done=f"{node.name} takes part", again=again)
    return session.apply(course, approve, words=lambda report: last)


def _named(session: Session, name: str) -> Node:
    nodes = {node.name: node for node in session.house.nodes}
    if name not in nodes:
        better = f"right would be one of {', '.join(nodes)}" if nodes else "the settings declare no node"
        raise SettingsInvalid(f"{name or 'an empty word'} is no node of this house", hint=better)
    if nodes[name].metal:
        raise SettingsInvalid(
            f"{name} is a machine of metal: there is no VM that could be made anew",
            hint="put its disk right, boot it from Talos' ISO, and cluster.bootstrap sets it up; a control plane's dead member "
            "goes first: talosctl etcd members, talosctl etcd remove-member ID",
        )
    return nodes[name]


def save_etcd(settings: str, json: bool, report: str = "") -> int:
    """etcd as it is now, into the state folder: a snapshot, or where it stands still a copy off each disk."""

    def body() -> int:
        session = open_session("cluster.save-etcd", settings, json, report=report)
        refuse_unfit(session.house)
        return session.apply(saving(session.house), done=f"etcd is saved in {session.house.state_dir}/etcd")

    return guarded("cluster.save-etcd", json, body, settings)


def recover_etcd(settings: str, json: bool, snapshot: str, approve: str, report: str = "") -> int:
    """etcd without a majority made again from a snapshot: the plan of it and what is lost, or, approved, the act."""

    def body() -> int:
        session = open_session("cluster.recover-etcd", settings, json, report=report)
        refuse_unfit(session.house)
        return recover_of(session, snapshot, approve)

    return guarded("cluster.recover-etcd", json, body, settings)


def recover_of(session: Session, snapshot: str, approve: str) -> int:
    """The same, of a session that stands open."""
    house = session.house
    with session.doors(None) as doors:
        course = recovery(house, _chosen(doors.look, snapshot), _begun_on(doors.look, house))
    typed = f"invoke cluster.recover-etcd{f' --snapshot {quote(snapshot)}' if snapshot else ''}"
    if not approve:
        return session.plan(course, act=typed)
    last = LastWords(done="etcd works, and every control plane takes part", again=f"{typed} --approve {approve}")
    return session.apply(course, approve, words=lambda report: last)


def _chosen(look: LookContext, snapshot: str) -> EtcdSnapshot | None:
    """The file that was named, or else the newest of the state folder that is sound and ours."""
    if not snapshot:
        return newest(look.etcd.kept())
    path = expanded(Path(snapshot))
    return look.etcd.look(str(path) if "/" in snapshot or is_file(path) else snapshot)


def _begun_on(look: LookContext, house: House) -> Node:
    """The first control plane that answers with our certificate; where none does, the one that is made first."""
    answering = (node for node in house.control_planes if look.talos.phase(node.address) is Phase.SECURE)
    return next(answering, None) or first_present(look.proxmox, house)
