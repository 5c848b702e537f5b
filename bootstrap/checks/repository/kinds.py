"""Whether every kind of object that is going to be applied is served by then: of each release, and of what Flux applies.

helm and Flux refuse a whole release, or a whole Kustomization, for one kind that the API does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.checks.repository.charts import SIGHT_S
from bootstrap.served import Served, after_each, by_definitions, release_before
from cluster.by_hand import helmfile_by_hand
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.probe import Condition, Probe, drifted, missing, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId, if_any
from engine.text.words import agreed, number
from house.declared.kinds import Kind, gone_since, usually_from
from house.model import House, Release

_DEFINITIONS = if_any("preflight.crds/*")
_SHOWN = 12


class _Kinds(BaseCheck):
    """Stops everything before the first VM, unless it is not known, or a cluster that lives serves what a new one would not."""

    sight_s = SIGHT_S

    def severity_of(self, seen: Probe) -> Severity:
        if seen.condition is Condition.UNKNOWN:
            return Severity.ADVISORY
        return Severity.WATCHED if seen.condition is Condition.DRIFTED else Severity.BLOCKING


@dataclass(frozen=True)
class OfRelease(_Kinds):
    """What one release renders, held against what is served when it is installed."""

    house: House
    release: Release

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.kinds/{self.release.key}")

    @property
    def title(self) -> str:
        return f"kinds that {self.release.key} renders are served by then"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"preflight.chart/{self.release.key}", _DEFINITIONS)

    def probe(self, look: LookContext) -> Probe:
        try:
            return self._held(look)
        except TransientError:  # told once, by the check of the chart or of the definitions that it is about
            return unknown(f"not known while {self.release.key}, or definitions that come before it, cannot be rendered")

    def _held(self, look: LookContext) -> Probe:
        before = release_before(look, self.house, self.release)
        absent, problem = self._absent(look, before)
        if not absent and not problem:
            return satisfied("all of them")
        if before.unseen:
            return unknown(f"not known while these cannot be rendered: {', '.join(before.unseen)}", *map(str, absent))
        if (living := _living(look)) and self._absent(look, before.and_(living)) == ((), ""):
            told = "; ".join(filter(None, (_told(absent), problem)))
            return drifted(f"the cluster serves them now, and nothing would bring them to a new one: {told}", hint=_HINT)
        if problem:
            return missing(problem, hint=f"if it asks for definitions: {_HINT}")
        lines = [f"{kind}: {_bringer(look, self.house, before, kind)}" for kind in absent]
        return missing(f"{self.release.key} renders what nothing brings by then: {_told(absent)}", *lines, hint=_HINT)

    def _absent(self, look: LookContext, before: Served) -> tuple[tuple[Kind, ...], str]:
        """The kinds that are not served by then, and why the release cannot be rendered at all."""
        try:
            wanted = look.releases.kinds_of(self.release.namespace, self.release.name, before.kinds)
        except PermanentError as error:
            return (), error.what
        own = before.and_(wanted.first)
        return (*own.lacking(wanted.needs), *own.and_(wanted.brings).lacking(wanted.later)), ""

    def by_hand(self) -> str:
        release = self.release
        one = f"--selector name={release.name},namespace={release.namespace}"
        chart = f"{helmfile_by_hand(self.house)} --quiet -f {self.house.helmfile} template {one}"
        return f"{chart} --include-crds | grep -E '^(apiVersion|kind):' | paste - - | sort -u   # each is served by then"


@dataclass(frozen=True)
class OfFlux(_Kinds):
    """What Kustomizations declare, held against all that is known to bring kinds. Charts that nobody rendered may bring more."""

    house: House
    id = StepId("preflight.kinds/flux")
    title = "kinds that Flux applies are served in the end"
    needs = (_DEFINITIONS,)

    def probe(self, look: LookContext) -> Probe:
        try:
            return self._held(look)
        except TransientError:
            return unknown("not known while definitions that come before the first release cannot be rendered")

    def _held(self, look: LookContext) -> Probe:
        git = self.house.kinds
        releases = after_each(look, self.house).values()
        all_of_them = by_definitions(look, self.house).and_(git.brought).joined(releases).with_flux()
        absent = all_of_them.lacking(one.kind for one in git.declared)
        if not absent:
            return satisfied(f"{number(len(git.declared), 'kind')}, all served or brought")
        where = {one.kind: f"{one.kustomization} declares {one.count}, {one.declared_in}" for one in git.declared}
        lines = [f"{kind}: {where[kind]}; {_usual(kind)}" for kind in absent]
        hidden = (*git.unseen, *all_of_them.unseen)
        if hidden:
            known = len(git.declared) - len(absent)
            may = f"may come with what was not rendered here ({len(hidden)})"
            return satisfied(f"{known} of {number(len(git.declared), 'kind')} served or brought; {len(absent)} {may}", *lines)
        if not set(absent) - _living(look):
            told = f"the cluster serves them now, and nothing would bring them to a new one: {_told(absent)}"
            return drifted(told, *lines, hint=_HINT)
        return missing(f"Flux applies what nothing brings: {_told(absent)}", *lines, hint=_HINT)

    def by_hand(self) -> str:
        return f"git -C {self.house.root} grep -hE '^kind: ' -- '*.yaml' | sort -u   # each is served in the end"


_HINT = (
    "name what brings them under bootstrap.crds (a URL with its checksum, a file or a folder), or add its chart to the helmfile "
    "of CRDs; or turn off what needs them"
)


def _told(kinds: Collection[Kind]) -> str:
    """The kinds in one line; the rest stands in the evidence."""
    listed = list(map(str, kinds))
    more = f", and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _living(look: LookContext) -> frozenset[Kind]:
    """What a cluster serves that is there already; nothing where none answers."""
    try:
        return look.cluster.served()
    except BlackstartError:
        return frozenset()


def _bringer(look: LookContext, house: House, before: Served, kind: Kind) -> str:
    """What would bring the kind, as near as can be told."""
    same = sorted(other.api for other in before.kinds if (other.group, other.name) == (kind.group, kind.name))
    if same:
        return f"only {agreed(same, 'is', 'are')} served by then"
    for key, after in after_each(look, house).items():
        if kind in after.kinds:
            return f"{key} brings it, and is not waited for: add it to `needs`"
    if kind in house.kinds.brought:
        return "Git defines it, which Flux applies only afterwards"
    return _usual(kind)


def _usual(kind: Kind) -> str:
    since = gone_since(kind)
    if since:
        return f"Kubernetes serves it no more since 1.{since}"
    usual = usually_from(kind)
    return f"usually from {usual}" if usual else "nothing that is known brings it"


def checks(house: House) -> Iterator[OfRelease | OfFlux]:
    """One for every release, and one for all that Flux applies."""
    for release in house.releases:
        yield OfRelease(house, release)
    yield OfFlux(house)
