"""Which backups lie on a NAS, told from how they are opened and from what is mounted into movers. Looks at nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from adapters.backups.stores.places import sftp_address
from adapters.nas.wanted import below
from engine.step import if_any
from house.model import BackedUpClaim, House
from house.values.nas import Export, Nas


def backup_path(nas: Nas, claim: BackedUpClaim) -> str:
    """The folder of this NAS that the claim's repository is in, "" when it is not seen to be on it.

    By `sftp:` to one of its names, or by a path of the mover where a policy of the house mounts an export of this NAS into movers.
    """
    found = sftp_address(claim.open_as)
    if found is not None and found.host.lower().rstrip(".") in nas.names:
        return posixpath.normpath(f"/{found.path.lstrip('/')}") if found.path.startswith("/") else ""
    mounted = [one.place for one in nas.exports if one.movers and one.kind is Export.NFS]
    return mounted[0] if len(mounted) == 1 and claim.mover_repository.startswith("/") and found is None else ""


def by_sftp(nas: Nas, claims: Iterable[BackedUpClaim]) -> bool:
    """Whether a repository on it is opened by sftp, so that its ssh must run."""
    places = (place for one in claims for place in one.sources)
    return any(backup_path(nas, place) and place.open_as.startswith("sftp:") for place in places)


def root_of(nas: Nas, path: str) -> str:
    """The nearest folder above a repository that the settings or manifests know: claims below it stand or fall together."""
    known = [f"/mnt/{one}" for one in nas.datasets] + [one.place for one in nas.exports if one.kind is Export.NFS]
    fit = [one for one in known if below(path, one)]
    return max(fit, key=len) if fit else posixpath.dirname(path)


def waiting(nas: Nas, claims: Iterable[BackedUpClaim]) -> tuple[str, ...]:
    """Keys of the claims whose backups wait for this NAS."""
    return tuple(one.key for one in claims if any(backup_path(nas, place) for place in one.sources))


def started(house: House, claim: BackedUpClaim) -> tuple[str, ...]:
    """What a look at this claim's backup needs: that the NAS which it lies on was started, where a run starts that."""
    return tuple(if_any(f"nas.start/{nas.name}") for nas in house.nas if nas.vm and waiting(nas, (claim,)))
