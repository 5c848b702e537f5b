"""DNS by dnspython: a datagram, and a connection where the answer does not fit. No resolver of this machine is asked.

What is not known (SERVFAIL, REFUSED, silence) is never taken for a name that is not there: a server says NXDOMAIN, or NOERROR
without a record, when it knows that there is none.
"""

from __future__ import annotations

from ipaddress import ip_address

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
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
        for kind in _TYPES:
            for rrset in self._records(host, port, name, kind):
                found = through if rrset.rdtype == dns.rdatatype.CNAME else addresses
                found |= dict.fromkeys(_words(rrset))
        return Answer(tuple(sorted(addresses)), tuple(through))

    def _records(self, host: str, port: int, name: str, kind: str) -> list[dns.rrset.RRset]:
        question = dns.message.make_query(name, kind)
        try:
            answer, _ = dns.query.udp_with_fallback(question, host, timeout=self._timeout_s, port=port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            why = "it does not answer" if isinstance(error, dns.exception.Timeout) else str(error) or type(error).__name__
            raise _silent(host, port, name, why) from error
        if answer.rcode() not in _KNOWN:
            raise _silent(host, port, name, f"it answers {dns.rcode.to_text(answer.rcode())}")
        wanted = (dns.rdatatype.CNAME, dns.rdatatype.from_text(kind))
        return [rrset for rrset in answer.answer if rrset.rdtype in wanted]


def _words(rrset: dns.rrset.RRset) -> list[str]:
    if rrset.rdtype == dns.rdatatype.CNAME:
        return [str(record.target).rstrip(".").lower() for record in rrset]
    return [str(ip_address(record.address)) for record in rrset]


def _silent(host: str, port: int, name: str, why: str) -> TransientError:
    return TransientError(
        f"the server of names {host} does not say where {name} leads: {why}",
        hint="is it on, and reachable from here?", next_command=f"dig @{host} -p {port} {name}",
    )  # fmt: skip
