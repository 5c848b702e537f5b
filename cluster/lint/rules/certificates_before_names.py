"""Issuers that prove names over HTTP: what makes the name lead here is made by the cluster that waits for the certificate."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.rules.certificates import GROUP, ISSUERS
from house.files.shapes import mapping, sequence

NAME = "certificates-before-names"


def _find(given: Given) -> Iterator[Finding]:
    for issuer in given.objects(GROUP, *ISSUERS):
        solvers = sequence(mapping(issuer.spec.get("acme")).get("solvers"))
        if any("http01" in mapping(solver) for solver in solvers):
            yield Finding(
                NAME, Weight.RISK, f"{issuer.kind} {issuer.name}", f"{issuer.kind} {issuer.name} proves names over HTTP",
                issuer.declared_in,
                "the authority must reach the cluster by that name first: records and tunnel are made by the cluster itself, and "
                "each try counts",
                "prove names by DNS (dns01), which needs the provider's API alone",
            )  # fmt: skip


RULE = Rule(NAME, "Which certificates need the names that they are for to lead here first?", _find)
