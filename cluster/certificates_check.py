"""Whether the TLS Secrets that are kept for a rebuild still are those that the cluster has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseCheck, Severity, StepId, if_any
from engine.text.words import number
from house.known.inventory import CERTIFICATES_FILE
from house.model import House

_NEAR_S = 14 * 86400.0
_WRITE = f"invoke dr.kit, then commit {CERTIFICATES_FILE}"


@dataclass(frozen=True)
class KeptCertificates(BaseCheck):
    """Only warns: what is in the cluster lives."""

    house: House
    id = StepId("house.certificates")
    title = f"{CERTIFICATES_FILE} has the TLS Secrets of the cluster"
    severity = Severity.ADVISORY
    needs = (if_any("kubernetes.api-servers"),)

    def probe(self, look: LookContext) -> Probe:
        saved = look.tls.saved()
        if saved is None:
            return missing("none was kept: a rebuild orders every certificate anew", hint=_WRITE)
        now, made = look.clock.now(), look.tls.there().made
        lacking = [f"{key} is not kept" for key in sorted(made - {one.key for one in saved})]
        ending = [f"{one.key} as it was kept ends soon or has ended" for one in saved
                  if one.key in made and one.ends is not None and one.ends - now < _NEAR_S]  # fmt: skip
        silent = [f"{one.key} as it was kept says of no certificate when it ends" for one in saved
                  if one.key in made and one.ends is None]  # fmt: skip
        if odd := [*lacking, *ending, *silent]:
            return drifted(f"{number(len(odd), 'TLS Secret')} a rebuild would have to order", *odd, hint=_WRITE)
        return satisfied(f"{number(len(saved), 'TLS Secret is', 'TLS Secrets are')} kept")

    def by_hand(self) -> str:
        return "kubectl get secrets -A --field-selector type=kubernetes.io/tls"


def certificates_check(house: House) -> Iterator[KeptCertificates]:
    """One, where the settings want them kept."""
    if house.kit.certificates:
        yield KeptCertificates(house)
