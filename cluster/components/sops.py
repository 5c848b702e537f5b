"""sops: every Secret that Flux decrypts with holds the key whose public half `.sops.yaml` encrypts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.components.results import AgeKey
from adapters.context import LookContext
from cluster.components.judging import summed
from cluster.components.rows import BELOW
from cluster.storage.findings import Finding, Weight, fine, probe_of
from engine.probe import Probe, missing
from engine.step import BaseCheck, StepId, if_any
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class AgeKeys(BaseCheck):
    """Each such Secret of the cluster, by the public half of what is in it. The key itself is never told."""

    house: House
    id = StepId("component.sops")
    title = "sops: every age key in the cluster is the one of .sops.yaml"
    needs = (*BELOW, if_any("kubernetes.put-secret/*"), if_any("flux.reconcile"))
    sight_s = 0.0

    def probe(self, look: LookContext) -> Probe:
        found: Sequence[AgeKey] = look.components.age_keys()
        if not found:
            if declared := sum(bool(one.decryption) for one in self.house.flux_apps):
                told = f"{number(declared, 'Kustomization')} of Git {'decrypts' if declared == 1 else 'decrypt'}"
                return missing(f"{told}, and none of them is there", hint="row flux.reconcile says why")
            return probe_of([fine("Kustomizations", "none of them decrypts")])
        judged = [(one, self._judged(one)) for one in found]
        seen = probe_of(summed(finding for _, finding in judged))
        put = {secret.key for secret in self.house.secrets}
        wrong = [one.key for one, finding in judged if finding.weight is Weight.BLOCKS]
        if wrong and put.issuperset(wrong):
            # A bootstrap puts these: that one is not as it should be has a row of its own, of which this is a consequence.
            return missing(seen.detail, *seen.evidence, hint=seen.hint)
        return seen

    def _judged(self, one: AgeKey) -> Finding:
        part, wanted = f"Secret {one.key}", self.house.age_recipient
        hint = f"{', '.join(one.needed_by[:3])} cannot be applied once it changes: put the age key there"
        command = f"kubectl -n {one.namespace} describe secret {one.name}"
        if not one.there:
            return Finding(part, Weight.BLOCKS, "is not there", hint=hint, command=command)
        if not one.recipients:
            told = "holds no age key under a name that ends in .agekey, which is all that Flux reads"
            return Finding(part, Weight.BLOCKS, told, hint=hint, command=command)
        if not wanted:
            return Finding(part, Weight.NOTED, "holds an age key; .sops.yaml names no recipient to compare")
        if wanted not in one.recipients:
            told = f"holds the key of {', '.join(sorted(one.recipients))}, and .sops.yaml encrypts for {wanted}"
            return Finding(part, Weight.BLOCKS, told, hint=hint, command=command)
        return fine(part, "the key of .sops.yaml")

    def by_hand(self) -> str:
        read = "kubectl -n flux-system get secret sops-age -o jsonpath='{.data.age\\.agekey}' | base64 -d | age-keygen -y"
        return f"{read}   # {self.house.age_recipient or 'the recipient of .sops.yaml'}"
