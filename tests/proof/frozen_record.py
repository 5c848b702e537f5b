"""`python -m tests.proof.frozen_record`: policies of the hold that are deleted and put back, on real API servers.

Kubernetes 1.36 then judges by the record of before: a claim that is held since is let through, and the canary is refused. Exit
code 1 where the hold counts as in place all the same, ABSENT where there are no programs.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from adapters.hold.adapter import KubernetesHold
from adapters.hold.policies import BINDINGS, POLICIES
from adapters.hold.results import HeldClaim, HoldState, Verdict
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import ADMISSION_BINDING, ADMISSION_POLICY, JOB, NAMESPACE
from cluster.hold.holding import hold_probe
from engine.probe import Condition
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.hold.objects import NS, backup_job, denied
from tests.contract.apiserver import api_servers, program
from tests.contract.rewinding import STANDING
from tests.prove import ABSENT

_LIMIT_S = 90.0


def main() -> int:
    """Play it; 0 when the danger is there and is seen."""
    if not shutil.which("go") and not (program("etcd") and program("kube-apiserver")):
        print("No etcd or no kube-apiserver here. Nothing was played.")
        return ABSENT
    with tempfile.TemporaryDirectory(prefix="frozen-") as folder, api_servers(Path(folder), count=2) as servers:
        state = Path(folder) / "state"
        state.mkdir()
        clients = Clients(house_on(servers, state))
        try:
            return _played(KubernetesHold(clients, SystemClock()), clients.main())
        finally:
            clients.close()


def _played(hold: KubernetesHold, client: ApiClient) -> int:
    client.create(NAMESPACE, {"metadata": {"name": NS}})
    hold.put(_claim("before"))
    hold.put(_claim("since", HoldState.RELEASED))
    hold.install(rebuilt=False)
    _until(lambda: hold_probe(hold).condition is Condition.SATISFIED, "the hold is in place")
    for kind, names in ((ADMISSION_BINDING, BINDINGS), (ADMISSION_POLICY, POLICIES)):
        # The policy that keeps the watch alive for the tests that share an API server goes as well.
        for name in (STANDING, *(one["metadata"]["name"] for one in names)):
            client.delete(kind, name)
    _until(lambda: all(one.verdict is Verdict.ADMITTED for one in hold.refusals() if "Job" in one.kind), "no policy is left")
    hold.put(_claim("since", HoldState.HELD))
    hold.install(rebuilt=False)
    _until(lambda: denied(client, JOB, backup_job("before", "before")) != "", "the policies bite again")
    seen = hold_probe(hold)
    let_through = denied(client, JOB, backup_job("since", "since")) == ""
    print(f"a backup of a claim that is held since: {'let through' if let_through else 'refused'}")
    print(f"the hold: {seen.condition.value}, {seen.detail}", *seen.evidence[:2], seen.hint, sep="\n  ")
    wrong = let_through and seen.condition is not Condition.UNKNOWN
    if not let_through:
        print("This Kubernetes follows the record of policies that are put back: adapters/hold/trial.py says otherwise.")
    return int(wrong or (not let_through and seen.condition is not Condition.SATISFIED))


def _claim(name: str, state: HoldState = HoldState.HELD) -> HeldClaim:
    return HeldClaim(NS, name, state, f"{name}-dst", name, since=1.0)


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {_LIMIT_S:.0f} s: {what}")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
