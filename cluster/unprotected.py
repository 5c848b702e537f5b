"""What of the house's data has no backup: as Git declares it, and where a cluster lives, every claim of it besides."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kubernetes.results import SeenClaim
from adapters.ports import ClusterView
from engine.errors import BlackstartError
from house.data.nouns import Holder, Keeps, Unprotected
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


def declared_only(house: House) -> DataAudit:
    """What Git alone shows."""
    return DataAudit(house.data.unprotected, house.data.charts, "Git alone was read")


def audit_data(cluster: ClusterView, house: House) -> DataAudit:
    """What Git shows, and what the cluster has besides. What only one that is not asked could tell is unknown, never nothing."""
    if not (house.state_dir / "kubeconfig").is_file():
        return DataAudit(house.data.unprotected, house.data.charts, "there is no kubeconfig in the state folder")
    try:
        seen = cluster.claims()
    except BlackstartError as error:
        return DataAudit(house.data.unprotected, house.data.charts, error.what, silent=True)
    more = (Unprotected(_holder(claim), _reason(house, claim)) for claim in seen if not _known(house, claim))
    return DataAudit((*house.data.unprotected, *more), ())


def _known(house: House, claim: SeenClaim) -> bool:
    """Whether the claim is backed up, passes, or is a row already: its own, its StatefulSet's, its database's or its chart's."""
    if claim.passing or claim.key in house.data.protected:
        return True
    named = {holder.key for holder in house.data.holders}
    if claim.key in named or (claim.database and f"{claim.namespace}/{claim.database}" in named):
        return True
    for holder in house.data.holders:
        if holder.namespace != claim.namespace:
            continue
        made = claim.name.removeprefix(f"{holder.name}-")
        if holder.keeps is Keeps.TEMPLATE and made.isdigit():
            return True
        if holder.keeps is Keeps.CHART and claim.release and holder.name.split(".")[0] == claim.release:
            return True
    return False


def _reason(house: House, claim: SeenClaim) -> str:
    return dict(house.unprotected).get(claim.key, "")


def _holder(claim: SeenClaim) -> Holder:
    return Holder(claim.namespace, claim.name, Keeps.CLAIM, claim.size, claim.storage_class, "in the cluster, not in Git")
