"""Scenes of one application: its data destroyed, brought back, that undone; one file; a backup that somebody pruned."""

from __future__ import annotations

import hashlib

from adapters.versions.results import Keeping, StoreGuard
from cluster.backups.audit import repository_of
from console.demo.loss.ground import Ground, problems
from console.demo.modelled import digest_of
from console.demo.story import Act
from engine.errors import EXIT_OK
from lab.modelled.lost import LOSER, NEIGHBOUR
from lab.modelled.neighbours import SCHEDULE_S
from lab.world.store import a_file
from recovery.course import course as recovery_course
from recovery.courses.undeleting import place_of, undelete_course
from recovery.courses.undoing import to_undo, undo_course
from recovery.files import chosen, fetch, opened, target_of, versions

NONSENSE = tuple(a_file(f"notes/{n:02}.md", "0" * 64) for n in range(3))


def restored(ground: Ground, act: Act) -> None:
    """The application's data are nonsense, and are brought back beside a neighbour that goes on."""
    claim, good = ground.claim(LOSER), ground.digest(LOSER)
    ground.home.kube.objects().claims[LOSER].entries = NONSENSE
    watch = ground.watch(NEIGHBOUR)
    ground.clock.sleep(SCHEDULE_S)
    report = ground.run(recovery_course(ground.house, (claim,), again=(claim,)), consented=True)
    ground.clock.sleep(2 * SCHEDULE_S)
    counts = watch.end()
    told = problems(report) or report[f"recovery.prove/{claim.key}"].detail
    ground.show(act, report.exit_code == EXIT_OK, f"dr.restore --claims {claim.key}, approved: {told}")
    ground.truth[LOSER] = good
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.show_undisturbed(act, counts)


def undone(ground: Ground, act: Act) -> None:
    """The person turns away: exactly what was there comes back; and away from that again."""
    restored_data = ground.digest(LOSER)
    watch = ground.watch(NEIGHBOUR)
    for wanted, words in ((digest_of(NONSENSE), "what was in use before the restore"), (restored_data, "and the restored data")):
        claim, volume = to_undo(ground.home.look(), ground.house, "/".join(LOSER))
        report = ground.run(undo_course(ground.house, claim, volume.name), consented=True)
        ground.clock.sleep(60)
        told = problems(report) or f"{words}: {len(ground.entries(LOSER))} files"
        ground.show(act, report.exit_code == EXIT_OK, f"dr.undo {claim.key}, approved: {told}")
        ground.truth[LOSER] = wanted
        ground.show_data(act, LOSER)
    ground.clock.sleep(SCHEDULE_S)
    ground.show_undisturbed(act, watch.end())


def one_file(ground: Ground, act: Act) -> None:
    """One file changed for the worse and was backed up so: a former version of it is found and fetched."""
    claim, path = ground.claim(LOSER), "notes/today.md"
    good = next(entry for entry in ground.entries(LOSER) if entry.path == path)
    spoilt = tuple(a_file(path, "spoilt\n") if entry.path == path else entry for entry in ground.entries(LOSER))
    ground.write(LOSER, *spoilt, instead=True)
    ground.back_up(claim)
    backups, repository = ground.home.look().backups, repository_of(ground.house, claim)
    points = opened(backups.look(repository), claim.key)
    found = [one for one in versions(points, backups.find(repository, [p.snapshot_id for p in points], path)) if one.found.entry]
    told = ", ".join(f"{one.told} at {one.points[0].pin}" for one in found)
    ground.show(act, len(found) == 2, f"dr.list {claim.key} {path}: {told}")
    before = chosen(points, claim.key, found[-1].points[0].time)
    target = target_of(ground.folder / "fetched", path, claim.claim)
    got = fetch(backups, repository, before, path, target).fetched
    same = hashlib.sha256(target.read_bytes()).hexdigest() == good.sha256
    words = "it has the digest of what was written" if same else "OTHER bytes than were written"
    ground.show(act, same and got.files == 1, f"dr.fetch {claim.key} {path}: {got.files} file of {got.size} bytes, {words}")
    ground.write(LOSER, *(good if entry.path == path else entry for entry in spoilt), instead=True)
    ground.back_up(claim)
    ground.show_data(act, LOSER, NEIGHBOUR)


def undeleted(ground: Ground, act: Act) -> None:
    """Somebody prunes the backup down to its newest snapshot, of nonsense: a former state of the bucket has the rest."""
    claim, store = ground.claim(LOSER), ground.home.store
    address, good = claim.mover_repository, ground.digest(LOSER)
    bucket, _, _ = address.removeprefix("s3:").rpartition("/")
    store.guards[bucket] = StoreGuard(bucket, Keeping.KEPT)
    moment = ground.clock.now()
    before = len(ground.repository(claim).snapshots)
    ground.clock.sleep(60)
    store.back_up(address, NONSENSE, ground.clock.now())
    store.prune(address, ground.clock.now(), keep=1)
    ground.clock.sleep(60)
    left = len(ground.repository(claim).snapshots)
    ground.show(act, left == 1, f"{left} of {before} snapshots is left, and it is the nonsense of today")
    report = ground.run(undelete_course(ground.house, claim, moment), consented=True)
    place = place_of(claim, moment)
    there = store.repositories.get(place)
    count = len(there.snapshots) if there is not None else 0
    told = problems(report) or f"{count} snapshots at {place}"
    ground.show(act, report.exit_code == EXIT_OK and count == before, f"dr.undelete {claim.key}, approved: {told}")
    newest = digest_of(there.snapshots[-1].entries) if there is not None and there.snapshots else ""
    ground.show(act, newest == good, f"its newest has the lab's own digest {newest[:12] or 'none'}, and must have {good[:12]}")
    left = len(ground.repository(claim).snapshots)
    ground.show(act, left == 1, f"the old place is as it was: {left} snapshot")
    ground.show_data(act, LOSER, NEIGHBOUR)
    ground.back_up(claim)
