"""dr.kit: all that a rebuild needs beside machines and keys, in one sealed file; and what one is worth. Looks at no house."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

from rich.text import Text

from adapters.age.adapter import Age
from adapters.git.bundle import GitBundles
from bootstrap.course import course
from console.ending import guarded
from console.kit.checking import Bench, Finding, findings
from console.kit.nouns import KeptProgram, Manifest
from console.kit.opening import Sealed, unpack
from console.kit.packing import START, gather, printable, recipients_of, seal, sum_of
from console.kit.rooms import workroom
from console.kit.unfolding import KEY_VARIABLE, KIT, open_kit
from console.opened.building import builder
from console.opened.chosen import named
from console.opened.opening import open_session
from console.report.document import moment, version
from console.screens.runbook import runbook_of
from console.session import Session
from console.views.jsonlines import JsonLines
from console.views.page import Page, simulated
from console.views.rows import Row, Rows
from engine.errors import EXIT_DRIFT, EXIT_OK, BlackstartError, PermanentError, SettingsInvalid
from engine.files.whole import write_whole
from engine.secrets import Secret
from engine.text.words import number
from house.files.paths import expanded, no_file
from house.files.whole import write_file
from house.known.inventory import certificates_path
from house.loader import SETTINGS_FILE, load
from house.settings.values import recipient_of
from tools.locate import look
from tools.manifest import Need, needed_by
from tools.places import CHECKOUT

ENDING = ".kit.age"


def kit(
    settings: str, json: bool, file: str, recipients: str, with_programs: str, check: str, identity: str, repository: str,
    kept: str = "", sealed: str = "", into: str = "",
) -> int:  # fmt: skip
    """Write the kit (0), check one, or open one into a folder: 0 where a machine could run from it, 3 where something lacks or has
    changed."""

    def body() -> int:
        if bool(sealed) != bool(into) or (sealed and check):
            raise SettingsInvalid("a kit is opened by two flags, and by nothing besides; right would be: --open FILE --into FOLDER")
        if sealed:
            return open_into(handed(sealed, identity, kept), expanded(Path(into)), json)
        if check:
            return check_kit(handed(check, identity, kept), repository, settings, json)
        return write_kit(open_session("dr.kit", settings, json), file, recipients, with_programs)

    return guarded("dr.kit", json, body, settings)


def handed(file: str, identity: str, kept: str) -> Sealed:
    """A kit as the command line names it, its key, and what people keep. Raises SettingsInvalid."""
    brought = expanded(Path(kept)) if kept else None
    if brought is not None and not brought.is_dir():
        raise SettingsInvalid(f"--secrets {brought} is no folder; right would be the one with what people keep beside the kit")
    return Sealed(expanded(Path(file)), _identity(identity), brought)


def write_kit(session: Session, file: str, recipients: str, with_programs: str) -> int:
    """The kit and the page beside it, both anew or not at all."""
    house = session.house
    target = expanded(Path(file or f"{house.name}{ENDING}"))
    who = recipients_of(house, map(_recipient, filter(None, recipients.split(","))))
    archive = expanded(Path(with_programs)) if with_programs else None
    if archive is not None and (told := no_file(archive)):
        raise SettingsInvalid(f"--with-programs {archive} {told}; make bundle makes it")
    if not target.parent.is_dir():
        raise SettingsInvalid(f"--file {target} lies in what is no folder", hint="make that folder first, or name another place")
    keep_certificates(session)
    whole = course(house, session.known())
    with workroom() as (room, runner):
        git, folder = GitBundles(runner), room / "kit"
        folder.mkdir()
        manifest = gather(
            house, folder, git, lambda path: runbook_of(house, session.known(), path, whole), recipients=who, programs=programs(),
            archive=archive, made=moment(session.clock.now()), blackstart=f"version {version()}, commit {git.commit(CHECKOUT)}",
        )  # fmt: skip
        digest = seal(folder, target, Age(runner), who, room)
    page = target.with_name(f"{target.name}.html")
    try:
        text = printable(manifest, house, target.name, digest)
        write_whole(page, text.encode("utf-8", "backslashreplace"), mode=None)
    except OSError as error:
        raise PermanentError(f"the kit is written, and its page {page} cannot be: {error.strerror}") from error
    return _told(session, manifest, target, page)


def keep_certificates(session: Session) -> str:
    """Write the TLS Secrets of the cluster beside the settings, where these want that; answers why not, "" where that was done.

    Those that were kept before stay where the cluster cannot be asked.
    """
    house = session.house
    if not house.kit.certificates:
        return ""
    try:
        with session.doors(None) as doors:
            sealed = doors.look.tls.sealed(session.clock.now())
        write_file(certificates_path(house), sealed.text)
    except BlackstartError as error:
        before = "those that were kept before go along" if certificates_path(house).exists() else "none goes along"
        session.page.say(f"TLS Secrets of the cluster could not be kept, and {before}: {'; '.join((error.what, *error.evidence))}")
        return error.what
    session.page.say(f"{certificates_path(house)}: {number(len(sealed.ends), 'TLS Secret')}, encrypted. Commit it.")
    return ""


def _told(session: Session, manifest: Manifest, target: Path, page: Path) -> int:
    for line in manifest.dirty:
        session.page.say(f"not in it, for it is not committed: {line}")
    for line in manifest.elsewhere:
        session.page.say(f"not in it, for it lies outside of the settings' folder and the repository: {line}")
    can = ", ".join(one.name for one in manifest.recipients)
    session.page.say(f"{target}: {target.stat().st_size / 1e6:.1f} MB, commit {manifest.commit[:12]}. It can be opened by {can}.")
    session.page.say(f"{page}: print it. invoke dr.kit --check {target} says what the kit is worth.")
    counts = {"files": len(manifest.files), "secrets": len(manifest.secrets), "recipients": len(manifest.recipients)}
    return session.finish(
        "written", counts, EXIT_OK, kit=target, page=page, commit=manifest.commit, dirty=manifest.dirty,
        elsewhere=manifest.elsewhere, written=(target, page),
    )  # fmt: skip


def programs() -> tuple[KeptProgram, ...]:
    """Those that a run drives, as they are here."""
    found = [look(program) for program in needed_by(Need.RUN)]
    return tuple(
        KeptProgram(one.program.name, str(one.version or ""), sum_of(one.path) if one.usable and one.path is not None else "")
        for one in found
    )


def check_kit(sealed: Sealed, repository: str, settings: str, json: bool) -> int:
    """Open it in an empty folder and say what it is worth. Needs no settings."""
    began = time.monotonic()
    with workroom() as (room, runner):
        age, git = Age(runner), GitBundles(runner)
        manifest, folder = open_kit(sealed.file, sealed.identity, age, room)
        public = age.public(sealed.identity)
        bench = Bench(runner, git, builder(), sealed.identity, public, os.environ, time.time(), sealed.kept)
        found = list(findings(manifest, folder, bench, _clone(repository, settings), room))
    good = all(one.good for one in found)
    return _answer(manifest, found, json, began, "good" if good else "not good", {"kit": sealed.file})


def open_into(sealed: Sealed, into: Path, json: bool) -> int:
    """Lay the house out of it where it can be run from, and say what this machine lacks to do so, and what to type."""
    began = time.monotonic()
    found = unpack(sealed, into)
    settings = shlex.quote(str(found.settings))
    following = (f"export BLACKSTART_SETTINGS={settings}", "invoke cluster.preflight")
    lines = (f"Read {into / KIT / START}: what to switch on, and who has which key. Then:", *(f"  {line}" for line in following))
    fields = {"kit": sealed.file, "into": into, "settings": found.settings, "next": following}
    outcome = "lacking" if found.lacking else "opened"
    return _answer(found.manifest, list(found.findings), json, began, outcome, fields, lines)


def _answer(
    manifest: Manifest, found: list[Finding], json: bool, began: float, outcome: str, fields: dict[str, object],
    lines: tuple[str, ...] = (),
) -> int:  # fmt: skip
    good = all(one.good for one in found)
    code = EXIT_OK if good else EXIT_DRIFT
    if json:
        counts = {"good": sum(one.good is True for one in found), "not_good": sum(one.good is False for one in found),
                  "unknown": sum(one.good is None for one in found)}  # fmt: skip
        result = {
            "verb": "dr.kit", "outcome": outcome, "counts": counts, "exit_code": code,
            "seconds": round(time.monotonic() - began, 3), **fields,
            "house": manifest.house, "made": manifest.made, "commit": manifest.commit, "findings": found,
        }  # fmt: skip
        JsonLines(sys.stdout, manifest.simulated).last(result)
        return code
    page = Page(sys.stdout, simulated(manifest.house) if manifest.simulated else None)
    page.show(Rows([_row(one) for one in found], name=1))
    lacking = [one for one in found if not one.good]
    told = "a machine like this one could run from it" if good else f"{number(len(lacking), 'thing')} to look into first"
    page.say(f"\nThe kit of {manifest.house}, made on {manifest.made}: {told}.")
    for line in lines:
        page.say(line)
    page.end()
    return code


def _row(one: Finding) -> Row:
    word, colour = {True: ("good", "green"), False: ("lacking", "bold red"), None: ("unknown", "yellow")}[one.good]
    return Row((Text(word, colour), Text(one.what)), one.told, tuple(Text(line, "dim") for line in one.more))


def _recipient(text: str) -> str:
    try:
        return recipient_of(text)
    except ValueError as error:
        raise SettingsInvalid(f"--recipients: {text.strip()[:12]}… {error}") from None


def _identity(named_file: str) -> Path | Secret:
    """The key that opens the kit: the file that is named, else as sops has it."""
    file = named_file or os.environ.get("SOPS_AGE_KEY_FILE", "")
    if file:
        path = expanded(Path(file))
        if told := no_file(path):
            raise SettingsInvalid(f"the key {path} {told}", hint=f"a key that lies in no file is taken from {KEY_VARIABLE}")
        return path
    if key := os.environ.get(KEY_VARIABLE, ""):
        return Secret(key)
    raise SettingsInvalid("no key was named to open the kit with; right would be: --identity FILE")


def _clone(repository: str, settings: str) -> Path | None:
    """The repository as it is now: the one that is named, or that of the settings, if this machine has any that load."""
    if repository:
        path = expanded(Path(repository))
        if not path.is_dir():
            raise PermanentError(f"--repository {path} is not there", hint="name the folder of the clone")
        return path
    file = Path(named(settings) or SETTINGS_FILE)
    if not (settings or file.is_file()):
        return None
    try:
        return load(file, builder()).root
    except BlackstartError:
        if settings:
            raise
        return None
