"""Pools, their scrubs and the datasets in them, as findings. Pure: knows no port and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.nas.results import Dataset, NasLook, Pool, Scan, Unheard
from adapters.nas.wanted import used
from cluster.storage.findings import Finding, Weight, fine, yet_to_come
from engine.text.ages import age_of
from engine.text.lengths import duration, span
from house.values.nas import Nas

FULL, FILLING = 0.05, 0.20
"""Shares of a pool that are free: below the first it is full, below the second it is told."""
_AFTER_UPGRADE = "FEAT_DISABLED"
"""The one warning that is normal: the pool has not the newest features."""
_SOFTWARE = "look at Storage in the NAS's web page"


def pool_findings(nas: Nas, look: NasLook) -> Iterator[Finding]:
    """Every pool of the NAS's database, and those that the house's datasets should be in and that are not there."""
    if isinstance(look.pools, Unheard):
        yield Finding("pools", Weight.UNKNOWN, look.pools.why, look.pools.code)
        return
    for pool in look.pools:
        yield from of_pool(pool)
    there = {one.name for one in look.pools}
    for name in dict.fromkeys(one.split("/")[0] for one in nas.datasets):
        if name not in there:
            told = "the NAS has no pool of this name in its database"
            yield Finding(f"pool {name}", Weight.BLOCKS, told, hint="import it: Storage > Import Pool", command="zpool import")


def of_pool(pool: Pool) -> Iterator[Finding]:
    """One pool. `status` alone says little: healthy, the finer code, errors of the last scrub and of its disks count."""
    part, code, see = f"pool {pool.name}", pool.code, f"zpool status -v {pool.name}"
    odd = "; ".join(pool.odd)
    if pool.status != "ONLINE" or pool.healthy is not True:
        if not pool.status or pool.healthy is None:
            yield Finding(part, Weight.UNKNOWN, "its answer says not how it is", command=see)
            return
        told = "is not imported, or all of it is gone" if pool.status == "OFFLINE" else f"is {pool.status}"
        if code == "LOCKED_SED_DISKS":
            told = "its self-encrypting disks are locked"
        elif pool.status == "ONLINE":
            told = "is ONLINE, and not healthy"
        told = "; ".join(filter(None, (told, odd, pool.says)))
        yield Finding(part, Weight.BLOCKS, told, code, hint="replace what failed before anything is written to it", command=see)
    elif pool.warning is None:
        yield Finding(part, Weight.UNKNOWN, "its answer says not whether it warns", command=see)
    elif pool.warning and code != _AFTER_UPGRADE:
        yield Finding(part, Weight.BLOCKS, "; ".join(filter(None, ("warns", odd, pool.says))), code, command=see)
    elif pool.odd:
        yield Finding(part, Weight.BLOCKS, odd, hint="an error that repeats is a disk, a cable or memory", command=see)
    else:
        yield fine(part, "ONLINE and healthy")
    if pool.scan is not None and pool.scan.errors:
        told = f"the last {pool.scan.function.lower()} left {pool.scan.errors} errors: files in it are damaged"
        hint = "the command lists the files; what they held comes from a snapshot or another backup alone"
        yield Finding(part, Weight.BLOCKS, told, code, pool.scan.ended, hint, see)
    if pool.scan is not None and pool.scan.errors is None:
        yield Finding(part, Weight.UNKNOWN, "its last scan says not how many errors it left", command=see)
    if pool.scan is not None and pool.scan.function == "RESILVER" and pool.scan.state == "SCANNING":
        yield Finding(part, Weight.NOTED, f"it resilvers, {pool.scan.percentage or 0:.0f} % are done", since=pool.scan.started)
    yield from _room(part, pool)


def _room(part: str, pool: Pool) -> Iterator[Finding]:
    if pool.status == "OFFLINE":
        return
    if not pool.size or pool.free is None:
        yield Finding(part, Weight.UNKNOWN, "its answer says not how full it is")
        return
    share = pool.free / pool.size
    if share < FULL:
        told = f"{share:.0%} of it is free: backups will fail, and it gets slow"
        yield Finding(part, Weight.BLOCKS, told, hint="delete snapshots or data, or add a disk", command=f"zpool list {pool.name}")
    elif share < FILLING:
        yield Finding(part, Weight.NOTED, f"{share:.0%} of it is free")


def scrub_findings(nas: Nas, look: NasLook, now: float) -> Iterator[Finding]:
    """How long ago each imported pool was scrubbed. A resilver hides the scrub before it."""
    if isinstance(look.pools, Unheard):
        yield Finding("scrubs", Weight.UNKNOWN, look.pools.why, look.pools.code)
        return
    planned = set() if isinstance(look.scrubs, Unheard) else {one.pool for one in look.scrubs if one.enabled}
    for pool in look.pools:
        if pool.status == "OFFLINE":
            continue  # the row of pools tells of it
        yield _scrubbed(f"pool {pool.name}", pool.scan, nas.scrub_age, now, f"zpool scrub {pool.name}")
        if pool.name not in planned and not isinstance(look.scrubs, Unheard):
            yield Finding(f"pool {pool.name}", Weight.NOTED, "no task scrubs it", hint="Data Protection > Scrub Tasks")
    if isinstance(look.scrubs, Unheard):
        yield Finding("scrubs", Weight.NOTED, f"whether scrubs are planned cannot be told: {look.scrubs.why}")


def _scrubbed(part: str, scan: Scan | None, limit: float, now: float, command: str) -> Finding:
    if scan is None:
        return Finding(part, Weight.BLOCKS if limit else Weight.NOTED, "was never scrubbed", hint="scrub it", command=command)
    if scan.state == "SCANNING":
        told = f"{scan.function.lower()} is under way, {scan.percentage or 0:.0f} %{', paused' if scan.paused else ''}"
        return Finding(part, Weight.NOTED, told, since=scan.started)
    if scan.ended is None:
        return Finding(part, Weight.UNKNOWN, f"its last {scan.function.lower() or 'scan'} says not when it ended")
    if (age := age_of(scan.ended, now)) is None:
        return yet_to_come(part, "its last scan", scan.ended)
    if scan.function != "SCRUB" or scan.state != "FINISHED":
        told = f"the last scan was a {scan.function.lower()} that {scan.state.lower()}: when all of it was read is not known"
        late = bool(limit) and age > limit
        return Finding(part, Weight.UNKNOWN if late else Weight.NOTED, told, since=scan.ended, hint="scrub it", command=command)
    if limit and age > limit:
        told = f"was scrubbed {duration(age)} ago, and {duration(limit)} is the limit"
        return Finding(part, Weight.BLOCKS, told, since=scan.ended, hint="an error that nobody reads grows", command=command)
    return fine(part, f"scrubbed {span(age)} ago")


def dataset_findings(nas: Nas, look: NasLook, only: Iterable[str] | None = None) -> Iterator[Finding]:
    """The datasets that the house uses (or of these, `only`): there, unlocked, mounted."""
    if isinstance(look.datasets, Unheard):
        yield Finding("datasets", Weight.UNKNOWN, look.datasets.why, look.datasets.code)
        return
    there = {one.name: one for one in look.datasets}
    for name in used(nas, look.datasets, look.smb) if only is None else only:
        found = there.get(name)
        if found is not None:
            yield of_dataset(found)
        elif hidden(look, name):
            yield Finding(f"dataset {name}", Weight.NOTED, f"pool {name.split('/')[0]} is not there: see pools")
        else:
            see = f"zfs list -r {name.split('/')[0]}"
            yield Finding(f"dataset {name}", Weight.BLOCKS, "there is none of this name", command=see)


def of_dataset(found: Dataset) -> Finding:
    """One dataset that is there: a locked one shows its mountpoint, and nothing is mounted there."""
    part = f"dataset {found.name}"
    if found.locked is None:
        return Finding(part, Weight.UNKNOWN, "its answer says not whether it is locked")
    if found.locked:
        told = "; ".join(filter(None, ("is locked: nothing of it is mounted", found.unlocking)))
        hint = f"unlock it: {_SOFTWARE}, with its {'key' if found.key_form == 'HEX' else 'passphrase'}"
        return Finding(part, Weight.BLOCKS, told, "EDATASETISLOCKED", hint=hint)
    if found.mounted is False:
        return Finding(part, Weight.BLOCKS, "is not mounted: what lies at its path is another's", command=f"zfs mount {found.name}")
    if found.mounted is None:
        return Finding(part, Weight.UNKNOWN, "whether it is mounted could not be asked")
    return Finding(part, Weight.NOTED, "there, and read-only") if found.read_only else fine(part, "there, unlocked, mounted")


def hidden(look: NasLook, dataset: str) -> bool:
    """Whether a dataset cannot be seen for its pool, which has a row of its own."""
    if isinstance(look.pools, Unheard):
        return False
    pool = next((one for one in look.pools if one.name == dataset.split("/")[0]), None)
    return pool is None or pool.status == "OFFLINE"
