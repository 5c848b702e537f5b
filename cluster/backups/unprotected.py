"""What of the house's data has no backup: as Git declares it, and where a cluster lives, every claim of it besides."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kubernetes.results import SeenClaim
from adapters.ports import ClusterView
from engine.errors import BlackstartError
from house.data.nouns import Holder, Keeps, Space, Unprotected
from house.model import House


@dataclass(frozen=True)
class DataAudit:
    """`bare` is all that has no backup, those with a reason too. `not_asked` says why no living cluster was looked at, "" when one
    was; `charts` are then HelmReleases whose claims only such a cluster tells, and `silent` says that there is one."""

    bare: tuple[Unprotected, ...]
    charts: tuple[str, ...]
    not_asked: str = ""
    silent: bool = False

    @property
    def faults(self) -> tuple[Unprotected, ...]:
        """Those for which the settings give no reason."""
        return tuple(one for one in self.bare if not one.reason)


def audit_data(cluster: ClusterView, house: House) -> DataAudit:
    """What Git shows, and what the cluster has besides. What only one that is not asked could tell is unknown, never nothing."""
    if not (house.state_dir / "kubeconfig").is_file():
        return DataAudit(house.data.unprotected, house.data.charts, "there is no kubeconfig in the state folder")
    try:
        seen = cluster.claims()
    except BlackstartError as error:
        return DataAudit(house.data.unprotected, house.data.charts, error.what, silent=True)
    more = (_row(house, claim) for claim in seen if not _known(house, claim))
    return DataAudit((*house.data.unprotected, *more), ())


def _known(house: House, claim: SeenClaim) -> bool:
    """Whether the claim is backed up, passes, or is a row already: its own, its StatefulSet's, its database's or its chart's."""
    if claim.passing or (Space.CLAIM, claim.key) in house.data.protected:
        return True
    bare = tuple(one.holder for one in house.data.unprotected)
    named = {(holder.space, holder.key) for holder in (*house.data.holders, *bare)}
    if (Space.CLAIM, claim.key) in named or (claim.database and (Space.DATABASE, f"{claim.namespace}/{claim.database}") in named):
        return True
    # A template without a row is backed up claim by claim, and what of it is more than those is not.
    for holder in bare:
        number = claim.name.removeprefix(f"{holder.name}-")
        if holder.keeps is Keeps.TEMPLATE and holder.namespace == claim.namespace and number.isdigit():
            return True
    for holder in house.data.holders:
        if holder.namespace != claim.namespace:
            continue
        if holder.keeps is Keeps.CHART and claim.release and holder.name.split(".")[0] == claim.release:
            return True
    return False


def _row(house: House, claim: SeenClaim) -> Unprotected:
    """The claim, with a reason that is its own: a name that Git gives to anything else is that one's."""
    holder = Holder(claim.namespace, claim.name, Keeps.CLAIM, claim.size, claim.storage_class, "in the cluster, not in Git")
    shared = claim.key in {one.key for one in house.data.holders} | {one.key for one in house.data.paused}
    reasons = dict(house.unprotected)
    return Unprotected(holder, reasons.get(holder.qualified, "" if shared else reasons.get(claim.key, "")), shared)
