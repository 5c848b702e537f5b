"""The running house of the lab that scenes of a loss are played in: drives `invoke` from outside, and looks without it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.demo.driving import Driver, Line, Verb, unheard
from console.demo.story import Act, Story
from engine.errors import EXIT_OK, EXIT_PLAN_HAS_CHANGES, ApprovalMissing, BlackstartError
from engine.text.jsontext import read
from lab.houses.nouns import HouseFolder
from lab.modelled.neighbours import Counts
from lab.parts.errors import PartFailed
from lab.running.control import ask
from lab.running.keyholder import restic
from tools.locate import need

HOUSE, SPEED = "neighbours", 20.0
SPACE, LOSER, NEIGHBOUR = "selfhosted", "notes", "wiki"
SCHEDULE_S = 120.0
"""How often the neighbour is backed up: every even minute."""
_LATE_S = 100.0
"""A backup that is due longer ago than this and not in the store was missed: this machine may be busy."""
_PROBE_S = 1.0


class Watch:
    """Looks every second whether an application's process runs, and which it is; at the end, whether its backups were made."""

    def __init__(self, folder: HouseFolder, app: str, hear: Callable[[str], None] = unheard) -> None:
        self._folder, self._app, self._hear = folder, app, hear
        self._began = time.time()
        self._seen, self._blind = Counts(), 0
        self._was: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"watch {app}", daemon=True)
        self._thread.start()

    def end(self, backups: int = 0) -> Counts:
        """What was counted; not before so many backups were due, and are there or were missed. AssertionError where most looks had
        no answer: who was not seen is not undisturbed."""
        try:
            while len(found := self._backups()) < backups:
                late = f"every {SCHEDULE_S:.0f} s, and up to {_LATE_S:.0f} s late"
                self._hear(f"waits for a backup of {self._app} that is due: {late}")
                time.sleep(_PROBE_S)
        finally:
            self._over.set()
            self._thread.join(30.0)
        looks = self._seen.probes + self._blind
        assert self._seen.probes > self._blind, f"{self._app} was not seen: {self._blind} of {looks} looks had no answer"
        self._seen.backups, self._seen.missed_backups = len(found), found.count(False)
        return self._seen

    def _backups(self) -> list[bool]:
        return made_of_due(self._began, time.time(), stored(self._folder, self._app))

    def _look(self) -> None:
        while not self._over.wait(_PROBE_S):
            try:
                programs = ask(self._folder.control, {"do": "status"})["programs"]
            except (BlackstartError, ValueError, KeyError):  # the lab was busy, or broke off: nothing is known of it then
                self._blind += 1
            else:
                self._probe(programs)

    def _probe(self, programs: dict[str, int]) -> None:
        now = {name: pid for name, pid in programs.items() if name.startswith(f"pod-{SPACE}-{self._app}-")}
        self._seen.probes += 1
        self._seen.missed_probes += not now
        self._seen.restarts += bool(now) and bool(self._was) and now != self._was
        self._was = now or self._was


def made_of_due(began: float, now: float, made: Iterable[float]) -> list[bool]:
    """Of each backup that was due between these times whether it was made; one that may still come is left out. A snapshot counts
    for one backup alone."""
    left, found = sorted(made), list[bool]()
    for number in range(int(began // SCHEDULE_S + 1), int(now // SCHEDULE_S + 1)):
        moment = number * SCHEDULE_S
        one = next((time for time in left if moment <= time < moment + SCHEDULE_S + _LATE_S), None)
        if one is not None:
            left.remove(one)
        if one is not None or now - moment > _LATE_S:
            found.append(one is not None)
    return found


def stored(folder: HouseFolder, app: str) -> list[float]:
    """When each snapshot in an application's repository was written, by the store's files (seconds since the epoch)."""
    place = folder.root / "store" / "buckets" / "backups" / app / "snapshots"
    return sorted(path.stat().st_mtime for path in place.iterdir() if path.is_file())


@dataclass
class WireGround:
    """One running house, its story, and what must be on each application's volume now (the lab's own digest).

    `hear` is told what is done now, and what is waited for.
    """

    folder: HouseFolder
    story: Story
    hear: Callable[[str], None] = unheard
    driver: Driver = field(init=False)
    truth: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.driver = Driver(self.folder.settings, self.hear)

    # The tool.

    def run(self, verb: str, *words: str) -> Verb:
        """A verb to its end."""
        return self.driver.run(verb, *words)

    def approved(self, verb: str, *words: str, plan: str = "") -> Verb:
        """A verb by consent to its plan of now (`plan`: the verb that shows it, if that is another). AssertionError without one.

        A house that has just lost something changes for a while: a plan that is another by the time of the consent is read again.
        """
        for _ in range(2):
            planned = self.run(plan or verb, *words)
            assert planned.code in (EXIT_OK, EXIT_PLAN_HAS_CHANGES) and "plan" in planned.result, f"{verb}: {failures(planned)}"
            done = self.run(verb, *words, "--approve", str(planned.result["plan"]))
            if done.code != ApprovalMissing.exit_code:
                break
        return done

    # The house, without the tool.

    def ask(self, do: str, **more: Any) -> Line:
        """One command to the house's control socket."""
        return ask(self.folder.control, {"do": do, **more})

    def digest(self, app: str) -> Line:
        """The lab's own digest of an application's volume; of none where none is bound."""
        try:
            return self.ask("digest", namespace=SPACE, claim=app)
        except BlackstartError:
            return {"sha256": "", "files": 0, "bytes": 0}

    def write(self, app: str, path: str, text: str) -> Line:
        """The application writes a file. It is the truth from here on."""
        told = self.ask("write", namespace=SPACE, claim=app, path=path, text=text)
        self.truth[app] = self.digest(app)
        return told

    def kubectl(self, *words: str) -> str:
        """kubectl with the kubeconfig that the bootstrap fetched. PartFailed with its last words when it refuses."""
        argv = [str(need("kubectl")), f"--kubeconfig={self.state / 'kubeconfig'}", *words]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise PartFailed(f"kubectl {words[0]} ended with {done.returncode}", evidence=tuple(done.stderr.splitlines()[-2:]))
        return done.stdout

    def back_up(self, app: str, name: str) -> None:
        """A backup that begins after this and has ended when it returns. AssertionError when none does in time."""
        self.hear(f"waits for a backup of {app}, 240 s at most")
        before, deadline = set(stored(self.folder, app)), time.monotonic() + 240.0
        patch = json.dumps({"spec": {"trigger": {"manual": name}}})
        source = ("replicationsource", app, "-n", SPACE)
        while (told := self.kubectl("get", *source, "-o", "jsonpath={.status.lastSyncStartTime}")) and time.monotonic() < deadline:
            time.sleep(1.0)
        # Under kubectl's own name Flux would take it away again.
        self.kubectl("patch", *source, "--type=merge", "--field-manager=person", "-p", patch)
        while not set(stored(self.folder, app)) - before:
            assert time.monotonic() < deadline, f"no backup of {app} ended: {told}"
            time.sleep(1.0)
        drop = json.dumps({"spec": {"trigger": {"manual": None}}})
        self.kubectl("patch", *source, "--type=merge", "--field-manager=person", "-p", drop)

    def snapshots(self, app: str, at: str = "") -> set[str]:
        """Ids of all snapshots in a repository, as restic tells them."""
        return read(restic(self.folder, app, "snapshots", "--json", at=at), lambda listed: {str(one["id"]) for one in listed})

    @property
    def state(self) -> Path:
        """The tool's state folder."""
        return self.folder.settings.parent / "state"

    def watch(self, app: str) -> Watch:
        """Begin to look at this application as its users do."""
        return Watch(self.folder, app, self.hear)

    def until(self, what: str, holds: Callable[[Line], bool], limit_s: float = 120.0) -> None:
        """Wait until this holds of the house's status. AssertionError when it does not in time."""
        self.hear(f"waits until {what}, {limit_s:.0f} s at most")
        deadline = time.monotonic() + limit_s
        while not self._holds(holds):
            assert time.monotonic() < deadline, f"it did not come to that: {what}"
            time.sleep(_PROBE_S)

    def _holds(self, holds: Callable[[Line], bool]) -> bool:
        try:
            return holds(self.ask("status"))
        except BlackstartError:  # the lab was busy: nothing is known of it then
            return False

    def volume(self, app: str) -> str:
        """The name of the volume that an application's claim has, "" for none."""
        return self.kubectl("get", "pvc", app, "-n", SPACE, "-o", "jsonpath={.spec.volumeName}")

    def voters(self) -> dict[str, str]:
        """Who is in the etcd that the most of its members list: names and ids."""
        listed = sorted(self.ask("status")["etcd"].values(), key=len)
        return dict(one.split(" ", 1) for one in listed[-1]) if listed else {}

    # What is told.

    def show(self, act: Act, holds: bool, told: str) -> None:
        """See Story.show."""
        self.story.show(act, holds, told)

    def show_verb(self, act: Act, done: Verb, words: str, good: Iterable[int] = (EXIT_OK,)) -> None:
        """A verb ended well, or why not."""
        self.show(act, done.code in good, f"{words}: exit {done.code}{'' if done.code in good else ', ' + failures(done)}")

    def show_data(self, act: Act, *apps: str) -> None:
        """Each application's volume holds what it must."""
        for app in apps:
            now, wanted = self.digest(app), self.truth[app]
            told = f"{app}: the lab's own digest is {now['sha256'][:12] or 'none'} ({now['files']} files)"
            self.show(act, now == wanted, f"{told}, and must be {wanted['sha256'][:12]}")

    def show_undisturbed(self, act: Act, app: str, seen: Counts, *, backups: bool = True) -> None:
        """It noticed nothing; without `backups` those are told and not judged."""
        quiet = seen.undisturbed if backups else seen.probes > 0 and not (seen.missed_probes or seen.restarts)
        self.show(act, quiet, f"{app} meanwhile: {seen.told}")


def failures(done: Verb) -> str:
    """What went wrong, in the verb's own words."""
    steps = [f"{s['id']}: {s['detail']}" for s in done.result.get("steps", []) if s["outcome"] == "failed"]
    lines = [f"{s['id']}: {s['detail']}" for s in done.result.get("lines", []) if s["verdict"] not in ("noop", "create", "update")]
    problem = done.result.get("problem") or done.result.get("error") or ""
    return "; ".join([*steps, *lines[:4], *([str(problem)] if problem else [])]) or f"exit {done.code}"
