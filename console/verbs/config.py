"""config.*: init writes a first settings file for a home-ops repository, check marks what is wrong, schema prints its schema."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from pathlib import Path

from console.ending import guarded
from console.jsonlines import JsonLines
from console.opening import named
from console.problem import complete
from engine.errors import EXIT_OK, SettingsInvalid
from engine.secrets import told
from engine.words import number


def init(repo: str, settings: str, json: bool, ask_proxmox: str = "", fingerprint: str = "") -> int:
    """Write `blackstart.yaml` into the repository; tell what is left to fill in."""

    def body() -> int:
        from console.building import builder
        from house.init import write_settings
        from house.loader import SETTINGS_FILE
        from house.paths import expanded

        began = time.monotonic()
        root = expanded(Path(repo))
        if settings and expanded(Path(settings)).resolve() != (root / SETTINGS_FILE).resolve():
            raise SettingsInvalid(
                f"config.init writes {SETTINGS_FILE} into the repository, and nowhere else",
                hint="leave --settings out; the file may be moved afterwards, with house.repository naming the repository",
            )
        if fingerprint and not ask_proxmox:
            raise SettingsInvalid("--fingerprint confirms a certificate, and no server is asked", hint="give --ask-proxmox URL too")
        found = None
        if ask_proxmox:
            from console.finding import find

            found = find(repo, ask_proxmox, fingerprint)
        written = write_settings(root, builder(), found=found)
        if json:
            result = {
                "verb": "config.init", "outcome": "written",
                "counts": {"marks": len(written.marks), "notes": len(written.notes), "problems": len(written.problems)},
                "seconds": round(time.monotonic() - began, 3), "exit_code": EXIT_OK,
                "file": str(written.file), "written": written.files, "marks": written.marks,
                "notes": written.notes, "problems": written.problems,
            }  # fmt: skip
            JsonLines(sys.stdout).write({"result": result})
            return EXIT_OK

        def out(text: str) -> None:
            sys.stdout.write(told(text))

        out(f"Written: {', '.join(map(str, written.files))}\n")
        for note in written.notes:
            out(f"note: {note}\n")
        for problem in written.problems:
            out(f"wrong in the repository: {problem}\n")
        out(
            f"Only you know {number(len(written.marks), 'value')}, marked in the file:\n"
            if written.marks
            else "Nothing is left to fill in.\n"
        )
        for mark in written.marks:
            out(f"  {written.file.name}:{mark.line}: {mark.path}\n")
        out(f"Next: fill in those of backups, then invoke dr.audit --settings {shlex.quote(str(written.file))}\n")
        out(f"      and the others, then invoke cluster.plan --offline --settings {shlex.quote(str(written.file))}\n")
        out(f"      at any time: invoke config.doctor --settings {shlex.quote(str(written.file))}\n")
        return EXIT_OK

    return guarded("config.init", json, body)


def check(settings: str, json: bool) -> int:
    """Everything that is wrong in the settings and in the house, each with file, line and column; 10 where something is."""

    def body() -> int:
        from console.building import builder
        from house.loader import SETTINGS_FILE, examine, repository_of
        from house.locating import Severity, located
        from house.paths import expanded

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
            JsonLines(sys.stdout).write({"result": result})
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
        from house.schema import schema_text

        sys.stdout.write(schema_text())
        return EXIT_OK

    return guarded("config.schema", False, body)
