"""The lint: every rule in its order, and what they come to. Looks at nothing but what it is given."""

from __future__ import annotations

from cluster.lint.finding import ORDER, Finding, Rule
from cluster.lint.given import Given
from cluster.lint.rules import (
    alerts_inside,
    api_versions,
    backups_inside,
    certificates,
    certificates_before_names,
    consoles,
    digests,
    dns_inside,
    endings,
    external_dns,
    git_inside,
    images_inside,
    keys_in_the_cloud,
    keys_inside,
    mirror_inside,
    movers_refused,
    nas_on_its_hosts,
    reached_through,
    renovate,
    rolling_claims,
    secrets_gate_storage,
    time_inside,
)

RULES: tuple[Rule, ...] = (
    nas_on_its_hosts.RULE,
    secrets_gate_storage.RULE,
    keys_in_the_cloud.RULE,
    keys_inside.RULE,
    dns_inside.RULE,
    mirror_inside.RULE,
    images_inside.RULE,
    git_inside.RULE,
    backups_inside.RULE,
    reached_through.RULE,
    alerts_inside.RULE,
    time_inside.RULE,
    certificates.RULE,
    certificates_before_names.RULE,
    external_dns.RULE,
    rolling_claims.RULE,
    movers_refused.RULE,
    api_versions.RULE,
    digests.RULE,
    endings.RULE,
    consoles.RULE,
    renovate.RULE,
)


def lint(given: Given) -> tuple[Finding, ...]:
    """What all rules find, the heaviest first, else in their order."""
    found = [finding for rule in RULES for finding in rule.find(given)]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: -ORDER.index(one.weight)))
