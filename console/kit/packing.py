"""Packs a kit: what is gathered in a folder, its list of contents, its pages, and one sealed file. Knows no verb."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from adapters.age.adapter import Age
from adapters.git.bundle import GitBundles
from console.kit.nouns import MANIFEST, KeptProgram, Manifest, Recipient
from console.kit.secrets import files_of, secrets_of
from console.report.pages import in_markdown
from engine.errors import PermanentError, SettingsInvalid
from engine.files.whole import put_in_place
from engine.secrets import redact
from house.known.inventory import certificates_path, inventory_path
from house.known.lock import lock_path
from house.model import House

BUNDLE, SETTINGS, START, RUNBOOK, SET_UP = "repository.bundle", "settings", "START-HERE.md", "runbook.md", "set-up"
OWN_KEY = "the house's own age key"

_SET_UP = """\
#!/bin/sh
# Puts the repository and the settings where they were beside each other: sh ./set-up FOLDER
set -eu
[ $# -eq 1 ] && [ ! -e "$1" ] || {{ echo "usage: sh ./set-up FOLDER, which is not there yet" >&2; exit 1; }}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
git clone --quiet "$here/{bundle}" "$1"/{repository}
git -C "$1"/{repository} remote set-url origin {url}
cp -R "$here/{settings}/." "$1/"
{trust}echo "The settings are $1/"{file}
"""

_TRUST = """\
git -C "$1"/{repository} config http.sslCAInfo "$(cd "$1" && pwd)"/{authority}
"""


def recipients_of(house: House, more: Iterable[str]) -> tuple[Recipient, ...]:
    """Who can open it: those of the settings and of the command line, else who has the house's own key."""
    found = [Recipient(name, key) for name, key in house.kit.recipients]
    found += [Recipient(f"recipient {place}", key) for place, key in enumerate(more, start=1)]
    if not found and house.age_recipient:
        found = [Recipient(OWN_KEY, house.age_recipient)]
    if not found:
        raise SettingsInvalid("nobody could open the kit; right would be `kit: {recipients: {NAME: age1…}}` in the settings")
    return tuple(found)


def gather(
    house: House, folder: Path, git: GitBundles, write_runbook: Callable[[Path], object], *, recipients: tuple[Recipient, ...],
    programs: tuple[KeptProgram, ...], archive: Path | None, made: str, blackstart: str,
) -> Manifest:  # fmt: skip
    """Put everything into an empty folder and answer its list of contents, which is in it too. Raises PermanentError."""
    bundled = git.make(house.root, folder / BUNDLE)
    common = Path(os.path.commonpath([house.settings_file.resolve().parent, house.root.resolve()]))
    settings, repository = house.settings_file.resolve().relative_to(common), house.root.resolve().relative_to(common)
    trusted = git.authority(house.root)
    authority = (house.root.resolve() / trusted).resolve() if trusted else None
    elsewhere = _settings(house, folder / SETTINGS, common, authority)
    trusting = str(authority.relative_to(common)) if authority is not None and authority.is_relative_to(common) else ""
    write_runbook(folder / RUNBOOK)
    words = {"bundle": BUNDLE, "settings": SETTINGS, "repository": shlex.quote(str(repository)), "file": shlex.quote(str(settings))}
    words["url"] = shlex.quote(redact(house.flux.url))
    words["trust"] = _TRUST.format(repository=words["repository"], authority=shlex.quote(trusting)) if trusting else ""
    (folder / SET_UP).write_text(_SET_UP.format(**words), encoding="utf-8")
    if archive is not None:
        shutil.copyfile(archive, folder / archive.name)
    manifest = Manifest(
        house=house.name, house_id=house.id, simulated=house.simulated, made=made, blackstart=blackstart, commit=bundled.commit,
        branch=bundled.branch, url=redact(house.flux.url), settings=str(settings), repository=str(repository), dirty=bundled.dirty,
        elsewhere=elsewhere, recipients=recipients, secrets=secrets_of(house, common), programs=programs,
        archive=archive.name if archive is not None else "", files={}, authority=trusting,
    )  # fmt: skip
    (folder / START).write_text(redact(start_page(manifest, house)), encoding="utf-8", errors="backslashreplace")
    manifest = replace(manifest, files=sums_of(folder))
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="ascii")
    return manifest


def _settings(house: House, folder: Path, common: Path, authority: Path | None) -> tuple[str, ...]:
    """Copy the settings, lock, inventory, kept TLS Secrets and certificates (the Git server's too) to where they lay; answers what
    lay outside of everything."""
    elsewhere = []
    certificates = {*files_of(house), *([str(authority)] if authority is not None else [])}
    beside = [path for path in (lock_path(house), inventory_path(house), certificates_path(house)) if path.exists()]
    for path in (house.settings_file, *beside, *map(Path, sorted(certificates))):
        place = path.resolve()
        if not place.is_relative_to(common):
            elsewhere.append(str(path))
        elif place.is_file():
            target = folder / place.relative_to(common)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, target)
    return tuple(elsewhere)


def seal(folder: Path, target: Path, age: Age, recipients: tuple[Recipient, ...], room: Path) -> str:
    """One file of a gathered folder, sealed; answers its SHA-256. `room` is a private folder on a disk."""
    plain, sealed = room / "kit.tar", target.with_name(f".{target.name}.unfinished")
    with tarfile.open(plain, "w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    try:
        age.seal(plain, sealed, [one.key for one in recipients])
        digest = sum_of(sealed)
        put_in_place(sealed, target)
    except OSError as error:
        raise PermanentError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        plain.unlink()
        sealed.unlink(missing_ok=True)
    return digest


def sums_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file, by its place; the list of contents itself is not in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sum_of(path) for path in files if path != folder / MANIFEST}


def sum_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def start_page(manifest: Manifest, house: House) -> str:
    """What a person reads first, in plain words."""
    names = sorted({node.host for node in house.vms})
    hosts = [{"name": name, "nodes": [node.name for node in house.vms if node.host == name]} for name in names]
    endpoints = [one.url for one in house.proxmox.endpoints]
    return _rendered("start.md.j2", m=manifest, notes=house.kit.notes, nas=house.nas, hosts=hosts, endpoints=endpoints)


def printable(manifest: Manifest, house: House, file: str, sha256: str) -> str:
    """The page beside the kit: who can open it and how. It lies open, so it names no secret's place."""
    return _rendered("page.html.j2", m=manifest, notes=house.kit.notes, file=file, sha256=sha256)


def _rendered(name: str, **words: object) -> str:
    return _templates().get_template(name).render(**words)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(("html.j2",)), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["md"] = in_markdown
    return made
