"""DNS by dnspython: a datagram, and a connection where the answer does not fit. No resolver of this machine is asked.

What is not known (SERVFAIL, REFUSED, silence) is never taken for a name that is not there: a server says NXDOMAIN, or NOERROR
without a record, when it knows that there is none. One that only names other servers (a referral) has not looked.
"""

from __future__ import annotations

from ipaddress import ip_address

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from adapters.dns.results import Answer
from engine.errors import TransientError

TIMEOUT_S = 2.0
_TYPES = ("A", "AAAA")
_KNOWN = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


class DnsQueries:
    """Dns port (adapters.dns.port)."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    def ask(self, host: str, port: int, name: str) -> Answer:
        """See port.DnsView."""
        addresses: dict[str, None] = {}
        through: dict[str, None] = {}
        nowhere = False
        for kind in _TYPES:
            told = self._asked(host, port, name, kind)
            chain, found, loops = _followed(told, name, kind)
            through |= dict.fromkeys(chain)
            addresses |= dict.fromkeys(found)
            # With names passed through, NXDOMAIN is said of the last of them.
            nowhere |= loops or (bool(chain) and told.rcode() == dns.rcode.NXDOMAIN)
        return Answer(tuple(sorted(addresses)), tuple(through), nowhere and not addresses)

    def _asked(self, host: str, port: int, name: str, kind: str) -> dns.message.Message:
        question = dns.message.make_query(name, kind)
        try:
            answer, _ = dns.query.udp_with_fallback(question, host, timeout=self._timeout_s, port=port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            why = "it does not answer" if isinstance(error, dns.exception.Timeout) else str(error) or type(error).__name__
            raise _silent(host, port, name, why) from error
        if answer.rcode() not in _KNOWN:
            raise _silent(host, port, name, f"it answers {dns.rcode.to_text(answer.rcode())}")
        if _refers(answer):
            raise _silent(host, port, name, "it only names other servers, and has not asked them")
        return answer


def _refers(answer: dns.message.Message) -> bool:
    """Whether this is a referral: who knows that there is no record sends the zone's SOA, or nothing at all."""
    kinds = {rrset.rdtype for rrset in answer.authority}
    empty = answer.rcode() == dns.rcode.NOERROR and not answer.answer
    return empty and dns.rdatatype.NS in kinds and dns.rdatatype.SOA not in kinds


def _followed(answer: dns.message.Message, name: str, kind: str) -> tuple[list[str], list[str], bool]:
    """The names that this one is passed through, the addresses of the last, and whether they lead in a circle.

    Records of any other name are no answer to the question.
    """
    wanted, owner = dns.rdatatype.from_text(kind), dns.name.from_text(name)
    chain: list[str] = []
    seen = {owner}
    while passed := answer.get_rrset(answer.answer, owner, dns.rdataclass.IN, dns.rdatatype.CNAME):
        owner = passed[0].target
        chain += _words(passed)
        if owner in seen:
            return chain, [], True
        seen.add(owner)
    found = answer.get_rrset(answer.answer, owner, dns.rdataclass.IN, wanted)
    return chain, _words(found) if found is not None else [], False


def _words(rrset: dns.rrset.RRset) -> list[str]:
    if rrset.rdtype == dns.rdatatype.CNAME:
        return [str(record.target).rstrip(".").lower() for record in rrset]
    return [str(ip_address(record.address)) for record in rrset]


def _silent(host: str, port: int, name: str, why: str) -> TransientError:
    return TransientError(
        f"the server of names {host} does not say where {name} leads: {why}",
        hint="is it on, and reachable from here?", next_command=f"dig @{host} -p {port} {name}",
    )  # fmt: skip
