"""The hold tried on one API server: what it answers to the canaries, and by which record it judged. Reads no record itself.

That a canary is refused is not enough. Kubernetes ends its watch of a policy's parameters with the last policy that has any
(1.36, `ensureParamsForPolicyLocked` of policy_source.go), and a server that has once had none begins no other: policies that are
put back later are judged by the record as it was then, in which the canary is held and the claim of today is not, or by none at
all. So a denial must name the version of the record that is there now.
"""

from __future__ import annotations

from adapters.hold.canary import CANARIES, ELSEWHERE, STRANGERS, backup_job
from adapters.hold.record import NAMESPACE
from adapters.hold.results import Refusal, Verdict
from adapters.hold.shape import PREFIX, VERSION_TOLD
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import KindNotServed, from_answer
from adapters.kubernetes.kinds import JOB, SNAPSHOT, Kind
from adapters.kubernetes.objects import Obj
from engine.errors import TransientError

_NO_RECORD = "no params found"
_NO_ANSWER = "resulted in error"
"""The words of Kubernetes where there is no parameter, and where an expression could not be judged."""


def tried(address: str, client: ApiClient, version: str, *, rebuilt: bool) -> list[Refusal]:
    """Each canary as a dry run. `version`: that of the record now, "" for no record; `rebuilt`: nobody's movers, everywhere."""
    found = [_refusal(address, client, version, what, kind, obj) for what, kind, obj in (*CANARIES, *STRANGERS)]
    elsewhere = [(f"{what}, where nothing is held", kind, obj) for what, kind, obj in STRANGERS if rebuilt]
    return found + [_refusal(address, client, version, what, kind, obj, ELSEWHERE) for what, kind, obj in elsewhere]


def backup_tried(address: str, client: ApiClient, version: str, namespace: str, claim: str, source: str) -> Refusal:
    """A backup of one claim as a dry run. `version`: see `tried`."""
    return _refusal(address, client, version, "Job of a source", JOB, backup_job(claim, source), namespace)


def _refusal(
    address: str, client: ApiClient, version: str, what: str, kind: Kind, obj: Obj, namespace: str = NAMESPACE
) -> Refusal:
    answer = client.ask(
        "POST",
        kind.path(namespace),
        f"try {what} at {address}",
        params={"dryRun": "All"},
        body={"apiVersion": kind.api_version, "kind": kind.name, **obj, "metadata": obj["metadata"] | {"namespace": namespace}},
    )
    if 200 <= answer.code < 300:
        return Refusal(address, what, Verdict.ADMITTED, "admitted")
    error = from_answer(answer.code, answer.body, what)
    told = " ".join(error.evidence)
    if isinstance(error, TransientError):
        raise error
    if answer.code in (403, 422) and PREFIX in told:
        return Refusal(address, what, verdict(told, version), told)
    if isinstance(error, KindNotServed) and kind is SNAPSHOT:
        return Refusal(address, what, Verdict.REFUSED, "no VolumeSnapshots are served yet, so none can be made")
    return Refusal(address, what, Verdict.OTHER, f"not refused by the hold: {told}")


def verdict(told: str, version: str) -> Verdict:
    """What a denial by one of our policies says, in its own words; `version` of the record now, "" for no record."""
    judged = VERSION_TOLD.search(told)
    if judged is not None:
        return Verdict.REFUSED if judged[1] == version else Verdict.STALE
    if _NO_RECORD in told:
        return Verdict.STALE if version else Verdict.REFUSED
    # Without a version it is a policy of before that denies: what was written to the API a moment ago is not taken up yet.
    return Verdict.OTHER if _NO_ANSWER in told else Verdict.STALE
