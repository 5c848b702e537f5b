"""Certificates that a rebuild orders anew from an authority that counts.

Source: Let's Encrypt gives five certificates for the very same names in a week, and fifty for a domain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from engine.text.words import number
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject
from house.known.inventory import certificates_path

NAME = "certificates-anew"
GROUP = "cert-manager.io"
SAME_NAMES = 5
"""Orders for the same names in a week that Let's Encrypt takes."""
ISSUERS = ("ClusterIssuer", "Issuer")


def _find(given: Given) -> Iterator[Finding]:
    if given.house.kit.certificates and certificates_path(given.house).is_file():
        return  # which of them it has, and for how long, `house.certificates` says of the cluster that lives
    for issuer in given.objects(GROUP, *ISSUERS):
        acme = mapping(issuer.spec.get("acme"))
        server = str(acme.get("server") or "")
        if acme and "staging" not in server:
            ordered = [one for one in _certificates(given, issuer) if not _put_back(given, one)]
            if ordered:
                yield _orders(issuer, server, ordered)


def _certificates(given: Given, issuer: RenderedObject) -> list[RenderedObject]:
    """Certificates of this issuer, and what has one made by an annotation."""
    found = []
    for one in given.objects(GROUP, "Certificate"):
        named = mapping(one.spec.get("issuerRef"))
        same = named.get("name") == issuer.name and str(named.get("kind") or "Issuer") == issuer.kind
        if same and (issuer.kind == "ClusterIssuer" or one.namespace == issuer.namespace):
            found.append(one)
    key = "cert-manager.io/cluster-issuer" if issuer.kind == "ClusterIssuer" else "cert-manager.io/issuer"
    for one in given.rendered.objects:
        annotations = mapping(mapping(one.body.get("metadata")).get("annotations"))
        if one.kind in ("Ingress", "Gateway") and annotations.get(key) == issuer.name:
            found.append(one)
    return found


def _put_back(given: Given, certificate: RenderedObject) -> bool:
    """Whether its Secret comes from a store, so that cert-manager finds a certificate there and orders none."""
    name = str(certificate.spec.get("secretName") or "")
    return bool(name) and any(one.name == name and one.namespace in ("", certificate.namespace) for one in given.stores.made)


def _orders(issuer: RenderedObject, server: str, ordered: list[RenderedObject]) -> Finding:
    names = Counter(tuple(sorted(map(str, sequence(one.spec.get("dnsNames"))))) for one in ordered if one.spec.get("dnsNames"))
    most = max(names.values(), default=1)
    rebuilds = max(SAME_NAMES // most, 1)
    told = f"{issuer.kind} {issuer.name} orders {number(len(ordered), 'certificate')} anew in a rebuilt cluster"
    if most > 1:
        told += f", up to {most} of them for the very same names"
    return Finding(
        NAME, Weight.RISK if most > 1 else Weight.NOTE, f"{issuer.kind} {issuer.name}", told, ordered[0].declared_in,
        f"{server or 'the authority'} takes {SAME_NAMES} orders for the same names in a week, so {number(rebuilds, 'rebuild')} of "
        "them: after that there is no certificate for days, and orders are made where no hold reaches",
        "have them kept and put back (`certificates: true` under `kit:`, then invoke dr.kit); try things "
        "with the authority's staging server",
        beyond_admission=True,
    )  # fmt: skip


RULE = Rule(NAME, "Which certificates would be ordered anew, and how often may they be?", _find)
