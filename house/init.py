"""What `invoke config.init` writes: a commented blackstart.yaml that says what the repository shows and marks what it cannot know.

Reads the repository, asks nobody, and overwrites nothing.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SettingsInvalid
from house.data.archives import archives
from house.data.joining import base_schedules, declared_data
from house.data.nouns import DeclaredData
from house.flux.building import Builder
from house.found import FoundProxmox
from house.init_machines import nodes_text, proxmox_text
from house.left_out import left_out, looked_into_by_setting, said_by_setting
from house.loader import SETTINGS_FILE
from house.nas_sample import nas_text
from house.paths import expanded, is_file, is_folder, is_there
from house.problems import dotted, refuse, shown
from house.reading import marks_of
from house.repository import Repository, read_repository
from house.schema import EDITOR_LINE, SCHEMA_FILE, schema_text
from house.scripts import read_scripts
from house.scripts.written import bootstrap_text
from house.settings import DEFAULT_MAX_AGE
from house.talconfig import TalosNode
from house.values import FILL_IN
from house.yamlfile import parse

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_OPEN = "  # the same folder as this machine reaches it: sftp:user@nas:/path/{app}, /mnt/path/{app} or s3:https://…"
_KEY = "  # reference to the store's credential, as the mover's Secret has it: env:NAME, sops:PATH#KEY or op://…"
_SCHEMATIC = re.compile(r"/([0-9a-f]{64})(?::|$)")


@dataclass(frozen=True)
class Mark:
    """One place that a person must fill in: path and line in the written file."""

    path: str
    line: int


@dataclass(frozen=True)
class Written:
    """What was written where, what is left to fill in, what in the repository could not be followed, and what in it is wrong:
    with that, the file cannot be used even when it is filled in. `files` are all that were written, the settings first."""

    file: Path
    marks: tuple[Mark, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def write_settings(
    root: Path, builder: Builder, house_id: Callable[[], str] = lambda: secrets.token_hex(8), found: FoundProxmox | None = None
) -> Written:
    """Write `blackstart.yaml` and its schema into a home-ops repository. Raises SettingsInvalid when one is there already (one
    that is blank counts as none), when there is no such folder, or when the repository cannot be read at all."""
    root = expanded(root).resolve()
    if not is_folder(root):
        what = "is a file, and no folder" if is_there(root) else "is not there"
        raise SettingsInvalid(f"the folder {root} {what}", hint="--repo names the folder of the home-ops repository")
    file = root / SETTINGS_FILE
    repository = read_repository(root, builder)
    if repository.blind:
        raise refuse(repository.unread, shown(root, Path.cwd()))
    if repository.talconfig is None:
        raise SettingsInvalid(
            f"{root} cannot be read as a home-ops repository",
            evidence=tuple(str(p) for p in repository.problems),
            hint="Blackstart reads talos/talconfig.yaml, bootstrap/helmfile.yaml and kubernetes/",
        )
    scripted = read_scripts(root)
    text = settings_text(repository, house_id(), bootstrap_text(scripted, root), found)
    schema = root / SCHEMA_FILE
    files = (file,) if is_there(schema) else (file, schema)
    try:
        with file.open("w" if _blank(file) else "x", encoding="utf-8") as out:
            out.write(text)
        if schema in files:
            schema.write_text(schema_text(), encoding="utf-8")
    except FileExistsError:
        raise SettingsInvalid(f"{file} is there already", hint="it is never overwritten: move it aside first") from None
    except OSError as error:
        raise SettingsInvalid(f"{root} cannot be written to: {error.strerror}", hint="the repository must be yours") from error
    problems = tuple(str(problem) for problem in sorted({*repository.problems, *repository.unread}))
    notes = (*repository.notes, *map(str, scripted.notes))
    return Written(file, marks_in(text), tuple(note for note in notes if note not in problems), problems, files)


def _blank(file: Path) -> bool:
    return is_file(file) and not file.read_bytes().strip()


def readable(root: Path, builder: Builder) -> str:
    """Why no settings can be written for what lies in this folder, in one line; "" where they can."""
    repository = read_repository(root, builder)
    if repository.blind:
        return str(repository.unread[0]) if repository.unread else "nothing can be built here"
    if repository.talconfig is None:
        return f"{root} cannot be read as a home-ops repository"
    return ""


def marks_in(text: str) -> tuple[Mark, ...]:
    """Every place of a settings text that is still to be filled in."""
    document = parse(text, SETTINGS_FILE)[0]
    return tuple(Mark(dotted(path), document.line(path)) for path in marks_of(document.value))


def settings_text(repository: Repository, house_id: str, bootstrap: str = "", found: FoundProxmox | None = None) -> str:
    """The text of a settings file for this repository; `bootstrap` is that of its section of this name, `found` what a Proxmox
    that was asked has of it."""
    talconfig = repository.talconfig
    nodes = talconfig.nodes if talconfig is not None else ()
    name = re.sub(r"[^a-z0-9-]+", "-", repository.root.name.lower()).strip("-") or "home-ops"
    parts = [
        _HEAD.format(editor=EDITOR_LINE, name=name[:40].strip("-"), id=house_id, mark=FILL_IN),
        proxmox_text(found),
        nodes_text(nodes, found),
        _image(nodes, found),
        _git(repository),
        _sops(repository),
        bootstrap,
        _backups(repository),
        nas_text(repository.rendered),
        _LIMITS,
    ]
    return "\n".join(part for part in parts if part)


def _image(nodes: tuple[TalosNode, ...], found: FoundProxmox | None) -> str:
    schematics = {match[1] for node in nodes if (match := _SCHEMATIC.search(node.installer))}
    where = "  # factory.talos.dev shows it once the extensions are chosen; that of the nodes: talosctl get extensions, `schematic`"
    known = schematics.pop() if len(schematics) == 1 else f"{FILL_IN}{where}"
    if found is None:
        return _IMAGE.format(schematic=known, storage="local  # (usual); it needs content type `import`")
    first = f"  # no storage takes images yet; on any host: {found.enable_import}\n" if found.enable_import else ""
    return _IMAGE.format(schematic=known, storage=found.image_storage).replace("  storage:", f"{first}  storage:")


def _git(repository: Repository) -> str:
    source = repository.source
    lines = ["# What Flux pulls. Only what the repository does not say, or says differently from how it is reached."]
    if source.url:
        lines.append(f"# Found at {source.declared_in}: {source.url}, branch {source.branch or 'unknown'}.")
    wanted = []
    if not source.url:
        wanted.append(f"  url: {FILL_IN}  # what Flux is to pull: git remote get-url origin")
    if not source.branch:
        wanted.append(f"  branch: {FILL_IN}  # git branch --show-current")
    if source.url.startswith("ssh:"):
        wanted.append(f"  deploy_key: {FILL_IN}  # reference to the private deploy key, as file:~/.ssh/home-ops")
    lines += ["git:", *wanted] if wanted else ["git: {}"]
    return "\n".join(lines) + "\n"


def _sops(repository: Repository) -> str:
    several = len(repository.age_recipients) > 1
    where = f"what `age-keygen -y age.key` prints, one of {', '.join(repository.age_recipients)}"
    own = f"  recipient: {FILL_IN}  # {where}\n" if several else ""
    return _SOPS + own


def _backups(repository: Repository) -> str:
    backups = repository.declared.backups
    audited = [f"{one.namespace}/{one.claim}" for one in backups]
    data = declared_data(repository.rendered, audited, repository.declared.databases, {})
    patterns: dict[str, None] = {}
    for backup in (place for one in backups for place in (one, *one.others)):
        if backup.mover_repository:
            patterns[_pattern(backup.mover_repository, backup.app, backup.claim)] = None
    told = "".join(f"# In the cluster, the restic password comes from {each}.\n" for each in repository.hints.passwords)
    lines = [_BACKUPS.format(mark=FILL_IN if backups else "env:RESTIC_PASSWORD", told=told)]
    lines.append("  open_as:" if patterns else "  open_as: []")
    for pattern in patterns:
        lines.append(f"    - seen: {_text(pattern)}")
        if pattern.startswith("s3:"):
            lines.append("      environment:")
            lines += [f"        {key}: {FILL_IN}{_KEY}" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        elif not pattern.startswith("sftp:"):
            lines.append(f"      open: {FILL_IN}{_OPEN}")
            lines += [f"      # In the cluster, movers have mounted {each}." for each in repository.hints.stores]
    lines.append(_CLAIMS)
    unknown = [b for b in backups if not b.mover_repository]
    lines.append("  claims:" if unknown else "  claims: {}")
    for backup in unknown:
        lines.append(f"    {_key(f'{backup.namespace}/{backup.claim}')}:")
        lines.append(f"      repository: {FILL_IN}  # {backup.repository_note}")
    unseen = left_out(
        repository.declared.unsupported, repository.declared.second, repository.rendered.not_followed, data.charts
    )
    lines += [f"  # {line[0].upper()}{line[1:]}." for line in unseen]
    said = [
        (text, f"{one.why}, {one.declared_in}") for one in repository.rendered.not_followed if (text := said_by_setting(one))
    ]
    said += [(looked_into_by_setting(one), "a chart that is not rendered: what claims does it make?") for one in data.charts]
    if said:
        lines += ["  # Look whether one holds a backup, or data without one; dr.audit fails until each stands here with a reason"]
        lines += ["  # and without #. Of charts it asks the cluster instead, where one answers."]
        lines += ["  # not_followed:", *(f"  #   {text}  # {why}" for text, why in said)]
    known = ", ".join(f"{b.namespace}/{b.claim}" for b in backups) or "none"
    lines.append(f"  # Claims that the repository backs up: {known}.")
    lines += _databases(repository)
    lines += _bare(data)
    return "\n".join(lines) + "\n"


def _databases(repository: Repository) -> list[str]:
    """Each database that archives, with its place, and marks for what opens it."""
    found, ages, lines = archives(repository.rendered), base_schedules(repository.rendered), list[str]()
    if found:
        lines += ["  # Archives of databases: base backups and log are looked at, and told with their age.", "  databases:"]
    for archive in found:
        lines.append(f"    {_key(archive.key)}:  # {archive.place or archive.note}")
        if not archive.place:
            lines.append(f"      open: {FILL_IN}  # the folder of the server's name in the store, s3:https://HOST/BUCKET/PATH/SERVER")
        lines.append("      environment:")
        lines += [f"        {name}: {FILL_IN}{_KEY}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        lines.append(_age_line(ages.get(archive.key)))
    return lines


def _age_line(by_schedule: float | None) -> str:
    age, why = (DEFAULT_MAX_AGE, "and nothing schedules one") if by_schedule is None else (by_schedule, "by its ScheduledBackup")
    return f"      # max_age: {math.ceil(age / 3600)}h  # of its newest base backup, {why}"


def _bare(data: DeclaredData) -> list[str]:
    """What holds data and has no backup: a person says why, or backs it up."""
    if not (data.unprotected or data.paused):
        return []
    lines = [
        "  # No backup of these was found. Each is a fault of dr.audit until it is backed up, or stands here with",
        "  # a reason and without #.",
        "  # unprotected:",
    ]
    for one in data.unprotected:
        holder = one.holder
        told = ", ".join(filter(None, (holder.keeps.value, holder.size, holder.storage, holder.declared_in)))
        lines.append(f"  #   {_key(one.said_as)}: REASON  # {told}")
    lines += [f"  #   {_key(one.said_as)}: REASON  # {one.word}: {one.by}, {one.declared_in}" for one in data.paused]
    return lines


def _text(value: str) -> str:
    """A text in quotes, whatever it holds: what JSON writes, YAML reads."""
    return json.dumps(value, ensure_ascii=False)


def _key(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _text(value)


def _pattern(seen: str, *names: str) -> str:
    """What claims' repositories have in common: the application's or claim's name becomes `{app}` where it is the last part."""
    head, _, tail = seen.rpartition("/")
    return f"{head}/{{app}}" if tail in names and head else seen


_HEAD = """{editor}
# Settings of Blackstart for this house. Holds no secret: only references to secrets, each one of
#   env:NAME, file:PATH, sops:PATH#key or op://vault/item/field (a list of them: tried in order).
# A key inside another one has a dot: sops:PATH#stringData.RESTIC_PASSWORD
# {mark} marks what only you know; every verb lists what is left of it. `(usual)` marks what was guessed: look whether it is so.
# Paths are seen from this file. dr.audit needs the sections house, sops and backups alone.

house:
  name: {name}
  # The lineage of this house: VMs carry it as owner mark. Made once; never change it.
  id: "{id}"
  repository: .
"""

_IMAGE = """# The Talos image that system disks are imported from; its version is that of talconfig.yaml.
image:
  factory: https://factory.talos.dev
  schematic: {schematic}
  # sha256: pins the image; the public factory publishes none, so take it once: curl -fsSL URL | sha256sum
  storage: {storage}
"""

_SOPS = """# The age key whose public half is the recipient in .sops.yaml.
sops:
  age_key: [env:SOPS_AGE_KEY, file:age.key]  # (usual)
"""

_BACKUPS = """# How backups are opened from this machine, before anything is built.
{told}backups:
  password: {mark}  # reference to the restic password, as in op://vault/item/RESTIC_PASSWORD
  # `seen` is what the mover sees; {{name}} stands for text without a slash, * for any. Without `open` it is opened as it is."""

_CLAIMS = """  # What every claim must come back with; a claim may differ below, as in
  #   claims: {tools/notes: {data: may-be-empty, max_age: any}}
  # How old the newest may be follows from each source's schedule; max_age says otherwise, as in {max_age: 36h}.
  defaults:
    data: required
    min_bytes: 0
    max_loss: 1%  # of its files may be gone when it is released after a restore, and in its first backup"""

_LIMITS = """# How much at once, and how long to wait. These are the defaults.
limits:
  parallel: 8
  proxmox_parallel: 4
  boot: 10m
  api: 10m
  release: 15m
  flux: 30m
  restore: 2h
"""
