"""Put the Secrets that nothing in Git brings: the age key, a deploy key where the Git URL needs one, what the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from bootstrap.needs import BEFORE_THE_CLUSTER
from cluster.by_hand import secret_by_hand
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BootstrapSecret, House, SecretForm

_PUT = "kubectl apply --server-side --force-conflicts -f"  # also where it is there and holds something else


@dataclass(frozen=True)
class PutSecret(BaseStep):
    """One Secret, from references of the settings; its values are never seen here."""

    house: House
    secret: BootstrapSecret
    system = "kubernetes"
    standing = True

    @property
    def id(self) -> StepId:
        ours = self.secret.namespace == self.house.flux.namespace
        return StepId(f"kubernetes.put-secret/{self.secret.name if ours else self.secret.key}")

    @property
    def title(self) -> str:
        return f"Secret {self.secret.key}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (BEFORE_THE_CLUSTER, f"kubernetes.create-namespace/{self.secret.namespace}")

    @property
    def inputs(self) -> str:
        return " ".join((self.secret.key, *(key for key, _ in self.secret.keys)))

    def probe(self, look: LookContext) -> Probe:
        same = look.cluster.secret_matches(self.secret)
        if same is None:
            return missing("it is not there")
        return satisfied("it holds what the settings refer to") if same else drifted("it holds something else", "data")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.cluster.put_secret(self.secret)

    def by_hand(self) -> str:
        if self.secret.form is SecretForm.DEPLOY_KEY:
            return self._deploy_key_by_hand()
        # "$(…)" drops the newline at the end of what a command prints: it is no part of the value.
        values = " ".join(f'--from-file={key}=<(printf %s "$({secret_by_hand(value)})")' for key, value in self.secret.keys)
        kind = f" --type={self.secret.type}" if self.secret.type != "Opaque" else ""
        made = f"kubectl -n {self.secret.namespace} create secret generic {self.secret.name}{kind} {values}"
        return f"{made} --dry-run=client -o yaml | {_PUT} -"

    def _deploy_key_by_hand(self) -> str:
        name, namespace, value = self.secret.name, self.secret.namespace, secret_by_hand(self.secret.keys[0][1])
        if self.house.flux.url.startswith("ssh://"):
            fields = f"({value}) | sed 's/^/  /'"  # it gives `identity` and `known_hosts`: Flux takes no key alone
        else:
            fields = f"echo '  username: git'; echo \"  password: '$({value})'\""
        head = f"echo 'apiVersion: v1'; echo 'kind: Secret'; echo 'metadata: {{name: {name}, namespace: {namespace}}}'"
        return f"{_PUT} <({head}; echo 'stringData:'; {fields})"


def steps(house: House) -> Iterator[PutSecret]:
    """One for each Secret of the house."""
    for secret in house.secrets:
        yield PutSecret(house, secret)
