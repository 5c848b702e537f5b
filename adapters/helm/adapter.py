"""The Releases port: helm's records in the cluster, and helmfile to sync one release at a time under a run's own token.

What was synced, and by which run, is noted in ConfigMap blackstart/releases. Knows no chart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from adapters.helm.crds import ChartCrds
from adapters.helm.fencing import NOTES, PLACE, RunTokens, put_note
from adapters.helm.helmfile import Helmfile
from adapters.helm.kinds import RenderedKinds
from adapters.helm.records import SELECTOR, kept_by, newest, record_name, state_of
from adapters.helm.results import Crd, ReleaseKinds, ReleaseState, ReleaseStatus
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import CONFIG_MAP, HELM_RELEASE, SECRET
from adapters.kubernetes.objects import name_of, namespace_of, table
from adapters.process.results import ProgramFailed, Runner
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from engine.waiting import Clock
from house.declared.kinds import Kind
from house.model import House


class HelmReleases:
    """The Releases port on a real API and the real programs."""

    def __init__(
        self, clients: Clients, house: House, clock: Clock, runner: Runner, age_key: Callable[[], Secret] | None = None
    ) -> None:
        self._clients, self._house = clients, house
        self._helmfile = Helmfile(runner, house, clock, age_key)
        self._crds = ChartCrds(Helmfile(runner, house, clock, age_key, crds=True), house)
        self._kinds = RenderedKinds(self._helmfile, house)
        self._tokens = RunTokens(clients, house.state_dir, clock)

    def releases(self) -> tuple[ReleaseState, ...]:
        """The newest revision of every release of the helmfile, in its order; ABSENT for one without a record."""
        client = self._clients.main()
        wanted = {(r.namespace, r.name) for r in self._house.releases}
        there = newest(client.list_objects(SECRET, labels=SELECTOR, metadata_only=True))
        notes = self._notes()
        kept = self._kept_by_flux() if wanted & there.keys() else frozenset()
        found = {}
        for key in wanted & there.keys():
            record = client.get(SECRET, name_of(there[key]), namespace_of(there[key]))
            if record is None:
                raise TransientError(f"The record of {'/'.join(key)} changed while it was read")
            run = notes.get(f"run.{key[0]}.{key[1]}", "")
            found[key] = state_of(record, run=run, managed_by_flux=key in kept)
        return tuple(
            found.get((r.namespace, r.name), ReleaseState(r.namespace, r.name, ReleaseStatus.ABSENT, 0, "", ""))
            for r in self._house.releases
        )

    def desired_digest(self, namespace: str, name: str) -> str:
        """Digest over chart, version and values as helmfile reads them."""
        return self._helmfile.digest(namespace, name)

    def deployed_digest(self, namespace: str, name: str) -> str:
        """The digest noted at our last sync that ended well, "" for none."""
        return self._notes().get(f"digest.{namespace}.{name}", "")

    def chart_problem(self, namespace: str, name: str) -> str:
        """Why the chart cannot be fetched, "" when it can."""
        return self._helmfile.chart_problem(namespace, name)

    def hook_problem(self, namespace: str, name: str) -> str:
        """Which program of its hooks is not here, "" where each is."""
        return self._helmfile.hook_problem(namespace, name)

    def plugins(self) -> frozenset[str]:
        """See ports.ReleasesView."""
        return self._helmfile.plugins()

    def crds_of(self, namespace: str, name: str) -> tuple[Crd, ...]:
        """What this chart of the CRD helmfile brings, by name."""
        return self._crds.of(namespace, name)

    def kinds_of(self, namespace: str, name: str, served: Collection[Kind]) -> ReleaseKinds:
        """The kinds that this release renders where `served` is served besides Kubernetes' own."""
        return self._kinds.of(namespace, name, served)

    def open_runs(self) -> tuple[str, ...]:
        """Ids of runs whose token has not surely been taken away."""
        return self._tokens.open_runs()

    def sync(self, namespace: str, name: str, run: str) -> None:
        """helmfile sync of this release with a token of `run`. Refused (PermanentError) when a HelmRelease keeps it."""
        self._helmfile.release(namespace, name)
        self._refuse_if_kept(namespace, name)
        wanted = self._helmfile.digest(namespace, name)
        put_note(self._clients.main(), {f"run.{namespace}.{name}": run})
        kubeconfig = self._tokens.open(run)
        ended = False
        try:
            self._helmfile.sync(namespace, name, kubeconfig)
            ended = True
        except (PermanentError, TransientError) as error:
            # helm has ended when it gave a code of its own; a run that was cut off is left to the fence.
            ended = isinstance(error, ProgramFailed) or isinstance(error.__cause__, ProgramFailed)
            raise
        finally:
            self._tokens.close(run, kubeconfig, ended=ended)
        # Without the run's name, what is pending from here on was left by another helm than this one.
        put_note(self._clients.main(), {f"digest.{namespace}.{name}": wanted, f"run.{namespace}.{name}": None})

    def fence(self, run: str) -> None:
        """Shut every helm of this run out; returns when no API server accepts its token."""
        self._tokens.fence(run)

    def drop_pending(self, state: ReleaseState) -> None:
        """Delete exactly this pending record; its objects stay, and the next sync adopts them.

        Raises Changed when the record is no longer the one that was seen, PermanentError for one that is not pending or
        that a HelmRelease keeps.
        """
        if not state.pending:
            raise PermanentError(f"{state.namespace}/{state.name} is {state.status.value}: there is nothing to repair")
        self._refuse_if_kept(state.namespace, state.name)
        uid, _, version = state.record.partition("/")
        if not uid or not version:
            raise PermanentError(f"The record of {state.namespace}/{state.name} was not read, so it is not deleted")
        self._clients.main().delete(SECRET, record_name(state), state.namespace, uid=uid, resource_version=version)

    def _refuse_if_kept(self, namespace: str, name: str) -> None:
        if (namespace, name) in self._kept_by_flux():
            raise PermanentError(
                f"A HelmRelease of Flux keeps {namespace}/{name}: helm-controller repairs and upgrades it by itself",
                hint="two writers would both report success; suspend the HelmRelease first if this must be done by hand",
            )

    def _kept_by_flux(self) -> frozenset[tuple[str, str]]:
        kept = (kept_by(r) for r in self._clients.main().list_if_served(HELM_RELEASE) or [])
        return frozenset(key for key in kept if key is not None)

    def _notes(self) -> dict[str, str]:
        found = self._clients.main().get(CONFIG_MAP, NOTES, PLACE) or {}
        return {key: str(value) for key, value in table(found, "data").items()}
