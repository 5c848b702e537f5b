"""Put back the TLS Secrets that were kept, before cert-manager comes: what it finds there it does not order anew.

Authorities count orders (Let's Encrypt: five a week for the same names): a few rebuilds leave a house without a certificate.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.tls.results import TlsSecret
from bootstrap.needs import BEFORE_THE_CLUSTER
from cluster.by_hand import secret_by_hand
from cluster.storage.findings import moment
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.text.words import number
from house.known.inventory import certificates_path
from house.model import House


@dataclass(frozen=True)
class PutCertificates(BaseStep):
    """All of them that are still valid, where the cluster has no Certificate yet: from its first one on cert-manager decides."""

    house: House
    system = "kubernetes"
    id = StepId("kubernetes.put-certificates")
    title = "TLS Secrets that were kept"
    needs = (BEFORE_THE_CLUSTER, "kubernetes.api-servers")
    standing = True

    def probe(self, look: LookContext) -> Probe:
        there = look.tls.there()
        if there.certificates:
            return satisfied("cert-manager has its Certificates: nothing is put under them")
        saved = self._saved(look)
        if saved is None:
            return satisfied(f"none was kept ({certificates_path(self.house).name} is not there): all are ordered anew")
        ended = [one for one in saved if not one.valid(look.clock.now())]
        lacking = [one for one in saved if one not in ended and one.key not in there.secrets]
        told = [f"{one.key} ended {moment(one.ends)}" for one in ended if one.ends is not None]
        if lacking:
            return missing(f"{len(lacking)} of {len(saved)} not there", *(one.key for one in lacking), *told)
        return satisfied(f"{number(len(saved) - len(ended), 'Secret is', 'Secrets are')} there", *told)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there, namespaces = act.tls.there().secrets, set(act.cluster.namespaces())
        for one in act.tls.saved() or ():
            if one.key in there or not one.valid(act.clock.now()):
                continue
            if one.namespace not in namespaces:
                act.cluster.create_namespace(one.namespace)
                namespaces.add(one.namespace)
            act.tls.put(one)

    def by_hand(self) -> str:
        file, key = shlex.quote(str(certificates_path(self.house))), secret_by_hand(self.house.age_key)
        return f"age --decrypt --identity <({key}) {file} | kubectl create -f -   # their namespaces first"

    def _saved(self, look: LookContext) -> tuple[TlsSecret, ...] | None:
        """As the port; a file that is no good is a person's matter, for what is ordered anew may be refused for a week."""
        try:
            return look.tls.saved()
        except PermanentError as error:
            file = shlex.quote(str(certificates_path(self.house)))
            hint = "take the file back from Git, or put it aside and have all of them ordered anew"
            raise PermanentError(error.what, evidence=error.evidence, hint=hint, next_command=f"mv {file} {file}.bad") from error


def steps(house: House) -> Iterator[PutCertificates]:
    """One, where the settings want it."""
    if house.kit.certificates:
        yield PutCertificates(house)
