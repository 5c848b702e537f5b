"""The full demo: the four-node house of the lab with its real programs, driven by `invoke` from outside and killed twice."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from console.demo.driving import Driver, Line, Verb
from console.demo.onwire import played
from console.demo.story import Act, Story
from engine.errors import EXIT_HELD, EXIT_OK, EXIT_STEP_FAILED, BlackstartError
from engine.text.jsontext import read_file
from engine.waiting import SystemClock, wait_until
from lab.houses.nouns import HouseFolder
from lab.running.control import ask
from lab.running.starting import start
from tools.locate import need

HOUSE = "four-nodes"
SPEED = 10.0
CLAIM = ("selfhosted", "notes")
WAIT_S = 120.0
# What the application writes on its first start: its defaults, and what its deployment asks for.
FILES = 41


def play() -> int:
    """Play it; answers 0 when all of it held. The lab is down afterwards, also when the story broke off."""
    return played(HOUSE, lambda folder, story: Full(folder, story).play())


class Full:
    """The house and its story."""

    def __init__(self, folder: HouseFolder, story: Story) -> None:
        self.folder = folder
        self.story = story
        self.driver = Driver(folder.settings)
        self.clock = SystemClock()

    def play(self) -> None:
        """All acts."""
        with self.story.act("lab.up: bare hosts, every door open") as act:
            told = start(HOUSE, "empty", SPEED, self.folder)
            self.story.show(act, True, f"settings {told['settings']}")
        self._plan()
        self._killed_while_a_task_runs()
        self._killed_while_a_release_is_pending()
        self._built()
        self._data_and_backup()
        before = self._digest()
        self._lost_and_built_misspelt()
        self._spelt_right()
        self._restored(before)
        self._nothing_was_invented()

    def _plan(self) -> None:
        with self.story.act("cluster.plan: what would be done, nothing is") as act:
            plan = self.driver.run("cluster.plan")
            self.story.show(act, plan.code == 2, _counted(plan))
            self.story.show(act, not self._status()["faults"]["reached"], "not one mutation reached the house")

    def _killed_while_a_task_runs(self) -> None:
        with self.story.act("cluster.bootstrap, SIGKILL to the process while a Proxmox task makes a VM") as act:
            killed = self.driver.run_until("cluster.bootstrap", deadly=_task_of_create_vm, group=False)
            running = [upid for upid in self._status()["tasks"] if ":qmcreate:" in upid]
            self.story.show(act, killed.code == -9, f"killed after {len(killed.events)} events, exit {killed.code}")
            self.story.show(act, bool(running), f"Proxmox goes on without us: {', '.join(running) or 'no, the task was over'}")

    def _killed_while_a_release_is_pending(self) -> None:
        with self.story.act("again, SIGKILL to the whole group while a release is pending-install") as act:
            killed = self.driver.run_until("cluster.bootstrap", deadly=self._release_pending, group=True)
            self.story.show(act, killed.code == -9, f"resumed, then killed; exit {killed.code}")
            self.story.show(act, bool(self._pending()), f"left pending: {', '.join(self._pending()) or 'nothing'}")

    def _built(self) -> None:
        with self.story.act("again: repaired and finished") as act:
            done = self.driver.run("cluster.bootstrap")
            self._show_held(act, done)
            resumed = [s["id"] for s in done.result.get("steps", []) if s["resumed"]]
            self.story.show(act, bool(resumed), f"resumed: {', '.join(resumed) or 'nothing'}")
            self._four_vms_one_etcd(act)
        with self.story.act("cluster.plan and cluster.verify after it") as act:
            began = time.monotonic()
            plan = self.driver.run("cluster.plan")
            took = time.monotonic() - began
            self.story.show(act, plan.code == 0, f"plan: {_counted(plan)}, in {took:.1f} s")
            verify = self.driver.run("cluster.verify")
            self.story.show(act, verify.code == EXIT_HELD, f"verify: {_counted(verify)}")

    def _data_and_backup(self) -> None:
        with self.story.act("dr.restore: never backed up, starts empty by approval; the application writes data") as act:
            plan = self.driver.run("dr.plan")
            digest = str(plan.result["plan"])
            refused = self.driver.run("dr.restore")
            self.story.show(act, refused.code == 21, f"without approval refused, exit {refused.code}")
            done = self.driver.run("dr.restore", "--approve", digest)
            self.story.show(act, done.code == EXIT_OK, f"approved {digest}: {_counted(done)}")
            files = self._until(lambda: n if (n := self._count()) >= FILES else None, "the application's files")
            self.story.show(act, files == FILES, f"the application wrote {files} files")
        with self.story.act("VolSync backs the claim up to the S3 door; dr.audit --lock writes down what is known") as act:
            if not self._backed_up_since("demo-1"):
                self._backed_up_since("demo-2")
            audit = self.driver.run("dr.audit", "--lock")
            self.story.show(act, audit.code == EXIT_OK, audit.result["audits"][0]["detail"])

    def _lost_and_built_misspelt(self) -> None:
        with self.story.act(
            "every VM and every disk is destroyed; cluster.bootstrap with the repository's prefix misspelt:"
            " the rest is built, the claim stays held"
        ) as act:
            ask(self.folder.control, {"do": "lose-everything"})
            self.story.show(act, self._status()["vms"] == [], "no VM is left")
            settings = self.folder.settings.with_name("misspelt.yaml")
            text = self.folder.settings.read_text()
            wrong = text.replace('/{app}"\n', '/{app}"\n      open: "' + self._backups() + '-misspelt/{app}"\n')
            assert wrong != text, "the settings have no rule to misspell"
            settings.write_text(wrong)
            done = self.driver.run("cluster.bootstrap", f"--settings={settings}")
            settings.unlink()
            refused = [name for name in done.steps("failed") if not done.step(name)["advisory"]]
            named = refused == [f"preflight.backup/{'/'.join(CLAIM)}"] and done.code == EXIT_STEP_FAILED
            self.story.show(act, named, f"refused by {', '.join(refused)}; exit {done.code}")
            self._four_vms_one_etcd(act)
            held = [done.step(name).get("detail", "") for name in done.steps("held")]
            self.story.show(act, bool(held), "; ".join(held) or "nothing is held")

    def _spelt_right(self) -> None:
        with self.story.act("the prefix is put right: dr.audit, and cluster.bootstrap again") as act:
            audit = self.driver.run("dr.audit")
            self.story.show(act, audit.code == EXIT_OK, f"the good backup: {audit.result['audits'][0]['detail']}")
            self._show_held(act, self.driver.run("cluster.bootstrap"))

    def _restored(self, before: Line) -> None:
        with self.story.act("dr.restore: pinned, restored, compared, filled, released, backed up again") as act:
            done = self.driver.run("dr.restore")
            name = "/".join(CLAIM)
            proof = done.step(f"recovery.prove/{name}").get("detail", "no proof")
            self.story.show(act, done.code == EXIT_OK, f"{proof}; {_counted(done)}")
            self.story.show(act, done.code == EXIT_OK, done.step(f"recovery.first-backup/{name}").get("detail", "no backup"))
            after = self._digest()
            told = f"the lab's own digest of the volume: {before['sha256'][:12]} before, {after['sha256'][:12]} after"
            self.story.show(act, before == after, f"{told}, {after['files']} files, {after['bytes']} bytes")

    def _nothing_was_invented(self) -> None:
        with self.story.act("what the lab was asked and does not model") as act:
            unknown = self._status()["unknown_calls"]
            self.story.show(act, not unknown, "; ".join(unknown) or "the lab was asked nothing that it does not know")

    # What is looked at from outside.

    def _show_held(self, act: Act, done: Verb) -> None:
        held = [s["detail"] for s in done.result.get("steps", []) if s["outcome"] == "held"]
        failed = [f"{s['id']}: {s['detail']}" for s in done.result.get("steps", []) if s["outcome"] == "failed"]
        self.story.show(act, done.code == EXIT_HELD, "; ".join(held or failed or [f"exit {done.code}"]))

    def _four_vms_one_etcd(self, act: Act) -> None:
        seen = self._status()
        vms = [vm["id"] for vm in seen["vms"]]
        members = {tuple(sorted(listed)) for listed in seen["etcd"].values()}
        holds = len(vms) == 4 and len(members) == 1 and len(next(iter(members), ())) == 3
        self.story.show(act, holds, f"VMs {vms}; every etcd lists {', '.join(next(iter(members), ()))}")

    def _status(self) -> dict[str, Any]:
        return ask(self.folder.control, {"do": "status"})

    def _digest(self) -> Line:
        return ask(self.folder.control, {"do": "digest", "namespace": CLAIM[0], "claim": CLAIM[1]})

    def _count(self) -> int:
        try:
            return int(self._digest()["files"])
        except BlackstartError:
            return 0  # not bound yet

    def _backed_up_since(self, trigger: str) -> bool:
        """Whether the backup that ended with this trigger has begun after it: VolSync credits the run under way with a new one."""
        source, wanted = ("replicationsource", CLAIM[1], "-n", CLAIM[0]), json.dumps({"spec": {"trigger": {"manual": trigger}}})
        under_way = self._kubectl("patch", *source, "--type=merge", "-p", wanted, "-o", "jsonpath={.status.lastSyncStartTime}")
        ended = (*source, "-o", "jsonpath={.status.lastManualSync}")
        self._until(lambda: self._kubectl("get", *ended) == trigger or None, "a backup")
        return not under_way

    def _pending(self) -> list[str]:
        out = self._kubectl("get", "secret", "-A", "-l", "owner=helm,status in (pending-install,pending-upgrade)", "-o", "name")
        return [line.rpartition("sh.helm.release.v1.")[2] for line in out.split()]

    def _release_pending(self, line: Line) -> bool:
        begun = line.get("event") == "StepBegun" and "coredns" in str(line.get("step"))
        if not begun:
            return False
        self._until(lambda: self._pending() or None, "a pending release")
        return True

    def _backups(self) -> str:
        return read_file(self.folder.endpoints, lambda told: str(told["s3"]["backups"]))

    def _kubectl(self, *arguments: str) -> str:
        argv = [str(need("kubectl")), f"--kubeconfig={self._kubeconfig()}", *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout

    def _kubeconfig(self) -> Path:
        return self.folder.settings.parent / "state" / "kubeconfig"

    def _until(self, ask_: Any, what: str) -> Any:
        return wait_until(self.clock, ask_, limit_s=WAIT_S, what=what)


def _task_of_create_vm(line: Line) -> bool:
    return line.get("event") == "StepNoted" and "create-vm" in str(line.get("step")) and line.get("key") == "task"


def _counted(verb: Verb) -> str:
    """A verb's counts in words: what there was none of is left out."""
    return ", ".join(f"{count} {what}" for what, count in verb.result.get("counts", {}).items() if count) or "nothing was counted"
