"""Flux as it behaves in the modelled cluster: fetches the branch, applies Kustomizations in the order of dependsOn."""

from __future__ import annotations

from dataclasses import replace

from adapters.flux.results import KustomizationState
from house.model import BackedUpClaim, FluxApp
from house.values.databases import Database
from lab.world.cluster.cnpg import Operator
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.cluster.volsync import VolSync

POLL_S = 2.0


class FluxWorld:
    """Source and Kustomizations of one modelled cluster. `broken` maps a Kustomization's key to why it does not build."""

    def __init__(self, kube: KubeWorld, volsync: VolSync, operator: Operator | None = None) -> None:
        self._operator = operator
        self._kube = kube
        self._world = kube.world
        self._volsync = volsync
        self.broken: dict[str, str] = {}

    def start(self, objects: Objects) -> None:
        """The operator has brought the controllers up; they fetch and apply by themselves from here on."""
        if objects.flux_running:
            return
        objects.flux_running = True
        self._world.happened("flux", "controllers run")
        self._world.after(self._kube.delays.fetch_s, "fetch", lambda: self.fetch(objects))

    def fetch(self, objects: Objects) -> None:
        """Fetch the branch and go through the graph."""
        if objects.flux_commit != self._kube.git_commit and not objects.source_suspended:
            objects.flux_commit = self._kube.git_commit
            self._world.happened("flux", f"fetched {objects.flux_commit[:12]}")
        self._go_on(objects)

    def apply_again(self, objects: Objects, key: str) -> None:
        """Somebody asked for it: what Git declares and the cluster lost is made again, children too, unless it is suspended."""
        state = objects.kustomizations.get(key)
        if state is None or state.suspended or not state.ready:
            return
        app = next(app for app in self._kube.house.flux_apps if app.key == key)
        self._world.after(self._kube.delays.kustomization_s, f"apply {key}", lambda: self._applied(objects, app))

    def _go_on(self, objects: Objects, applied: str = "") -> None:
        """What is due is begun; `applied` has just been applied, and made those children that are not there."""
        known = {app.key for app in self._kube.house.flux_apps}  # the uppermost is made by the FluxInstance's own
        for app in self._kube.house.flux_apps:
            state = objects.kustomizations.get(app.key)
            if state is None and app.parent in known - {applied}:
                continue
            if state is not None and (state.commit == objects.flux_commit or state.reconciling or state.suspended):
                continue
            objects.kustomizations[app.key] = self._next(objects, app)

    def _next(self, objects: Objects, app: FluxApp) -> KustomizationState:
        old = objects.kustomizations.get(app.key)
        base = old or KustomizationState(app.namespace, app.name, False, False, False, "", "", "", app.depends_on)
        if app.key in self.broken:
            return replace(base, ready=False, reason="BuildFailed", message=self.broken[app.key])
        waiting = [key for key in app.depends_on if not self._ready(objects, key)]
        if waiting:
            return replace(base, ready=False, reason="DependencyNotReady", message=f"dependency '{waiting[0]}' is not ready")
        self._world.after(self._kube.delays.kustomization_s, f"apply {app.key}", lambda: self._applied(objects, app))
        return replace(base, ready=False, reconciling=True, reason="Progressing", message="Reconciliation in progress")

    def _ready(self, objects: Objects, key: str) -> bool:
        state = objects.kustomizations.get(key)
        return state is not None and state.ready and state.commit == objects.flux_commit

    def _databases(self, objects: Objects, app: FluxApp) -> str:
        """Make the databases of this application; why one is refused, which refuses all of its Kustomization."""
        for database in self._kube.house.databases:
            if database.flux_app == app.key:
                refused = self._kube.admits_database(objects, database)
                if refused:
                    return refused
                self._make_database(objects, database)
        return ""

    def _make_database(self, objects: Objects, database: Database) -> None:
        """One whose archive is not known here is made without anything in it to be known."""
        objects.databases_made.add((database.namespace, database.name))
        one = next((each for each in self._kube.house.restorable if each.key == database.key), None)
        if one is not None and self._operator is not None:
            source = one.source.place if database.recovers else ""
            self._operator.make(objects, (database.namespace, database.name), one.writes, source)

    @property
    def _declared(self) -> tuple[BackedUpClaim, ...]:
        house = self._kube.house
        return (*house.claims, *house.held_kopia)

    def _applied(self, objects: Objects, app: FluxApp) -> None:
        refused = self._databases(objects, app)
        if refused:
            message = f"dry-run failed (Forbidden): {refused}"
            state = replace(objects.kustomizations[app.key], reason="ReconciliationFailed", message=message)
            objects.kustomizations[app.key] = state
            self._world.after(POLL_S, f"retry {app.key}", lambda: self._applied(objects, app))
            return
        for claim in self._declared:
            if claim.flux_app == app.key:
                objects.namespaces.add(claim.namespace)
                self._volsync.declare(objects, claim)
        state = objects.kustomizations[app.key]
        pending = [
            claim.key for claim in self._declared
            if claim.flux_app == app.key and not objects.claims[(claim.namespace, claim.claim)].app_ready
        ]  # fmt: skip
        if app.wait and pending:
            message = f"timeout waiting for: [PersistentVolumeClaim/{pending[0]} status: 'InProgress']"
            objects.kustomizations[app.key] = replace(state, reason="HealthCheckFailed", message=message)
            self._world.after(POLL_S, f"health {app.key}", lambda: self._applied(objects, app))
            return
        message = f"Applied revision: {objects.flux_commit[:12]}"
        objects.kustomizations[app.key] = replace(
            state, ready=True, reconciling=False, commit=objects.flux_commit, reason="ReconciliationSucceeded", message=message
        )
        self._world.after(POLL_S, "dependents", lambda: self._go_on(objects, app.key))
