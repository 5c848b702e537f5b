"""dr.schedule: writes what makes drills and snapshots of etcd happen by themselves, and says whether they do. Installs nothing."""

from __future__ import annotations

import getpass
import json as jsonfile
from pathlib import Path

from cluster.counting import SKEW_S
from console.ending import guarded
from console.opening import open_session
from console.report.document import as_epoch, moment
from console.report.keeping import history
from console.report.timeline import duration
from console.schedule.units import Every, Job, Scheduled, installing, units
from console.session import Session
from engine.errors import EXIT_DRIFT, EXIT_OK, PermanentError, SettingsInvalid
from house.files.paths import expanded
from house.model import House
from tools.places import CHECKOUT

_LARGEST = 1e11  # of a moment in seconds
LATE_S = 12 * 3600.0
"""A start is put off at random by six hours at most, and a run takes its time."""


def schedule(settings: str, json: bool, kind: str, every: str, place: str, check: bool, what: str = "") -> int:
    """Write units for systemd into a folder (0), or say whether what was written runs: 0 for yes, 3 where one was missed."""

    def body() -> int:
        session = open_session("dr.schedule", settings, json)
        job = job_of(what)
        return ran(session, job) if check else write(session, kind, every, place, job)

    return guarded("dr.schedule", json, body, settings)


def job_of(what: str) -> Job:
    """What is to be run; a drill where nothing is said."""
    words = [one.value for one in Job]
    if what and what not in words:
        raise SettingsInvalid(f"--what {what} is nothing that is scheduled; right would be one of {', '.join(words)}")
    return Job(what or Job.DRILL.value)


def _kept_at(house: House, job: Job) -> Path:
    return house.state_dir / f"schedule{job.ending}.json"


def write(session: Session, kind: str, every: str, place: str, job: Job = Job.DRILL) -> int:
    """The units, to be reviewed and installed by a person."""
    if kind != "systemd":
        raise SettingsInvalid(f"--as {kind or '(nothing)'} is no kind of schedule that is written; right would be: --as systemd")
    words = [one.value for one in Every]
    if every and every not in words:
        raise SettingsInvalid(f"--every {every} is no interval; right would be one of {', '.join(words)}")
    house = session.house
    of = Scheduled(
        house, job, Every(every or job.usually.value), getpass.getuser(), CHECKOUT, Path(f"/etc/blackstart/{house.name}.env")
    )
    folder = expanded(Path(place or "."))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in units(of).items():
            (folder / name).write_text(text, encoding="utf-8")
        house.state_dir.mkdir(parents=True, mode=0o700, exist_ok=True)
        told = {"verb": of.verb, "every": of.every.value, "since": session.clock.now()}
        _kept_at(house, job).write_text(jsonfile.dumps(told) + "\n", encoding="ascii")
    except OSError as error:
        raise PermanentError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    written = tuple(folder / name for name in units(of))
    session.tell_written(written)
    session.page.say("Review them, then:")
    for line in installing(of, folder):
        session.page.say(f"  {line}")
    return session.finish("written", {"files": len(written)}, EXIT_OK, written=written, every=of.every, runs=of.verb)


def ran(session: Session, job: Job = Job.DRILL) -> int:
    """Whether the last one came when it was due, by what is remembered of the runs themselves."""
    house, now = session.house, session.clock.now()
    verb, every, since = _kept(_kept_at(house, job), job)
    runs = [one for one in history(house.state_dir) if one.verb == verb and one.exit_code is not None]
    began = [at for one in runs if (at := as_epoch(one.started)) is not None]
    last = max((at for at in began if at <= now + SKEW_S), default=None)
    for what, at in (("a run", max(began, default=now)), ("the writing of the units", since)):
        if at > now + SKEW_S:  # it says nothing of what came when it was due
            session.page.say(f"not counted: {what} is still to come, on {moment(at)}: the clock was wrong then, or is now.")
    due = (last if last is not None else since if since <= now + SKEW_S else now - every.seconds - LATE_S) + every.seconds + LATE_S
    good = due > now
    told = f"the last {verb} began {duration(now - last)} ago" if last is not None else f"no {verb} has run yet"
    late = f"the next one may come until {moment(due)}" if good else f"one was due by {moment(due)}, and did not come"
    session.page.say(f"{told}; {late} ({every.value}, written on {moment(since)}).")
    if not good:
        session.page.say(f"Look at: systemctl list-timers 'blackstart-*'; journalctl -u blackstart-{house.name}{job.ending}")
    outcome = "on time" if good else "missed"
    return session.finish(outcome, {"runs": len(runs)}, EXIT_OK if good else EXIT_DRIFT, last=last, due=due, every=every)


def _number(value: object) -> int | float:
    """TypeError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return value


def _kept(path: Path, job: Job) -> tuple[str, Every, float]:
    again = f"invoke dr.schedule --as systemd{'' if job is Job.DRILL else f' --what {job.value}'}"
    try:
        found = jsonfile.loads(path.read_text(encoding="utf-8"))
        if found["verb"] != job.verb or not 0 <= _number(found["since"]) < _LARGEST:
            raise ValueError("not what was written")
        return job.verb, Every(found["every"]), float(found["since"])
    except FileNotFoundError:
        raise PermanentError(
            "no schedule was written from here, so nobody knows when one should have run", next_command=again
        ) from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise PermanentError(f"{path} cannot be read", next_command=again) from error
