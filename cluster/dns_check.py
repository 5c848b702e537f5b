"""What servers of names answer, held against the settings and Git: one row a server, so that a split horizon is looked at twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from adapters.context import LookContext
from adapters.dns.results import Answer
from cluster.components.judging import summed
from cluster.storage.findings import Finding, Weight, fine, probe_of
from engine.errors import TransientError
from engine.probe import Probe
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House
from house.values.dns import DnsName, DnsServer, is_address

_SILENCES = 2
"""So many names in a row that are not answered: what is silent then costs a wait for each of the rest."""
_LEAKS = "who asks there learns of it: which external-dns wrote that record, and for which source?"
_WRONG = "who asks there goes somewhere else: a record that nobody renews, or one of another hand"
_LACKS = "who asks there finds nothing: does its external-dns run, and may it write that zone?"


@dataclass(frozen=True)
class DnsAnswers(BaseCheck):
    """Each name leads where it must, by the word of one server."""

    server: DnsServer

    @property
    def id(self) -> StepId:
        return StepId(f"dns.answers/{self.server.name}")

    @property
    def title(self) -> str:
        return f"DNS {self.server.name} ({self.server.host}) answers as it must"

    @property
    def sight_s(self) -> float:
        return 0.0

    def probe(self, look: LookContext) -> Probe:
        return probe_of([*(summed(self._asked(look)) or [fine("names", "none is to be asked")]), *self._left()])

    def _asked(self, look: LookContext) -> list[Finding]:
        """One for each name. A name that is refused hides no other; a server that is silent is not asked for all the rest.

        Raises the first TransientError where no name was answered.
        """
        server, found, quiet = self.server, list[Finding](), list[TransientError]()
        for at, one in enumerate(server.names):
            if len(quiet) == _SILENCES:
                told = f"{number(len(server.names) - at, 'name')} not asked any more"
                found.append(Finding("the rest", Weight.UNKNOWN, told))
                break
            try:
                found.append(_judged(server, one, look.dns.ask(server.host, server.port, one.name)))
                quiet.clear()
            except TransientError as silence:
                quiet.append(silence)
                found.append(Finding(one.name, Weight.UNKNOWN, silence.what, hint=silence.hint, command=silence.next_command))
        if quiet and all(one.weight is Weight.UNKNOWN for one in found):
            raise quiet[0]
        return found

    def _left(self) -> Iterator[Finding]:
        if self.server.left:
            told = f"{number(self.server.left, 'name')} of Git not asked: a wildcard, or a variable without a value"
            yield Finding("DNSEndpoints", Weight.NOTED, told)

    def by_hand(self) -> str:
        first = next((one.name for one in self.server.names), "NAME")
        return f"dig @{self.server.host} -p {self.server.port} {first}   # and so each name of the settings"


def dns_checks(house: House) -> Iterator[DnsAnswers]:
    """One for each server of the settings."""
    return map(DnsAnswers, house.dns)


def _judged(server: DnsServer, one: DnsName, answer: Answer) -> Finding:
    """One name. An address must be one of the wanted, and each of them must be there; a name is enough if it is passed through."""
    leads = bool(answer.addresses or answer.through)
    dig = f"dig @{server.host} -p {server.port} {one.name}"
    if one.wanted == ():
        if leads:
            told = f"leads to {answer.told}, and is not to be known there"
            return Finding(one.name, Weight.BLOCKS, told, hint=_LEAKS, command=dig)
        return fine(one.name, "is not known, as it must be")
    if not leads or answer.nowhere:
        over = f" by way of {answer.told}" if leads else ""
        return Finding(one.name, Weight.BLOCKS, f"leads nowhere{over} ({one.told})", hint=_LACKS, command=dig)
    if one.wanted is None or _fits(one.wanted, answer):
        return fine(one.name, f"leads to {answer.told}")
    told = f"leads to {answer.told}, not to {', '.join(one.wanted)} ({one.told})"
    return Finding(one.name, Weight.BLOCKS, told, hint=_WRONG, command=dig)


def _fits(wanted: tuple[str, ...], answer: Answer) -> bool:
    if not is_address(wanted[0]):
        return set(wanted) <= set(answer.through)
    families = {ip_address(one).version for one in wanted}
    return {one for one in answer.addresses if ip_address(one).version in families} == set(wanted)
