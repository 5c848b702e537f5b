"""Opens a kit in an empty folder and says what it is worth: how old, what changed since, whether a machine could run from it.

It asks this machine and nobody else. What could not be looked at is unknown, and never good.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.age.adapter import Age
from adapters.git.bundle import GitBundles
from adapters.process.results import Runner
from adapters.secrets.resolver import Secrets
from console.kit.nouns import MANIFEST, KeptProgram, Manifest, manifest_of
from console.kit.packing import BUNDLE, SETTINGS, sums_of
from console.kit.secrets import named_references
from engine.errors import BlackstartError, EvidenceChanged, PermanentError
from engine.secrets import Secret
from engine.words import number
from house.flux.building import Builder
from house.loader import load
from house.model import House, SecretRef
from tools.locate import look
from tools.manifest import named

SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing about the kit: good, not good, or None for what nobody could tell."""

    what: str
    good: bool | None
    told: str
    more: tuple[str, ...] = ()

    def seen_from(self, room: Path) -> Finding:
        """The same, its paths as they are seen from the folder that the kit was set up in: it is gone when this is read."""
        told = (self.told, *self.more)
        first, *rest = (line.replace(f"{room / 'house'}/", "") for line in told)
        return replace(self, told=first, more=tuple(rest))


def open_kit(file: Path, identity: Path | Secret, age: Age, room: Path) -> tuple[Manifest, Path]:
    """Open it into `room`; its list of contents, and the folder. PermanentError where it does not open, EvidenceChanged where a
    file in it is not what was packed."""
    if not file.is_file():
        raise PermanentError(f"{file} is not there")
    plain, folder = room / "kit.tar", room / "kit"
    age.unseal(file, plain, identity)
    try:
        with tarfile.open(plain) as tar:
            tar.extractall(folder, filter="data")
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        raise PermanentError(f"{file} opens, and is no kit: {type(error).__name__}") from error
    finally:
        plain.unlink(missing_ok=True)
    manifest = manifest_of(text)
    found = sums_of(folder)
    odd = sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name))
    if odd:
        raise EvidenceChanged(f"{file} is not as it was packed: {', '.join(odd[:SHOWN])}")
    return manifest, folder


def set_up(manifest: Manifest, folder: Path, git: GitBundles, target: Path) -> tuple[Path, str]:
    """Put repository and settings where they lay, as the kit's own script does; the settings file, and the commit."""
    target.mkdir()
    commit = git.unfold(folder / BUNDLE, target / manifest.repository, manifest.url)
    for path in sorted((folder / SETTINGS).rglob("*")):
        place = target / path.relative_to(folder / SETTINGS)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(path.read_bytes())
    return target / manifest.settings, commit


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
    settings, house = room / "house" / manifest.settings, None
    try:
        settings, commit = set_up(manifest, folder, bench.git, room / "house")
        fits = commit == manifest.commit
        yield Finding("repository", fits, f"cloned at {commit[:12]}" if fits else f"at {commit[:12]}, not {manifest.commit[:12]}")
        house = load(settings, bench.builder)
        told = f"{number(len(house.nodes), 'node')}, {number(len(house.claims), 'backup')} read"
        yield Finding("settings", True, told)
    except BlackstartError as error:
        yield Finding("settings" if settings.exists() else "repository", False, error.what, error.evidence[:SHOWN])
    if manifest.dirty:
        yield Finding("not committed", False, "changes in the clone that are not in the kit", manifest.dirty[:SHOWN])
    yield _since(manifest, bench.git, clone)
    for program in manifest.programs:
        yield _program(program, manifest)
    yield from _secrets(manifest, bench, house, room)
    for path in manifest.elsewhere:
        there = Path(path).is_file()
        yield Finding(f"file {path}", there, "here" if there else "not here, and not in the kit")


def _age_of(manifest: Manifest, now: float) -> Finding:
    try:
        made = datetime.strptime(manifest.made, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return Finding("age", None, f"nobody knows: it was made at {manifest.made!r}")
    if made > now + 300:
        return Finding("age", None, f"made on {manifest.made}, which is later than it is here: look at the clock")
    return Finding("age", True, f"{number(int((now - made) // 86400), 'day')} old, made on {manifest.made}")


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


def _secrets(manifest: Manifest, bench: Bench, house: House | None, room: Path) -> Iterator[Finding]:
    """Whether each can be had on this machine, with the references as they are where the kit was set up."""
    if house is None:
        for one in manifest.secrets:
            yield Finding(one.what, None, "the settings do not load, so it was not asked for")
        return
    opens = isinstance(bench.identity, Path) and house.age_recipient in bench.public
    key = SecretRef((f"file:{bench.identity}",)) if opens else house.age_key
    resolver = Secrets(bench.runner, house.root, key, bench.environ)
    asked: set[SecretRef] = set()
    for what, ref in named_references(house):
        ref = key if ref == house.age_key else ref
        if ref in asked or not ref.sources:
            continue
        asked.add(ref)
        _bring(ref, bench.kept, room / "house")
        try:
            yield Finding(what, True, f"from {resolver.answer(ref).source}").seen_from(room)
        except BlackstartError as error:
            yield Finding(what, False, error.what, error.evidence[:SHOWN]).seen_from(room)


def _bring(ref: SecretRef, kept: Path | None, house: Path) -> None:
    """Lay the files of a reference where they would lie, from the folder that people keep theirs in."""
    for source in ref.sources if kept is not None else ():
        place = Path(source.removeprefix("file:"))
        if kept is not None and source.startswith("file:") and place.is_relative_to(house) and not place.exists():
            brought = kept / place.relative_to(house)
            if brought.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(brought, place)
