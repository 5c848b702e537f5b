"""The scenes of a loss with the real programs: each by the verbs that a person types, in one running house."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.kept.results import Word
from console.demo.driving import Line
from console.demo.loss.wire import LOSER, NEIGHBOUR, SPACE, WireGround, failures
from console.demo.story import Act
from engine.errors import EXIT_HELD, EXIT_OK, ApprovalMissing
from lab.running.keyholder import restic

CLAIM, BESIDE = f"{SPACE}/{LOSER}", f"{SPACE}/{NEIGHBOUR}"
ELSEWHERE = ("pve-1", 8005)


@dataclass(frozen=True)
class WireScene:
    """One bad day: `name` in a word, `title` what happens, `play` does it and shows what must hold."""

    name: str
    title: str
    play: Callable[[WireGround, Act], None]


def restored(ground: WireGround, act: Act) -> None:
    """The application's data are nonsense, and are brought back beside a neighbour that goes on."""
    ground.write(LOSER, "journal/today.txt", "written today\n")
    ground.back_up(LOSER, "demo-today")
    watch = ground.watch(NEIGHBOUR)
    gone = ground.ask("spoil", namespace=SPACE, claim=LOSER)["gone"]
    done = ground.approved("dr.restore", "--claims", CLAIM, plan="dr.plan")
    ground.show_verb(act, done, f"{gone} files gone; dr.restore --claims {CLAIM}, approved")
    ground.show(act, done.code == EXIT_OK, str(done.step(f"recovery.prove/{CLAIM}").get("detail", "no proof")))
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, NEIGHBOUR, watch.end(backups=1))


def undone(ground: WireGround, act: Act) -> None:
    """The person turns away: exactly what was there comes back; and away from that again."""
    watch = ground.watch(NEIGHBOUR)
    restored_data = ground.truth[LOSER]
    first = ground.approved("dr.undo", CLAIM)
    nonsense = ground.digest(LOSER)
    ground.show_verb(act, first, f"dr.undo {CLAIM}, approved: {nonsense['files']} file of before")
    ground.show(act, nonsense["files"] == 1, "it is the nonsense that was there, and nothing else")
    ground.show_verb(act, ground.approved("dr.undo", CLAIM), "dr.undo of that, approved")
    ground.truth[LOSER] = restored_data
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, NEIGHBOUR, watch.end())


def one_file(ground: WireGround, act: Act) -> None:
    """One file changed for the worse and was backed up so: a former version of it is found and fetched."""
    path, into = "journal/today.txt", ground.state.parent / "fetched"
    ground.write(LOSER, path, "spoilt\n")
    ground.back_up(LOSER, "demo-spoilt")
    listed = ground.run("dr.list", CLAIM, path)
    found = [one for one in listed.result.get("versions", []) if one["entry"]]
    told = ", ".join(f"{one['entry']['bytes']} bytes until {one['newest']}" for one in found)
    ground.show(act, len(found) == 2, f"dr.list {CLAIM} {path}: {told or failures(listed)}")
    got = ground.run("dr.fetch", CLAIM, path, "--into", str(into), "--as-of", str(found[-1]["newest"]))
    ground.show_verb(act, got, f"dr.fetch {CLAIM} {path} --as-of {found[-1]['newest']}")
    same = _sha256(Path(str(got.result.get("target", "")))) == hashlib.sha256(b"written today\n").hexdigest()
    ground.show(act, same, f"it has {'the digest of what was written' if same else 'OTHER bytes than were written'}")
    ground.show_data(act, LOSER, NEIGHBOUR)


def undeleted(ground: WireGround, act: Act) -> None:
    """Somebody with the key prunes the backup down to its newest snapshot: a former state of the bucket has the rest."""
    before = ground.snapshots(LOSER)
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(2.0)  # a state is of a whole second
    restic(ground.folder, LOSER, "forget", "--group-by", "", "--keep-last", "1", "--prune")
    left = ground.snapshots(LOSER)
    ground.show(act, len(left) == 1, f"restic forget --keep-last 1 --prune: {len(left)} of {len(before)} snapshots is left")
    told = ground.run("dr.undelete", CLAIM)
    moments = [f"{one['snapshots_gone']} of {one['snapshots']} snapshots went" for one in told.result.get("moments", [])]
    ground.show_verb(act, told, f"dr.undelete {CLAIM}: {'; '.join(moments) or 'nothing went'}")
    done = ground.approved("dr.undelete", CLAIM, "--as-of", moment)
    ground.show_verb(act, done, f"dr.undelete {CLAIM} --as-of {moment}, approved: {done.result.get('into')}")
    found = ground.snapshots(LOSER, at=str(done.result.get("into", "")))
    ground.show(act, found == before, f"restic finds {len(found)} snapshots there, {'the same' if found == before else 'OTHERS'}")
    ground.show(act, ground.snapshots(LOSER) == left, "the old place is as it was")
    ground.show_data(act, LOSER, NEIGHBOUR)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def host_dead(ground: WireGround, act: Act) -> None:
    """A host has no power any more: its node is made anew on another, once the settings say where."""
    before, watch, beside = ground.voters(), ground.watch(NEIGHBOUR), ground.watch(LOSER)
    ground.ask("trouble", name="host-down", target="pve-2")
    refused = ground.run("cluster.replace-node", "cp-2")
    line: Line = next((one for one in refused.result.get("lines", []) if one["id"] == "preflight.lost/cp-2"), {})
    ground.show(act, "in blackstart.yaml" in str(line.get("hint")), f"cluster.replace-node cp-2 refuses: {line.get('detail')}")
    text = ground.folder.settings.read_text()
    moved = text.replace("cp-2: {host: pve-2, vm_id: 8002}", f"cp-2: {{host: {ELSEWHERE[0]}, vm_id: {ELSEWHERE[1]}}}")
    assert moved != text, "the settings have no line of cp-2"
    ground.folder.settings.write_text(moved)
    done = ground.approved("cluster.replace-node", "cp-2")
    ground.show_verb(act, done, f"with host: {ELSEWHERE[0]} and vm_id: {ELSEWHERE[1]} in the settings, approved")
    after = ground.voters()
    anew = after.keys() == before.keys() and {one for one in after if after[one] != before.get(one)} == {"cp-2"}
    told = f"etcd lists {', '.join(sorted(after)) or 'nothing'}, cp-2 {'as a new member' if anew else 'NOT anew'}"
    ground.show(act, anew, told)
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, NEIGHBOUR, watch.end())
    ground.show_undisturbed(act, LOSER, beside.end(), backups=False)


def quorum_lost(ground: WireGround, act: Act) -> None:
    """Two of three control planes are gone: the third one's disk has all that was written."""
    ground.kubectl("create", "configmap", "of-today", "-n", SPACE)
    watch = ground.watch(NEIGHBOUR)
    for name in ("cp-2", "cp-3"):
        ground.ask("trouble", name="vm-gone", target=name)
    saved = ground.run("cluster.save-etcd")
    ground.show_verb(act, saved, "cluster.save-etcd, of a copy of the third one's disk")
    _recovered(ground, act)
    ground.show(act, "of-today" in _maps(ground), "what was written last is there")
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, NEIGHBOUR, watch.end(), backups=False)


def disks_gone(ground: WireGround, act: Act) -> None:
    """All of etcd's disks are gone, the data disks live: a snapshot of before, and data that are newer than it."""
    saved = ground.run("cluster.save-etcd")
    ground.show_verb(act, saved, "cluster.save-etcd")
    watch = ground.watch(NEIGHBOUR)
    ground.kubectl("create", "configmap", "of-the-last-minutes", "-n", SPACE)
    ground.write(LOSER, "journal/late.txt", "written after the snapshot of etcd\n")
    for name in ("cp-1", "cp-2", "cp-3"):
        ground.ask("trouble", name="vm-gone", target=name)
    _recovered(ground, act)
    ground.show(act, "of-the-last-minutes" not in _maps(ground), "as the consent said: an object of after it is not there any more")
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, NEIGHBOUR, watch.end(), backups=False)


def _recovered(ground: WireGround, act: Act) -> None:
    """cluster.recover-etcd as a person runs it. Where no control plane is left, one is made first: what it then takes is only
    known after that, and is planned and approved again."""
    for _ in range(2):
        planned = ground.run("cluster.recover-etcd")
        words = "; ".join(line["act"]["words"] for line in planned.result.get("lines", []) if line.get("act"))
        done = ground.run("cluster.recover-etcd", "--approve", str(planned.result.get("plan", "")))
        if done.code != ApprovalMissing.exit_code:
            break
    ground.show_verb(act, done, f"cluster.recover-etcd, approved ({words or failures(planned)})")
    voters = sorted(ground.voters())
    ground.show(act, voters == ["cp-1", "cp-2", "cp-3"], f"etcd lists {', '.join(voters) or 'nothing'}")
    past = str(done.step("etcd.moved-past").get("detail", ""))
    ground.show(act, bool(past), f"told at the end: {past or 'nothing'}")


def _maps(ground: WireGround) -> str:
    return ground.kubectl("get", "configmaps", "-n", SPACE, "-o", "name")


def off_and_on(ground: WireGround, act: Act) -> None:
    """The house is switched off and on again."""
    done = ground.approved("cluster.stop")
    on = [vm["name"] for vm in ground.ask("status")["vms"] if vm["running"] and vm["name"] != "nas"]
    ground.show_verb(act, done, f"cluster.stop, approved: {'every VM is off' if not on else 'still on: ' + ', '.join(on)}")
    ground.show(act, not on, f"{len(on)} VMs run")
    ground.show_verb(act, ground.run("cluster.start"), "cluster.start")
    ground.show_data(act, LOSER, NEIGHBOUR)
    ready = ground.kubectl("get", "pods", "-n", SPACE, "-o", "jsonpath={.items[*].status.containerStatuses[*].ready}")
    ground.show(act, "true" in ready, f"applications are ready: {ready}")


def rebuilt(ground: WireGround, act: Act) -> None:
    """A planned rebuild: saved at rest, wiped, built and restored, and not one write is missing."""
    for app in (LOSER, NEIGHBOUR):
        ground.write(app, "journal/last.txt", f"{app}: the last write, in no backup\n")
    done = ground.approved("dr.checkpoint")
    ground.show_verb(act, done, f"dr.checkpoint, approved: {done.step('checkpoint.safe').get('detail', 'not safe')}")
    ground.show(act, bool(done.result.get("safe")), "it says: safe to wipe until an application starts again")
    ground.ask("lose-everything")
    ground.show(act, not ground.ask("status")["vms"], "every VM and every disk is wiped")
    ground.show_verb(act, ground.run("cluster.bootstrap"), "cluster.bootstrap", (EXIT_OK, EXIT_HELD))
    ground.show_verb(act, ground.run("dr.restore"), "dr.restore")
    ground.show_data(act, LOSER, NEIGHBOUR)


def outlived_them(ground: WireGround, act: Act) -> None:
    """Every VM is gone, the volumes are not: one is newer than its backup, of the other the disk has rotted."""
    volumes = {app: ground.volume(app) for app in (LOSER, NEIGHBOUR)}
    ground.show_verb(act, ground.run("cluster.inventory", "--write"), "cluster.inventory --write, while all is well")
    ground.until("no backup is at work", lambda told: not _movers(told))
    ground.write(LOSER, "journal/later.txt", "written after the last backup\n")
    for name in ("w-1", "cp-1", "cp-2", "cp-3"):
        ground.ask("trouble", name="vm-gone", target=name)
    ground.until("nothing of the machines runs any more", lambda told: not any(one.startswith("pod-") for one in told["programs"]))
    rotten = ground.ask("rot", volume=volumes[NEIGHBOUR])["path"]
    ground.show_verb(act, ground.run("cluster.bootstrap"), "every VM is gone; cluster.bootstrap", (EXIT_OK, EXIT_HELD))
    seen = ground.run("dr.survivors", "--claims", f"{CLAIM},{BESIDE}")
    words = {row["claim"]: row["found"] for row in seen.result.get("survivors", [])}
    told = "; ".join(f"{row['claim']} is {row['found']} ({row['told']})" for row in seen.result.get("survivors", []))
    ground.show_verb(act, seen, f"dr.survivors: {told or 'no volume'}")
    as_they_are = words == {CLAIM: Word.NEWER.value, BESIDE: Word.DAMAGED.value} and rotten in told
    ground.show(act, as_they_are, f"one has what no backup has, and of the other {rotten} has rotted")
    unasked = ground.run("dr.restore")
    row = str(unasked.step(f"recovery.survivor/{BESIDE}").get("detail", failures(unasked)))
    ground.show(act, unasked.code != EXIT_OK and "leave something behind" in row, f"dr.restore, not approved: {row}")
    ground.show_verb(act, ground.approved("dr.restore", plan="dr.plan"), "dr.restore, approved")
    now = {app: ground.volume(app) for app in (LOSER, NEIGHBOUR)}
    ground.show(act, now[LOSER] == volumes[LOSER], f"{LOSER} has {now[LOSER]}, and had {volumes[LOSER]}")
    ground.show(act, now[NEIGHBOUR] not in ("", volumes[NEIGHBOUR]), f"{NEIGHBOUR} has {now[NEIGHBOUR]}, made of its backup")
    ground.show_data(act, LOSER, NEIGHBOUR)


def _movers(told: Line) -> list[str]:
    return [name for name in told["programs"] if name.startswith(f"pod-{SPACE}-volsync-")]


WIRE_SCENES = (
    WireScene("restore", "one application's data are nonsense: dr.restore of it alone, its neighbour goes on", restored),
    WireScene("undo", "dr.undo: exactly what was there before the restore, and back again", undone),
    WireScene("file", "one file went bad and was backed up so: dr.list, dr.fetch", one_file),
    WireScene("undelete", "somebody pruned the backup: dr.undelete brings a former state of the bucket", undeleted),
    WireScene("host", "one host is dead: cluster.replace-node makes its node elsewhere", host_dead),
    WireScene("quorum", "two of three control planes are gone: cluster.recover-etcd from the third one's disk", quorum_lost),
    WireScene("disks", "etcd's disks are gone, data disks live: cluster.recover-etcd from a snapshot", disks_gone),
    WireScene("power", "cluster.stop, then cluster.start", off_and_on),
    WireScene("rebuild", "dr.checkpoint, every VM wiped, built and restored: not one write is missing", rebuilt),
    WireScene("survivors", "every VM is gone, volumes are not: one newer than its backup, one that has rotted", outlived_them),
)
