"""Whether a mover opens the repository that was looked at from here, before anything is restored from it. Knows no step.

A mover that finds no repository makes one and calls an empty restore a success: a misspelt Secret, a Secret of another house, a
share that is not mounted into it.
"""

from __future__ import annotations

from adapters.backups.results import Verdict
from adapters.context import ActContext, LookContext
from cluster.backups.sources import Unsound
from cluster.storage.nas.check import unsound_places
from engine.waiting import pause
from house.model import BackedUpClaim, House
from house.repository.backups.mover_policies import KIND, MoverPolicy

LOOKS = 3
LOOK_AGAIN_S = 10.0
SAME = (
    "what the mover opens is said by RESTIC_REPOSITORY of the Secret and by what is mounted into it; what was looked at by "
    "backups.open_as of the settings: both must be one repository"
)


def on_nas(doors: LookContext | ActContext, house: House, claim: BackedUpClaim) -> Unsound:
    """Places of this claim on a NAS that is not whole below them: unknown, whatever their repository says."""
    found = unsound_places(house, claim, doors.nas, doors.proxmox)
    return {secret: (Verdict.UNKNOWN, why) for secret, why in found.items()}


def mounting(house: House, place: BackedUpClaim) -> tuple[MoverPolicy, ...]:
    """The policies of Git that mount what this place's repository lies on into movers."""
    return tuple(one for one in house.mover_policies if one.gives(place.mover_repository))


def nothing_mounts(place: BackedUpClaim) -> str:
    """What to say where Git shows no such policy."""
    return f"no {KIND} that Git shows mounts anything at {place.mover_repository} into movers"


def other_repository(act: ActContext, house: House, place: BackedUpClaim, repository_id: str) -> str:
    """Why a mover that is given the Secret of this place does not open the repository of this id; "" when it does.

    One that opens none is tried again some times: a network may be late where a name is not.
    """
    secret = place.repository_secret
    for look in range(LOOKS):
        seen = act.claims.repository_seen(place.namespace, place.destination, secret)
        if seen.repository_id == repository_id:
            return ""
        if seen.repository_id:
            return f"a mover with Secret {secret} opens repository {seen.repository_id[:8]}, looked at was {repository_id[:8]}"
        if look < LOOKS - 1:
            pause(act.clock, LOOK_AGAIN_S)
    told = f"a mover with Secret {secret} opens no repository: {seen.problem}"
    if not place.mover_repository.startswith("/"):
        return told
    policies = ", ".join(one.name for one in mounting(house, place))
    return f"{told}; {f'is {place.mover_repository} mounted, by {KIND} {policies}?' if policies else nothing_mounts(place)}"
