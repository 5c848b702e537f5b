"""Opens a kit in an empty folder and says what it is worth: how old, what changed since, whether a machine could run from it.

It asks this machine and nobody else. What could not be looked at is unknown, and never good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.git.bundle import GitBundles
from adapters.process.results import Runner
from adapters.secrets.resolver import Secrets
from console.doctor import looking
from console.doctor.looking import Subject
from console.doctor.nouns import Able, Of
from console.kit.nouns import KeptProgram, Manifest, moment_of
from console.kit.secrets import named_references
from console.kit.unfolding import HOUSE, SHOWN, bring, opened_by, set_up
from engine.errors import BlackstartError
from engine.secrets import Secret
from engine.text.ages import age_of
from engine.text.words import number
from house.flux.building import Builder
from house.loader import Examined, load
from house.model import House, SecretRef
from tools.locate import look
from tools.manifest import named


@dataclass(frozen=True)
class Finding:
    """One thing about the kit: good, not good, or None for what nobody could tell."""

    what: str
    good: bool | None
    told: str
    more: tuple[str, ...] = ()

    def seen_from(self, top: Path) -> Finding:
        """The same, its paths as they are seen from the folder `top` that the kit was set up in: of a check it is gone when this
        is read."""
        told = (self.told, *self.more)
        first, *rest = (line.replace(f"{top}/", "") for line in told)
        return replace(self, told=first, more=tuple(rest))


@dataclass(frozen=True)
class Bench:
    """What a check works with: programs, what reads a house, the key that opened the kit and its public halves, variables, when
    it is (seconds since the epoch), and the folder with the files that people keep, as they would lie in the house."""

    runner: Runner
    git: GitBundles
    builder: Builder
    identity: Path | Secret
    public: frozenset[str]
    environ: Mapping[str, str]
    now: float
    kept: Path | None = None


def findings(manifest: Manifest, folder: Path, bench: Bench, clone: Path | None, room: Path) -> Iterator[Finding]:
    """Everything that there is to say of it; `clone` is the repository as it is now, None where this machine has none."""
    yield _age_of(manifest, bench.now)
    settings, house = room / HOUSE / manifest.settings, None
    try:
        settings, commit = set_up(manifest, folder, bench.git, room / HOUSE)
        fits = commit == manifest.commit
        yield Finding("repository", fits, f"cloned at {commit[:12]}" if fits else f"at {commit[:12]}, not {manifest.commit[:12]}")
        house = opened_by(load(settings, bench.builder), bench.identity, bench.public)
        told = f"{number(len(house.nodes), 'node')}, {number(len(house.claims), 'backup')} read"
        yield Finding("settings", True, told)
    except BlackstartError as error:
        yield Finding("settings" if settings.exists() else "repository", False, error.what, error.evidence[:SHOWN])
    if manifest.dirty:
        yield Finding("not committed", False, "changes in the clone that are not in the kit", manifest.dirty[:SHOWN])
    yield _since(manifest, bench.git, clone)
    yield from on_this_machine(manifest, bench, house, room / HOUSE)


def on_this_machine(manifest: Manifest, bench: Bench, house: House | None, top: Path) -> Iterator[Finding]:
    """What of it this machine has, and which verbs could begin here; `house` is what was laid out in `top`, None where it does
    not load."""
    for program in manifest.programs:
        yield _program(program, manifest)
    for path in manifest.elsewhere:
        there = Path(path).is_file()
        yield Finding(f"file {path}", there, "here" if there else "not here, and not in the kit")
    if house is None:
        for one in manifest.secrets:
            yield Finding(one.what, None, "the settings do not load, so it was not asked for")
        return
    resolver = Secrets(bench.runner, house.root, house.age_key, bench.environ)
    for found in (*_secrets(house, resolver, bench.kept, top), *_able(house, resolver, manifest)):
        yield found.seen_from(top)


def _age_of(manifest: Manifest, now: float) -> Finding:
    made = moment_of(manifest.made)
    if made is None:
        return Finding("age", None, f"nobody knows: it was made at {manifest.made!r}")
    if (age := age_of(made, now)) is None:
        return Finding("age", None, f"made on {manifest.made}, which is later than it is here: look at the clock")
    return Finding("age", True, f"{number(int(age // 86400), 'day')} old, made on {manifest.made}")


def _since(manifest: Manifest, git: GitBundles, clone: Path | None) -> Finding:
    if clone is None:
        return Finding("changes since", None, "no clone of the repository was named: --repository PATH, or --settings of the house")
    since = git.since(clone, manifest.commit)
    if since is None:
        return Finding("changes since", None, f"{clone} does not know commit {manifest.commit[:12]}, or has left it")
    if not since:
        return Finding("changes since", True, "none in Git")
    return Finding("changes since", False, f"{number(len(since), 'commit')} in Git that are not in the kit", since[:SHOWN])


def _program(program: KeptProgram, manifest: Manifest) -> Finding:
    what = f"program {program.name}"
    if manifest.archive:
        return Finding(what, True, f"in {manifest.archive}")
    try:
        found = look(named(program.name))
    except KeyError:
        return Finding(what, None, "this version of Blackstart does not know it")
    if not found.usable:
        return Finding(what, False, found.why or found.finding.value)
    return Finding(what, True, f"here, {found.version}")


def _secrets(house: House, resolver: Secrets, kept: Path | None, top: Path) -> Iterator[Finding]:
    """Whether each can be had on this machine, with the references as they are where the kit was set up."""
    asked: set[SecretRef] = set()
    for what, ref in named_references(house):
        if ref in asked or not ref.sources:
            continue
        asked.add(ref)
        bring(ref, kept, top)
        try:
            yield Finding(what, True, f"from {resolver.answer(ref).source}")
        except BlackstartError as error:
            yield Finding(what, False, error.what, error.evidence[:SHOWN])


def _able(house: House, resolver: Secrets, manifest: Manifest) -> Iterator[Finding]:
    """Which verbs could begin on this machine, in their order; servers are asked by those verbs themselves."""
    whole = Examined(house, (), ())
    subject = Subject(house.settings_file, whole, whole)
    yield _of(looking.audit(subject, resolver, ask=True), manifest)
    yield _of(looking.bootstrap(subject, resolver, ask=True), manifest)
    yield _of(looking.restoring(subject, resolver, "dr.restore", "", ask=True, built=True), manifest)


def _of(one: Able, manifest: Manifest) -> Finding:
    lacks = [lack for lack in one.lacks if not (manifest.archive and lack.of is Of.PROGRAM)]
    good = not any(lack.known for lack in lacks) and (None if lacks else True)
    told = [lack.told for lack in lacks]
    more = [f"and {number(len(told) - SHOWN, 'thing')} more"] if len(told) > SHOWN else []
    return Finding(f"from it: {one.verb}", good, told[0] if told else one.good, (*told[1:SHOWN], *more))
