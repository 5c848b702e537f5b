"""The Flux port: the Git source, every Kustomization and the HelmReleases that are stuck (Flux v2 APIs).

Conditions are read as kustomize-controller 1.9 and helm-controller 1.6 write them. Knows nothing of the house's applications.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from adapters.flux.results import SUSPENDED, FluxState, KustomizationState, SourceState
from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import KindNotServed, ObjectAbsent
from adapters.kubernetes.kinds import GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION, Kind
from adapters.kubernetes.objects import Obj, condition, dig, name_of, namespace_of, number, rows, text
from engine.secrets import redact
from engine.waiting import Clock
from house.model import House

REQUESTED = "reconcile.fluxcd.io/requestedAt"
RESET = "reconcile.fluxcd.io/resetAt"
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (GIT_REPOSITORY, KUSTOMIZATION, HELM_RELEASE)}
)
_GOOD = ("ReconciliationSucceeded", "")
_AGAIN_S, _LOOKS_AGAIN = 0.5, 20
"""Each of Flux's own looks at what it has applied, one an interval, makes a Kustomization unknown for some seconds."""


class KubernetesFlux:
    """The Flux port on a real API."""

    def __init__(self, clients: Clients, house: House, clock: Clock) -> None:
        self._clients, self._source, self._clock = clients, house.flux, clock

    def state(self) -> FluxState:
        """The graph as it stands; `installed` False while the API does not serve Kustomizations.

        While Flux is in the middle of a look of its own it is asked again, for some 10 s at most: what had been ready a moment ago
        may come out either way, so neither that nor the moment is an answer.
        """
        for _ in range(_LOOKS_AGAIN):
            state = self._seen()
            if not any(_is_looked_at(one, state.source.commit) for one in state.kustomizations):
                return state
            self._clock.sleep(_AGAIN_S)
        return self._seen()

    def _seen(self) -> FluxState:
        client = self._clients.main()
        kustomizations = client.list_if_served(KUSTOMIZATION)
        releases = client.list_if_served(HELM_RELEASE) or []
        return FluxState(
            installed=kustomizations is not None,
            source=self._source_state(),
            kustomizations=tuple(sorted(map(_kustomization, kustomizations or []), key=lambda k: k.key)),
            stuck_releases=tuple(
                sorted((k for k in map(_release, releases) if not k.ready and not k.suspended), key=lambda k: k.key)
            ),
        )

    def request(self, kind: str, namespace: str, name: str, *, reset: bool = False) -> None:
        """Have Flux look at it now; `reset` also clears a HelmRelease's count of failures. A suspended object stays still."""
        token = datetime.fromtimestamp(self._clock.now(), UTC).isoformat()
        annotations = {REQUESTED: token} | ({RESET: token} if reset else {})
        self._clients.main().merge(_KINDS[kind], name, {"metadata": {"annotations": annotations}}, namespace)

    def suspend(self, namespace: str, name: str, *, on: bool) -> None:
        """Suspend a Kustomization under our mark, or take both away again (what Git says about it then counts).

        One that is suspended already, and one without our mark, are somebody else's: nothing is changed. Whoever changes it
        between our look and our patch is met as Changed (transient). ObjectAbsent when there is none.
        """
        found = self._clients.main().get(KUSTOMIZATION, name, namespace)
        if found is None:
            raise ObjectAbsent(f"there is no Kustomization {namespace}/{name}")
        if _suspended(found) if on else not _marked(found):
            return
        metadata = {
            "annotations": {SUSPENDED: "true" if on else None},
            "resourceVersion": text(found, "metadata", "resourceVersion"),
        }
        patch: Obj = {"metadata": metadata, "spec": {"suspend": True if on else None}}
        self._clients.main().merge(KUSTOMIZATION, name, patch, namespace)

    def _source_state(self) -> SourceState:
        name = f"{self._source.namespace}/{self._source.name}"
        try:
            found = self._clients.main().get(GIT_REPOSITORY, self._source.name, self._source.namespace)
        except KindNotServed:
            return SourceState(name, False, False, "", "the cluster does not serve Flux's kinds yet")
        if found is None:
            return SourceState(name, False, False, "", "not there")
        ready = condition(found, "Ready")
        return SourceState(
            name,
            present=True,
            ready=_is_ready(found),
            # The artifact of an earlier fetch stays while the source fails.
            commit=commit_of(text(found, "status", "artifact", "revision")),
            reason=redact(": ".join(x for x in (text(ready, "reason"), text(ready, "message")) if x)),
            suspended=_suspended(found),
        )


def commit_of(revision: str) -> str:
    """The commit in Flux's revision: `main@sha1:C`, `refs/heads/main@sha1:C`, `sha1:C`, and `main/C` of older versions."""
    return revision.rpartition(":")[2].rpartition("/")[2] if revision else ""


def _is_ready(obj: Obj) -> bool:
    """Ready, and said of the newest spec (status.observedGeneration lags behind: the condition's own is meant)."""
    ready = condition(obj, "Ready")
    return ready.get("status") == "True" and number(ready, "observedGeneration") == number(
        obj, "metadata", "generation"
    )


def _is_looked_at(one: KustomizationState, commit: str) -> bool:
    """It had applied this commit, and Flux is just finding out whether all of that is as it was; its last look ended well."""
    return bool(commit) and one.commit == commit and one.reconciling and one.reason == "Progressing" and not one.suspended


def _suspended(obj: Obj) -> bool:
    return dig(obj, "spec", "suspend") is True


def _marked(obj: Obj) -> bool:
    return bool(text(obj, "metadata", "annotations", SUSPENDED))


def _kustomization(obj: Obj) -> KustomizationState:
    ready = condition(obj, "Ready")
    reason, message = text(ready, "reason"), text(ready, "message")
    last = text(next(iter(rows(obj, "status", "history")), {}), "lastReconciledStatus")
    if ready.get("status") == "Unknown" and last not in _GOOD:
        # A failing Kustomization is most of the time "progressing": its last outcome is the truth for who looks seldom.
        message = f"last time it ended {last}; now: {message}"
        reason = last
    return _state(obj, reason, message, commit_of(text(obj, "status", "lastAppliedRevision")))


def _release(obj: Obj) -> KustomizationState:
    ready = condition(obj, "Ready")
    return _state(obj, text(ready, "reason"), text(ready, "message"), text(obj, "status", "lastAttemptedRevision"))


def _state(obj: Obj, reason: str, message: str, commit: str) -> KustomizationState:
    namespace = namespace_of(obj)
    return KustomizationState(
        namespace=namespace,
        name=name_of(obj),
        ready=_is_ready(obj),
        suspended=_suspended(obj),
        reconciling=text(condition(obj, "Reconciling"), "reason") == "Progressing",
        commit=commit,
        reason=reason,
        # Messages quote URLs, and a URL may carry a password.
        message=redact(message),
        depends_on=tuple(
            f"{text(d, 'namespace') or namespace}/{text(d, 'name')}" for d in rows(obj, "spec", "dependsOn")
        ),
        stalled=condition(obj, "Stalled").get("status") == "True",
        ours=_suspended(obj) and _marked(obj),
        asked=_asked(obj),
    )


def _asked(obj: Obj) -> float:
    """When it was last asked to reconcile. Anybody may write any word: a time with its zone, as we and flux write it, counts."""
    try:
        at = datetime.fromisoformat(text(obj, "metadata", "annotations", REQUESTED))
    except ValueError:
        return 0.0
    return at.timestamp() if at.tzinfo is not None else 0.0
