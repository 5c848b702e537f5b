"""cluster.stop and cluster.start: the house switched off on purpose, and on again as it was."""

from __future__ import annotations

from bootstrap.power import start_course, stop_course
from bootstrap.steps.hold_ceph import WANTED
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from engine.errors import BlackstartError
from engine.journal import read_state
from engine.words import number

START = "invoke cluster.start"


def stop(settings: str, json: bool, approve: str, report: str = "") -> int:
    """The plan of what stops and goes off; or, approved, the act."""

    def body() -> int:
        session = open_session("cluster.stop", settings, json, report=report)
        refuse_unfit(session.house)
        return stop_of(session, approve)

    return guarded("cluster.stop", json, body, settings)


def stop_of(session: Session, approve: str) -> int:
    """The same, of a session that stands open."""
    house = session.house
    if not approve:
        return session.plan(stop_course(house))
    done = f"{number(len(house.nodes), 'node')} off, hosts and NAS on. {_hosts_too(session)}{START} brings all of it back as it was"
    last = LastWords(done=done, again=f"invoke cluster.stop --approve {approve}   # or undo it: {START}")
    return session.apply(stop_course(house), approve, words=lambda report: last)


def _hosts_too(session: Session) -> str:
    """What a person does first who takes the hosts off as well: their own Ceph is told nothing here, for it stays on with them."""
    with session.doors(None) as doors:
        try:
            told = "run" if doors.look.proxmox.ceph() is not None else ""
        except BlackstartError:
            told = "may run"
    if not told:
        return ""
    sets, unsets = ("; ".join(f"ceph osd {word} {flag}" for flag in WANTED) for word in ("set", "unset"))
    first, last = f"before they go off too, on one of them: {sets}", f"when all are on again: {unsets}"
    return f"The hosts {told} a Ceph of their own: {first}; {last}. "


def start(settings: str, json: bool, report: str = "") -> int:
    """Switch everything on, wait for what each part stands on, and put back what a stop has scaled."""

    def body() -> int:
        session = open_session("cluster.start", settings, json, report=report)
        refuse_unfit(session.house)
        return start_of(session)

    return guarded("cluster.start", json, body, settings)


def start_of(session: Session) -> int:
    """The same, of a session that stands open."""
    done = "The house is on, and what a stop had scaled is as it was"
    begun = read_state(session.house.state_dir, lineage=session.house.id).in_flight
    return session.apply(start_course(session.house, begun), next_command="invoke dr.hold", done=done)
