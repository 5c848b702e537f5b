"""What the releases port answers. Knows nothing of the helm or helmfile programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from house.declared.kinds import Kind


class ReleaseStatus(Enum):
    """Helm's own words for the newest revision of a release, plus our ABSENT."""

    ABSENT = "absent"
    DEPLOYED = "deployed"
    FAILED = "failed"
    PENDING_INSTALL = "pending-install"
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"
    UNINSTALLING = "uninstalling"
    SUPERSEDED = "superseded"
    OTHER = "other"


@dataclass(frozen=True)
class ReleaseState:
    """The newest revision of one release. `record` is uid/resourceVersion of its Secret: what a repair must match.

    `run` is the run of ours that began to sync it and did not end that well, "" for none.
    """

    namespace: str
    name: str
    status: ReleaseStatus
    revision: int
    chart: str
    version: str
    record: str = ""
    managed_by_flux: bool = False
    run: str = ""
    detail: str = ""

    @property
    def pending(self) -> bool:
        """Whether helm itself would refuse to touch the release now."""
        return self.status in (
            ReleaseStatus.PENDING_INSTALL,
            ReleaseStatus.PENDING_UPGRADE,
            ReleaseStatus.PENDING_ROLLBACK,
        )


@dataclass(frozen=True)
class Crd:
    """One custom resource definition as a chart of the CRD helmfile brings it: `document` is the whole of it, as JSON.

    `chart` is the chart's `namespace/name`, `kind` the kind that it makes, `served` the versions of that which it serves, `digest`
    that of the document.
    """

    name: str
    chart: str
    served: tuple[str, ...]
    digest: str
    document: str
    kind: str = ""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What an API server serves once it is established."""
        group = self.name.partition(".")[2]
        return tuple(Kind(f"{group}/{version}", self.kind) for version in self.served)


@dataclass(frozen=True)
class ReleaseKinds:
    """What a release asks of an API server, and what it brings.

    `needs` must be served before it is installed, `later` (its hooks for afterwards) only once its own objects are there.
    `first` are definitions out of its chart's `crds` folder, which helm applies before all else; `brings` those among its objects.
    `images` are what the pods of its workloads and hooks pull, as their objects name them.
    """

    needs: tuple[Kind, ...] = ()
    later: tuple[Kind, ...] = ()
    first: tuple[Kind, ...] = ()
    brings: tuple[Kind, ...] = ()
    images: tuple[str, ...] = ()
