"""config.*: init writes a first settings file for a home-ops repository, check marks what is wrong, schema prints its schema."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.ending import guarded
from console.opened.chosen import named
from console.views.jsonlines import JsonLines
from console.views.problem import complete
from engine.errors import EXIT_OK, SettingsInvalid
from engine.secrets import told
from engine.text.words import number

if TYPE_CHECKING:
    from house.first.found import FoundProxmox
    from house.first.writing import Written
    from house.known.inventory import Inventory


def init(
    repo: str, settings: str, json: bool, ask_proxmox: str = "", fingerprint: str = "", from_inventory: str = "",
    git_path: str = "",
) -> int:  # fmt: skip
    """Write `blackstart.yaml` into the repository; tell what is left to fill in."""

    def body() -> int:
        from house.files.paths import expanded
        from house.loader import SETTINGS_FILE

        began = time.monotonic()
        root = expanded(Path(repo))
        if settings and expanded(Path(settings)).resolve() != (root / SETTINGS_FILE).resolve():
            raise SettingsInvalid(
                f"config.init writes {SETTINGS_FILE} into the repository, and nowhere else",
                hint="leave --settings out; the file may be moved afterwards, with house.repository naming the repository",
            )
        known, entry = _known(from_inventory), _entry(git_path)
        written = _written(root, known, _asked(repo, ask_proxmox, fingerprint, entry), entry)
        if json:
            result = {
                "verb": "config.init", "outcome": "written",
                "counts": {"marks": len(written.marks), "notes": len(written.notes), "problems": len(written.problems)},
                "seconds": round(time.monotonic() - began, 3), "exit_code": EXIT_OK,
                "file": str(written.file), "written": written.files, "marks": written.marks,
                "notes": written.notes, "problems": written.problems,
            }  # fmt: skip
            JsonLines(sys.stdout).last(result)
            return EXIT_OK
        for line in _lines(written):
            sys.stdout.write(told(f"{line}\n"))
        return EXIT_OK

    return guarded("config.init", json, body)


def _known(from_inventory: str) -> Inventory | None:
    """What was written down while the house lived, where that is to be used."""
    from house.files.paths import expanded, no_file
    from house.known.inventory import read_inventory

    if not from_inventory:
        return None
    file = expanded(Path(from_inventory))
    if told := no_file(file):
        raise SettingsInvalid(f"--from-inventory {from_inventory} {told}", hint="it lies in Git beside the settings")
    return read_inventory(file)


def _entry(git_path: str) -> str:
    """The cluster that is meant, as `git.path` would say it."""
    from house.settings.values import repository_path_of

    try:
        return repository_path_of(git_path) if git_path else ""
    except ValueError as error:
        raise SettingsInvalid(f"--git-path {git_path} {error}") from None


def _written(root: Path, known: Inventory | None, found: FoundProxmox | None, entry: str) -> Written:
    """The settings, of what was known and what was found just now: the lineage stays what it was."""
    from console.opened.building import builder
    from house.first.inventory import found_before, joined
    from house.first.writing import write_settings

    if known is None:
        return write_settings(root, builder(), found=found, entry=entry)
    before = found_before(known)
    now = before if found is None else joined(found, before)
    return write_settings(root, builder(), lambda: known.house.id, now, known.house.name, entry)


def _asked(repo: str, ask_proxmox: str, fingerprint: str, entry: str) -> FoundProxmox | None:
    """What a Proxmox has, where one is to be asked."""
    if ask_proxmox:
        from console.opened.finding import find

        return find(repo, ask_proxmox, fingerprint, entry=entry)
    if fingerprint:
        raise SettingsInvalid("--fingerprint confirms a certificate, and no server is asked", hint="give --ask-proxmox URL too")
    return None


def _lines(written: Written) -> Iterator[str]:
    """What was written, what was seen on the way, what is left to a person, and what comes next."""
    yield f"Written: {', '.join(map(str, written.files))}"
    yield from (f"note: {note}" for note in written.notes)
    yield from (f"wrong in the repository: {problem}" for problem in written.problems)
    marks = number(len(written.marks), "value")
    yield f"Only you know {marks}, marked in the file:" if written.marks else "Nothing is left to fill in."
    yield from (f"  {written.file.name}:{mark.line}: {mark.path}" for mark in written.marks)
    given = f"--settings {shlex.quote(str(written.file))}"
    yield f"Next: fill in those of backups, then invoke dr.audit {given}"
    yield f"      and the others, then invoke cluster.plan --offline {given}"
    yield f"      at any time: invoke config.doctor {given}"


def check(settings: str, json: bool) -> int:
    """Everything that is wrong in the settings and in the house, each with file, line and column; 10 where something is."""

    def body() -> int:
        from console.opened.building import builder
        from house.files.paths import expanded
        from house.loader import SETTINGS_FILE, examine, repository_of
        from house.rules.locating import Severity, located

        began = time.monotonic()
        file = expanded(Path(named(settings) or SETTINGS_FILE))
        found = located(examine(file, builder()), file, repository_of(file))
        errors = [one for one in found if one.severity is Severity.ERROR]
        code = SettingsInvalid.exit_code if errors else EXIT_OK
        if json:
            counts = Counter(f"{one.severity.value}s" for one in found)
            result = {
                "verb": "config.check", "outcome": "wrong" if errors else "fits", "counts": dict(counts),
                "seconds": round(time.monotonic() - began, 3), "exit_code": code, "problems": found,
            }  # fmt: skip
            JsonLines(sys.stdout).last(result)
            return code
        for one in found:
            sys.stdout.write(told(f"{one}\n"))
        counted = f"{number(len(errors), 'error')}, {number(len(found) - len(errors), 'note')}"
        following = complete("invoke config.check" if errors else "invoke cluster.plan --offline", named(settings))
        sys.stdout.write(told(f"{counted}. Next: {'correct them, then ' if errors else ''}{following}\n"))
        return code

    return guarded("config.check", json, body, settings)


def schema() -> int:
    """Print the JSON schema."""

    def body() -> int:
        from house.settings.schema import schema_text

        sys.stdout.write(schema_text())
        return EXIT_OK

    return guarded("config.schema", False, body)
