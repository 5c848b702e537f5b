"""cluster.replace-node: part of the house is lost, and the rest lives."""

from __future__ import annotations

from bootstrap.replace_node import course as replacement
from cluster.storage.kinds import storage_checks
from console.ending import guarded
from console.opening import open_session
from console.programs import refuse_unfit
from console.session import Session
from engine.errors import SettingsInvalid
from house.model import Node


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
    if not approve:
        return session.plan(course)
    return session.apply(course, approve, done=f"{node.name} takes part")


def _named(session: Session, name: str) -> Node:
    nodes = {node.name: node for node in session.house.nodes}
    if name not in nodes:
        raise SettingsInvalid(f"{name} is no node of this house", evidence=tuple(nodes))
    return nodes[name]
