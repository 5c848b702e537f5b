"""cert-manager: its issuers, certificates that end soon although they should have been renewed, and orders that ACME refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from adapters.components.reading import epoch
from adapters.components.results import Ask, Seen
from cluster.components.judging import fewer_than_declared, of_condition
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding, Weight, fine, moment, yet_to_come
from engine.text.ages import older, to_come
from engine.text.words import number

_GROUP, _ACME = "cert-manager.io", "acme.cert-manager.io"
ISSUER = Ask(_GROUP, "issuers", "Issuer")
CLUSTER_ISSUER = Ask(_GROUP, "clusterissuers", "ClusterIssuer", namespaced=False)
_TIMES = ("status.notBefore", "status.notAfter", "status.renewalTime")
CERTIFICATE = Ask(_GROUP, "certificates", "Certificate", (*_TIMES, "spec.issuerRef.name", "spec.issuerRef.kind"))
ORDER = Ask(_ACME, "orders", "Order", ("status.state", "status.reason", "spec.dnsNames[]", "metadata.creationTimestamp"))
_DAY_S = 86400.0
_NEAR_S, _NEAR_PART = 7 * _DAY_S, 0.1
_WEEK_S, _STUCK_S = 7 * _DAY_S, 3600.0
_OPEN = ("", "pending", "processing", "ready")
"""States of an Order that has not come to its end."""
_MOST_A_WEEK = 5
"""So many certificates of exactly the same names Let's Encrypt issues in seven days (letsencrypt.org/docs/rate-limits)."""
_GET = "kubectl get issuers,clusterissuers,certificates,orders -A"


def _issuers(facts: Facts) -> Iterator[Finding]:
    for ask in (ISSUER, CLUSTER_ISSUER):
        found = facts.of(ask)
        yield from (of_condition(one, "Ready", "no certificate of its is made or renewed", _GET) for one in found)
        yield from fewer_than_declared(facts, ask, _GET)


def _certificates(facts: Facts) -> Iterator[Finding]:
    ill = {(one.kind, one.namespace, one.name) for ask in (ISSUER, CLUSTER_ISSUER) for one in facts.of(ask)
           if (said := one.condition("Ready")) is not None and said.good is False}  # fmt: skip
    found = facts.of(CERTIFICATE)
    for one in found:
        kind = one.says("spec.issuerRef.kind") or "Issuer"
        named = (kind, one.namespace if kind == "Issuer" else "", one.says("spec.issuerRef.name"))
        yield _certificate(one, facts.now, waits=named in ill)
    yield from fewer_than_declared(facts, CERTIFICATE, _GET)


def _certificate(one: Seen, now: float, *, waits: bool) -> Finding:
    """`waits`: its issuer is not ready, which is told in its own row; how long the certificate lasts is told here."""
    part = f"Certificate {one.key}"
    begins, ends, renewed = (epoch(one.says(path)) for path in _TIMES)
    hint = "what it is for refuses connections once it has ended: look at its CertificateRequest and Order"
    said = of_condition(one, "Ready", hint, f"kubectl -n {one.namespace} describe certificate {one.name}")
    if ends is not None:
        near = min(_NEAR_S, _NEAR_PART * (ends - begins)) if begins is not None else _NEAR_S
        if ends <= now:
            return Finding(part, Weight.BLOCKS, f"ended {moment(ends)}", since=ends, hint=hint, command=said.command or _GET)
        if ends - now < near:
            told = f"ends {moment(ends)}, and was not renewed"
            return Finding(part, Weight.BLOCKS, told, hint=hint, command=said.command or _GET)
    if waits and said.weight is not Weight.FINE:
        return Finding(part, Weight.NOTED, "waits for its issuer, which is not ready")
    if said.weight is not Weight.FINE:
        return said
    if ends is None:
        return Finding(part, Weight.UNKNOWN, "does not say until when it is valid", command=_GET)
    if renewed is not None and renewed + _DAY_S < now:
        return Finding(part, Weight.NOTED, f"was to be renewed {moment(renewed)}; it ends {moment(ends)}", command=_GET)
    return fine(part, f"until {moment(ends)}")


def _orders(facts: Facts) -> Iterator[Finding]:
    """Orders that came to nothing, those that hang, and sets of names that have nearly used their number up."""
    recent: Counter[str] = Counter()
    for one in facts.of(ORDER):
        made, state = epoch(one.says("metadata.creationTimestamp")), one.says("status.state")
        young = made is not None and not older(made, facts.now, _WEEK_S)
        if young:
            recent[" ".join(sorted(one.says("spec.dnsNames[]").split()))] += 1
        if state in _OPEN:
            yield from _open(one, state, made, facts.now)
        elif state != "valid" and young:
            yield _refused(one, state)
    for names, count in recent.items():
        if names and count >= _MOST_A_WEEK - 1:
            told = f"{number(count, 'order')} in seven days: the limit of Let's Encrypt is {_MOST_A_WEEK}"
            hint = "before a rebuild, keep the Secrets of these certificates"
            yield Finding(names, Weight.NOTED, told, hint=hint)


def _open(one: Seen, state: str, made: float | None, now: float) -> Iterator[Finding]:
    part, told = f"Order {one.key}", f"is {state or 'not begun'}"
    if made is None:
        yield Finding(part, Weight.UNKNOWN, f"{told}, and does not say since when", command=_GET)
    elif to_come(made, now):
        yield yet_to_come(part, "it", made)
    elif older(made, now, _STUCK_S):
        hint = "its challenge is not answered: look at the DNS record, or the path, that it waits for"
        yield Finding(part, Weight.BLOCKS, f"{told} since {moment(made)}", hint=hint, command="kubectl describe challenges -A")


def _refused(one: Seen, state: str) -> Finding:
    """Whether another was made since is what its Certificate's row says; a limit is there for all that come after, too."""
    part, why = f"Order {one.key}", one.says("status.reason")
    if "ratelimited" in why.lower().replace(" ", ""):
        hint = "each try that is refused may prolong it: wait until the time that it names, and change nothing"
        return Finding(part, Weight.BLOCKS, why, "rateLimited", hint=hint, command=_GET)
    return Finding(part, Weight.NOTED, f"is {state}{f': {why}' if why else ''}", command=_GET)


CERT_MANAGER = Component(
    key="cert-manager",
    title="cert-manager",
    images=("cert-manager-controller", "cert-manager-webhook", "cert-manager-cainjector"),
    charts=("cert-manager",),
    must=("cert-manager-controller", "cert-manager-webhook"),
    means="no certificate is made or renewed; those that are there are valid until their end",
    aspects=(
        Aspect("issuers", "its issuers may sign", (CLUSTER_ISSUER, ISSUER), _issuers, _GET),
        Aspect("certificates", "none has ended or is about to", (CERTIFICATE, ISSUER, CLUSTER_ISSUER), _certificates, _GET),
        Aspect("orders", "no order is refused or hangs", (ORDER,), _orders, _GET),
    ),
)
