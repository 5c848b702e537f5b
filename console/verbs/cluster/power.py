"""cluster.stop and cluster.start: the house switched off on purpose, and on again as it was."""

from __future__ import annotations

from bootstrap.checks.power.hosts_off import ONLY_A_HAND, SET, UNSET
from bootstrap.power import start_course, stop_course
from cluster.machines.parting import Parting, parting
from console.ending import LastWords, guarded
from console.opened.opening import open_session
from console.opened.programs import refuse_unfit
from console.session import Session
from engine.errors import BlackstartError
from engine.journal import read_state
from engine.text.words import number

START = "invoke cluster.start"


def stop(settings: str, json: bool, approve: str, report: str = "", hosts: bool = False) -> int:
    """The plan of what stops and goes off; or, approved, the act. With `hosts` these as well."""

    def body() -> int:
        session = open_session("cluster.stop", settings, json, report=report)
        refuse_unfit(session.house)
        return stop_of(session, approve, hosts=hosts)

    return guarded("cluster.stop", json, body, settings)


def stop_of(session: Session, approve: str, *, hosts: bool = False) -> int:
    """The same, of a session that stands open."""
    house, going = session.house, _going(session) if hosts else None
    course = stop_course(house, going)
    nodes, asked, back = number(len(house.nodes), "node"), " --hosts" if going is not None else "", START
    if not approve:
        return session.plan(course, act=f"invoke cluster.stop{asked}")
    if going is not None:
        back = f"{START} --hosts"
        done = f"{nodes} off, and {number(len(going.hosts), 'host')}: {ONLY_A_HAND}. With the first on again {back} wakes or waits "
        done += "for the others, and brings all of it back as it was"
    else:
        done = f"{nodes} off, hosts and NAS on. {_hosts_too(session)}{START} brings all of it back as it was"
    last = LastWords(done=done, again=f"invoke cluster.stop{asked} --approve {approve}   # or undo it: {back}")
    return session.apply(course, approve, words=lambda report: last)


def _going(session: Session) -> Parting:
    """Which hosts there are, and in which order they go: a Proxmox that does not answer is told to do nothing."""
    with session.doors(None) as doors:
        return parting(doors.look, session.house)


def _hosts_too(session: Session) -> str:
    """What a person does first who takes the hosts off as well: their own Ceph is told nothing here, for it stays on with them."""
    with session.doors(None) as doors:
        try:
            told = "run" if doors.look.proxmox.ceph() is not None else ""
        except BlackstartError:
            told = "may run"
    if not told:
        return ""
    first, last = f"before they go off too, on one of them: {SET}", f"when all are on again: {UNSET}"
    return f"The hosts {told} a Ceph of their own: {first}; {last}. "


def start(settings: str, json: bool, report: str = "", hosts: bool = False) -> int:
    """Switch everything on (with `hosts` these first), wait for what each part stands on, and put back what a stop has scaled."""

    def body() -> int:
        session = open_session("cluster.start", settings, json, report=report)
        refuse_unfit(session.house)
        return start_of(session, hosts=hosts)

    return guarded("cluster.start", json, body, settings)


def start_of(session: Session, *, hosts: bool = False) -> int:
    """The same, of a session that stands open."""
    done = "The house is on, and what a stop had scaled is as it was"
    begun = read_state(session.house.state_dir, lineage=session.house.id).in_flight
    again = f"{START} --hosts" if hosts else START
    return session.apply(start_course(session.house, begun, hosts=hosts), "", "invoke dr.hold", done, again)
