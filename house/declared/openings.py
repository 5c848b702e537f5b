"""The rules of `backups.open_as`: which fits what a mover sees, which can never be used, which claims share a repository.

Opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.text.lengths import duration
from house.data.joining import SLACK_S
from house.files.problems import Problem, dotted, problem_at
from house.files.yamlfile import Document
from house.model import BackedUpClaim
from house.settings.backups import BackupsSection, OpenAsSection

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}|(\*)")


@dataclass(frozen=True)
class Opening:
    """One rule of `backups.open_as`, ready to match."""

    rule: OpenAsSection
    form: re.Pattern[str]

    def address(self, seen: str) -> str | None:
        """How what a mover sees is opened from here, None when this rule does not fit."""
        found = self.form.fullmatch(seen)
        if found is None:
            return None
        if self.rule.open is None:
            return seen
        return PLACEHOLDER.sub(lambda m: found.groupdict().get(m[1] or "", m[0]), self.rule.open)


def pattern(seen: str) -> re.Pattern[str]:
    """A rule's pattern: `{name}` is text without a slash and may be used in `open`, `*` is any text."""
    form, at, names = "", 0, set[str]()
    for part in PLACEHOLDER.finditer(seen):
        form += re.escape(seen[at : part.start()])
        name = part[1]
        form += ".*" if name is None else f"(?P={name})" if name in names else f"(?P<{name}>[^/]+)"
        names |= {name} if name is not None else set()
        at = part.end()
    return re.compile(form + re.escape(seen[at:]))


def shadowed(rules: Sequence[OpenAsSection]) -> Iterator[tuple[int, int]]:
    """Places of rules that can never be used, each with that of the earlier one that fits all that they fit."""
    forms = [pattern(rule.seen) for rule in rules[:_MOST_RULES]]
    for index in range(len(forms)):
        for first in range(index):
            if fits_all(forms[first], rules[index].seen):
                yield index, first
                break


_MOST_RULES = 200


def fits_all(form: re.Pattern[str], seen: str) -> bool:
    """Whether this form fits all that the pattern `seen` fits."""
    return all(form.fullmatch(sample) for sample in _samples(seen))


def _samples(seen: str) -> tuple[str, ...]:
    """Texts that a pattern fits, whose names and stars are ones that nobody else writes: what fits these fits all."""

    def filled(star: str) -> str:
        return PLACEHOLDER.sub(lambda part: f"\u2400{part[1]}" if part[1] else star, seen)

    return filled(""), filled("\u2401"), filled("\u2401/\u2402")


def shared_repositories(claims: Iterable[BackedUpClaim]) -> list[Problem]:
    """Two sources in one repository take each other's snapshots for their own: VolSync tells them apart by path only."""
    seen: dict[str, BackedUpClaim] = {}
    opened: dict[str, BackedUpClaim] = {}
    notes = []
    for claim in (place for one in claims for place in one.sources):
        by_seen = seen.setdefault(claim.mover_repository.rstrip("/"), claim)
        by_opened = opened.setdefault(claim.open_as.rstrip("/"), claim)
        if claim.mover_repository and by_seen is not claim:
            both = f"{claim.source_key} and {by_seen.source_key}"
            notes.append(problem_at(claim.declared_in, f"{both} back up to one repository", "give each its own"))
        elif claim.open_as and by_opened is not claim:
            what = f"{claim.source_key} and {by_opened.source_key} are opened at one place, {claim.open_as}, though movers see two"
            notes.append(problem_at(claim.declared_in, what, "correct backups.open_as, or give each its own"))
    return notes


def odd_backups(
    document: Document, settings: BackupsSection, claims: Sequence[BackedUpClaim], ages: Mapping[str, float]
) -> Iterator[Problem]:
    """Rules that fit nothing that Git shows, and ages that no schedule can keep. `ages` as in `catalog`."""
    forms = [pattern(rule.seen) for rule in settings.open_as]
    places = [place for one in claims for place in one.sources]
    used = {next((at for at, form in enumerate(forms) if form.fullmatch(one.mover_repository)), -1) for one in places}
    if places and all(one.mover_repository for one in places):
        for index in range(len(forms)):
            if index not in used:
                where = ("backups", "open_as", index, "seen")
                yield Problem(document.name, document.line(where), dotted(where), "fits no backup that Git shows", "correct it")
    for claim in claims:
        gap = (ages[claim.key] - SLACK_S) / 2 if claim.key in ages else 0.0
        if 0 < claim.requirement.max_age < gap:
            own = claim.key in settings.claims and settings.claims[claim.key].max_age is not None
            place = ("backups", "claims", claim.key, "max_age") if own else ("backups", "defaults", "max_age")
            what = f"is less than what lies between two backups of {claim.key} ({duration(gap)})"
            yield Problem(document.name, document.line(place), dotted(place), what, "its backup would be too old most of the time")
