"""Put the secrets that Flux cannot bring itself: the age key, and the deploy key where the Git URL needs one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.by_hand import secret_by_hand
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class PutSecret(BaseStep):
    """One Secret in Flux's namespace, from a reference of the settings; its value is never seen here."""

    house: House
    name: str
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"kubernetes.put-secret/{self.name}")

    @property
    def title(self) -> str:
        return f"Secret {self.house.flux.namespace}/{self.name}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"kubernetes.create-namespace/{self.house.flux.namespace}",)

    @property
    def inputs(self) -> str:
        return f"{self.house.flux.namespace}/{self.name}"

    def probe(self, look: LookContext) -> Probe:
        same = look.cluster.secret_matches(self.house.flux.namespace, self.name, self.name)
        if same is None:
            return missing("it is not there")
        return satisfied("it holds what the settings refer to") if same else drifted("it holds something else", "data")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.cluster.put_secret(self.house.flux.namespace, self.name, self.name)

    def by_hand(self) -> str:
        flux = self.house.flux
        put = "kubectl apply --server-side --force-conflicts -f"  # also where it is there and holds something else
        if self.name == "sops-age" or flux.deploy_key is None:
            made = f"kubectl -n {flux.namespace} create secret generic {self.name} --from-file=age.agekey=/dev/stdin"
            return f"{made} --dry-run=client -o yaml < <({secret_by_hand(self.house.age_key)}) | {put} -"
        value = secret_by_hand(flux.deploy_key)
        if flux.url.startswith("ssh://"):
            fields = f"({value}) | sed 's/^/  /'"  # it gives `identity` and `known_hosts`: Flux takes no key alone
        else:
            fields = f"echo '  username: git'; echo \"  password: '$({value})'\""
        head = f"echo 'apiVersion: v1'; echo 'kind: Secret'; echo 'metadata: {{name: {self.name}, namespace: {flux.namespace}}}'"
        return f"{put} <({head}; echo 'stringData:'; {fields})"


def steps(house: House) -> Iterator[PutSecret]:
    """The age key always, the deploy key when the settings name one."""
    yield PutSecret(house, "sops-age")
    if house.flux.deploy_key is not None:
        yield PutSecret(house, "deploy-key")
