"""What `invoke config.init` writes: a commented blackstart.yaml that says what the repository shows and marks what it cannot know.

Reads the repository, asks nobody, and overwrites nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SettingsInvalid
from engine.files.content import content_of
from engine.files.whole import write_new, write_whole
from engine.text.words import number
from house.files.paths import expanded, is_file, is_folder, is_there
from house.files.problems import dotted, refuse, shown
from house.files.scalars import in_quotes, plain
from house.files.yamlfile import parse
from house.first.backups import backups_text
from house.first.clusters import MOST, called, git_text, several
from house.first.found import FoundProxmox
from house.first.machines import nodes_text, proxmox_text, usual_schematic
from house.first.nas import nas_text
from house.flux.building import Builder
from house.known.inventory import ImageRecord
from house.loader import SETTINGS_FILE
from house.repository.choosing import NO_FOLDER, instead_of
from house.repository.guarding import short
from house.repository.talconfigs.talconfig import TalosNode
from house.repository.tree import Tree
from house.repository.whole import Repository, read_repository
from house.scripts import read_scripts
from house.scripts.written import bootstrap_text
from house.settings.reading import marks_of
from house.settings.schema import EDITOR_LINE, SCHEMA_FILE, schema_text
from house.settings.values import FILL_IN

_OF_A_FACTORY = re.compile(r"(https://[^/\s]+)/image/([0-9a-f]+)/(v[^/\s]+)/[^\s]+")
_WHERE = (
    "  # factory.talos.dev shows it once the extensions are chosen; that of the nodes: talosctl get extensions, `schematic`"
)
_NO_HOUSE = "no talconfig, no Flux, no ArgoCD and no object of Kubernetes is there: --repo names the repository of a cluster"
_TEMPLATES = (".yaml.j2", ".yml.j2", ".yaml.jinja", ".yml.jinja", ".yaml.tmpl", ".yaml.tpl", ".yaml.gotmpl", ".yaml.minijinja")


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
    root: Path, builder: Builder, house_id: Callable[[], str] = lambda: secrets.token_hex(8), found: FoundProxmox | None = None,
    name: str = "", entry: str = "",
) -> Written:  # fmt: skip
    """Write `blackstart.yaml` and its schema into a home-ops repository. Raises SettingsInvalid when one is there already (one
    that is blank counts as none), when there is no such folder, or when the repository cannot be read at all. `name` is the
    house's, by its folder and cluster where none is given; `entry` is the path of the cluster that is meant, "" for a guess."""
    root = expanded(root).resolve()
    if not is_folder(root):
        what = "is a file, and no folder" if is_there(root) else "is not there"
        raise SettingsInvalid(f"the folder {root} {what}", hint="--repo names the folder of the home-ops repository")
    file = root / SETTINGS_FILE
    repository = read_repository(root, builder, entry)
    if entry and (better := instead_of(entry, repository)):
        raise SettingsInvalid(f"--git-path {entry} {NO_FOLDER}", hint=better)
    if repository.blind:
        raise refuse(repository.unread, shown(root, Path.cwd()))
    if not _is_a_house(repository):
        raise SettingsInvalid(
            f"{root} cannot be read as a home-ops repository",
            evidence=tuple(str(p) for p in repository.problems),
            hint=_unrendered(root) or _NO_HOUSE,
        )
    scripted = read_scripts(root)
    text = settings_text(repository, house_id(), bootstrap_text(scripted, root), found, name, guessed=not entry)
    schema = root / SCHEMA_FILE
    files = (file,) if is_there(schema) else (file, schema)
    try:
        if is_blank(file):
            write_whole(file, text, mode=None)
        else:
            write_new(file, text, mode=None)
        if schema in files:
            write_whole(schema, schema_text(), mode=None)
    except FileExistsError:
        raise SettingsInvalid(f"{file} is there already", hint="it is never overwritten: move it aside first") from None
    except OSError as error:
        raise SettingsInvalid(f"{root} cannot be written to: {error.strerror}", hint="the repository must be yours") from error
    problems = tuple(str(problem) for problem in sorted({*repository.problems, *repository.unread}))
    notes = (*several(repository, guessed=not entry), *map(str, (*repository.notes, *scripted.notes)))
    return Written(file, marks_in(text), tuple(note for note in notes if note not in problems), problems, files)


def _unrendered(root: Path) -> str:
    """What to do first where a repository holds nothing but templates of manifests; "" where it holds none of them."""
    found = [shown(file, root) for file in Tree(root).others(*_TEMPLATES)]
    if not found:
        return ""
    more = f" and {number(len(found) - 1, 'file')} more" if len(found) > 1 else ""
    return f"{found[0]}{more} are templates: render them as the repository's own README says, and begin again in what comes of it"


def is_blank(file: Path) -> bool:
    """Whether it is known to hold nothing, and may be written; of what cannot be read nobody knows."""
    try:
        return is_file(file) and not content_of(file).strip()
    except OSError:
        return False


def readable(root: Path, builder: Builder) -> str:
    """Why no settings can be written for what lies in this folder, in one line; "" where they can."""
    repository = read_repository(root, builder)
    if repository.blind:
        return str(repository.unread[0]) if repository.unread else "nothing can be built here"
    if not _is_a_house(repository):
        return f"{root} cannot be read as a home-ops repository"
    return ""


def _is_a_house(repository: Repository) -> bool:
    known = repository.roads
    nodes = repository.talconfig or known.talos or known.talconfigs
    return bool(nodes or repository.source.path or repository.releases or known.follows or known.manifests)


def marks_in(text: str) -> tuple[Mark, ...]:
    """Every place of a settings text that is still to be filled in."""
    document = parse(text, SETTINGS_FILE)[0]
    return tuple(Mark(dotted(path), document.line(path)) for path in marks_of(document.value))


def settings_text(
    repository: Repository, house_id: str, bootstrap: str = "", found: FoundProxmox | None = None, name: str = "", *,
    guessed: bool = True,
) -> str:  # fmt: skip
    """The text of a settings file for this repository; `bootstrap` is that of its section of this name, `found` what a Proxmox
    that was asked has of it. `guessed`: nobody has said which of several clusters is meant."""
    talconfig = repository.talconfig
    nodes = tuple(node for node in talconfig.nodes if node.name) if talconfig is not None else ()
    name = re.sub(r"[^a-z0-9-]+", "-", (name or called(repository)).lower()).strip("-") or "home-ops"
    parts = [
        _HEAD.format(editor=EDITOR_LINE, name=plain(name[:MOST].strip("-")), id=house_id, mark=FILL_IN),
        proxmox_text(found),
        nodes_text(nodes, found, shown(talconfig.file, repository.root) if talconfig is not None else ""),
        _image(nodes, found, talconfig.talos_version if talconfig is not None else ""),
        git_text(repository, guessed=guessed),
        _sops(repository),
        bootstrap,
        backups_text(repository),
        nas_text(repository.rendered),
        _LIMITS,
    ]
    return "\n".join(part for part in parts if part)


def _image(nodes: tuple[TalosNode, ...], found: FoundProxmox | None, version: str) -> str:
    if found is not None and found.image is not None:
        return _EARLIER.format(since=found.since, lines="\n".join(f"  {line}" for line in _image_lines(found.image, version)))
    known = usual_schematic(nodes) or f"{FILL_IN}{_WHERE}"
    if found is None or not found.image_storage:
        return _IMAGE.format(schematic=known, storage="local  # (usual); it needs content type `import`")
    first = f"  # no storage takes images yet; on any host: {found.enable_import}\n" if found.enable_import else ""
    return _IMAGE.format(schematic=known, storage=found.image_storage).replace("  storage:", f"{first}  storage:")


def _image_lines(image: ImageRecord, version: str) -> Iterator[str]:
    """As it was; one of a factory by its schematic, for its version is the repository's of now, and a checksum is of one."""
    if image.volume:
        yield f"volume: {plain(image.volume)}"
        return
    if made := _OF_A_FACTORY.fullmatch(image.url):
        yield from (f"factory: {made[1]}", f"schematic: {in_quotes(made[2])}")
        other = "" if made[3] == version else f"# of {made[3]}, and {version or 'another'} is to be made: "
        yield from ([f"{other}sha256: {image.sha256}"] if image.sha256 else [])
    else:
        yield f"url: {image.url}"
        yield from ([f"sha256: {image.sha256}"] if image.sha256 else [])
    yield f"storage: {plain(image.storage)}"


def _sops(repository: Repository) -> str:
    several = len(repository.age_recipients) > 1
    where = f"what `age-keygen -y age.key` prints, one of {', '.join(map(short, repository.age_recipients))}"
    own = f"  recipient: {FILL_IN}  # {where}\n" if several else ""
    return _SOPS + own


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

_EARLIER = """# The Talos image that system disks are imported from, as it was by the inventory of {since}.
image:
{lines}
"""

_SOPS = """# The age key whose public half is the recipient in .sops.yaml.
sops:
  age_key: ["env:SOPS_AGE_KEY", "file:age.key"]  # (usual)
"""

_LIMITS = """# How much at once, and how long to wait. These are the defaults.
limits:
  parallel: 8
  proxmox_parallel: 4
  restore_parallel: 4
  boot: 10m
  api: 10m
  release: 15m
  flux: 30m
  restore: 2h
"""
