"""dr.schedule: writes what makes drills and snapshots of etcd happen by themselves, and says whether they do. Installs nothing."""

from __future__ import annotations

import getpass
import json as jsonfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.ending import guarded
from console.opened.opening import open_session
from console.report.document import as_epoch, moment
from console.report.keeping import as_number, history
from console.schedule.units import BLIND_TO, OWN, PING, Every, Job, Scheduled, installing, name_of, units
from console.session import Session
from engine.errors import EXIT_DRIFT, EXIT_OK, PermanentError, SettingsInvalid
from engine.files.whole import write_whole
from engine.text.ages import to_come
from engine.text.jsontext import Malformed, read_file
from engine.text.lengths import duration
from house.files.paths import expanded
from house.model import House
from tools.places import CHECKOUT

_LARGEST = 1e11  # of a moment in seconds
OUTSIDE, INSIDE = "systemd", "cronjob"
LATE_S = 12 * 3600.0
"""A start is put off at random by six hours at most, and a run takes its time."""


def schedule(
    settings: str, json: bool, kind: str, every: str, place: str, check: bool, what: str = "", image: str = ""
) -> int:  # fmt: skip
    """Write what makes runs happen into a folder (0), or say whether what was written runs: 0 for yes, 3 where one was missed."""

    def body() -> int:
        session = open_session("dr.schedule", settings, json)
        job = job_of(what)
        if check:
            return ran(session, job)
        return write_inside(session, every, place, job, image) if kind == INSIDE else write(session, kind, every, place, job)

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
    if kind != OUTSIDE:
        raise SettingsInvalid(
            f"--as {kind or '(nothing)'} is no kind of schedule that is written; right would be: --as {OUTSIDE} or --as {INSIDE}"
        )
    house = session.house
    of = Scheduled(house, job, every_of(every, job), getpass.getuser(), CHECKOUT, Path(f"/etc/blackstart/{house.name}.env"))
    folder = expanded(Path(place or "."))
    return _written(session, Kept(job, of.every, OUTSIDE), folder, units(of), installing(of, folder))


def write_inside(session: Session, every: str, place: str, job: Job, image: str) -> int:
    """A CronJob for the cluster itself, to be reviewed and committed by a person. Raises SettingsInvalid."""
    from console.schedule import (
        cronjob,  # its rights name what a client of the API makes, which no other verb's start waits for
    )

    if job is not Job.DRILL:
        raise SettingsInvalid(
            f"--as {INSIDE} drills, and --what {job.value} is nothing for it: an account that may copy etcd may read every secret",
            hint=f"right would be --as {OUTSIDE} --what {job.value}, on a machine outside",
        )
    if not image:
        raise SettingsInvalid(f"--as {INSIDE} needs --image, as the cluster pulls it", hint="build it from the Containerfile here")
    of = cronjob.CronJob(session.house, every_of(every, job), image, CHECKOUT)
    folder = expanded(Path(place or "."))
    session.page.say(f"It runs inside, and cannot see {BLIND_TO}: for that a dead man's switch hears its pings ({PING}).")
    return _written(session, Kept(job, of.every, INSIDE), folder, {of.file: cronjob.manifests(of)}, cronjob.installing(of, folder))


def every_of(every: str, job: Job) -> Every:
    """How often; what is usual for the job where nothing is said. Raises SettingsInvalid."""
    words = [one.value for one in Every]
    if every and every not in words:
        raise SettingsInvalid(f"--every {every} is no interval; right would be one of {', '.join(words)}")
    return Every(every or job.usually.value)


@dataclass(frozen=True)
class Kept:
    """What was written from here: what it runs, how often, and where; `since` when (seconds since the epoch)."""

    job: Job
    every: Every
    kind: str
    since: float = 0.0


def _written(session: Session, kept: Kept, folder: Path, files: Mapping[str, str], following: tuple[str, ...]) -> int:
    """Write the files, remember that, and say what a person does with them."""
    house, verb = session.house, kept.job.verb
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(folder / name, text, mode=None)
        house.state_dir.mkdir(parents=True, mode=0o700, exist_ok=True)
        told = {"verb": verb, "every": kept.every.value, "since": session.clock.now(), "as": kept.kind}
        write_whole(_kept_at(house, kept.job), jsonfile.dumps(told) + "\n")
    except OSError as error:
        raise PermanentError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    written = tuple(folder / name for name in files)
    session.tell_written(written)
    session.page.say("Review them, then:")
    for line in following:
        session.page.say(f"  {line}")
    counts = {"files": len(written)}
    return session.finish("written", counts, EXIT_OK, written=written, every=kept.every, runs=verb, kind=kept.kind)


def ran(session: Session, job: Job = Job.DRILL) -> int:
    """Whether the last one came when it was due: by what is remembered of the runs themselves, of a CronJob by what the cluster
    says of it."""
    house, now = session.house, session.clock.now()
    kept = _kept(_kept_at(house, job), job)
    every, since, inside = kept.every, kept.since, kept.kind == INSIDE
    starts = starts_inside(session) if inside else starts_here(house, kept)
    last = max((at for at in starts if not to_come(at, now)), default=None)
    for what, at in (("a run", max(starts, default=now)), ("the writing of the schedule", since)):
        if to_come(at, now):  # it says nothing of what came when it was due
            session.page.say(f"not counted: {what} is still to come, on {moment(at)}: the clock was wrong then, or is now.")
    begun = last if last is not None else since
    due = begun + every.seconds + LATE_S if not to_come(begun, now) else None
    good = due is not None and due > now
    told = f"the last {job.verb} began {duration(max(0.0, now - last))} ago" if last is not None else f"no {job.verb} has run yet"
    if due is None:
        late = "nobody knows when one was due"
    else:
        late = f"the next one may come until {moment(due)}" if good else f"one was due by {moment(due)}, and did not come"
    session.page.say(f"{told}; {late} ({kept.every.value}, written on {moment(kept.since)}).")
    if inside:
        session.page.say(f"What came of it is in the cluster and at the dead man's switch; it cannot see {BLIND_TO}.")
    if not good:
        look = f"kubectl -n {OWN} get cronjobs,jobs" if inside else (
            f"systemctl list-timers 'blackstart-*'; journalctl -u {name_of(house, job)}"
        )
        session.page.say(f"Look at: {look}")
    outcome = "on time" if good else "unknown" if due is None else "missed"
    counts = {"runs": len(starts)}
    return session.finish(outcome, counts, EXIT_OK if good else EXIT_DRIFT, last=last, due=due, every=kept.every, kind=kept.kind)


def starts_here(house: House, kept: Kept) -> tuple[float, ...]:
    """When each run began that this state folder remembers."""
    runs = (one for one in history(house.state_dir) if one.verb == kept.job.verb and one.exit_code is not None)
    return tuple(at for one in runs if (at := as_epoch(one.started)) is not None)


def starts_inside(session: Session) -> tuple[float, ...]:
    """When the CronJob last started one, as the cluster says. PermanentError where it has none, or it is suspended."""
    name = name_of(session.house, Job.DRILL)
    with session.doors(None) as doors:
        seen = doors.look.drills.scheduled(OWN, name)
    if seen is None:
        raise PermanentError(f"there is no CronJob {OWN}/{name} in the cluster", hint="what was written is not applied, or is gone")
    if seen.suspended:
        raise PermanentError(f"the CronJob {OWN}/{name} is suspended: nothing drills", hint="spec.suspend in its manifest")
    return (seen.last,) if seen.last is not None else ()


def _kept(path: Path, job: Job) -> Kept:
    again = f"invoke dr.schedule --as {OUTSIDE}{'' if job is Job.DRILL else f' --what {job.value}'}"

    def made(found: dict[str, Any]) -> Kept:
        kind = found.get("as", OUTSIDE)
        if found["verb"] != job.verb or kind not in (OUTSIDE, INSIDE) or not 0 <= as_number(found["since"]) < _LARGEST:
            raise ValueError("not what was written")
        return Kept(job, Every(found["every"]), kind, float(found["since"]))

    try:
        return read_file(path, made)
    except FileNotFoundError:
        raise PermanentError(
            "no schedule was written from here, so nobody knows when one should have run", next_command=again
        ) from None
    except (OSError, Malformed) as error:
        raise PermanentError(f"{path} cannot be read", next_command=again) from error
