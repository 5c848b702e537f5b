"""What a scenario can turn in the simulated machines: one object, its fields are read at each use. Knows no protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class LogEndpoint(Enum):
    """How kubelets answer a request for a pod's log."""

    GOOD = "good"
    EMPTY = "empty"
    ERROR = "error"
    SLOW = "slow"


@dataclass(frozen=True)
class PodsOf:
    """The pods of a namespace that have all of these labels, as a workload finds its own."""

    namespace: str
    labels: tuple[tuple[str, str], ...]

    def has(self, pod: Mapping[str, Any]) -> bool:
        """Whether this is one of them."""
        meta = pod["metadata"]
        return meta["namespace"] == self.namespace and set(self.labels) <= (meta.get("labels") or {}).items()


@dataclass
class Knobs:
    """Times in seconds. Changing a field bites at the next use, in all parts of one lab."""

    log_endpoint: LogEndpoint = LogEndpoint.GOOD
    # How long an unknown image takes to be Ready; an annotation of the pod can say otherwise.
    pod_start_s: float = 0.3
    provision_delay_s: float = 0.0
    snapshot_delay_s: float = 0.0
    snapshots_fail: bool = False
    # When set, movers do not work at all: they end with this code.
    mover_exit: int | None = None
    # How recoveries of databases that begin now are wrong, and called healthy: "", `empty` or `early`.
    database_lie: str = ""
    # Failing pods say that they ended this long ago: the Job controller's back-off then needs seconds instead of half an hour.
    backdate_failures_s: float = 0.0
    scheduler_off: bool = False
    # Whose images cannot be pulled.
    unpulled: set[PodsOf] = field(default_factory=set)
