"""What the lint says of a hold's reach, by itself: who holds claims need not read every rule for it."""

from __future__ import annotations

from cluster.lint.finding import Finding
from cluster.lint.given import Given
from cluster.lint.rules import certificates, external_dns

RULES = (external_dns.RULE, certificates.RULE)


def beyond_admission(given: Given) -> tuple[Finding, ...]:
    """What is done outside of the cluster while claims are held, where no hold reaches."""
    return tuple(one for rule in RULES for one in rule.find(given) if one.beyond_admission)
