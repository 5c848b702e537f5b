"""Makes a House of blackstart.yaml and the repository it points to, or tells everything that stands in the way at once.

Every verb begins here. Reads files, and builds them with the kustomize that is handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from engine.errors import SettingsInvalid
from house.catalog import catalog, check_backups, check_databases, database_archives, restorable_databases
from house.data.archives import archives
from house.data.joining import base_schedules, declared_data, schedules, unprotected_problems
from house.data.nouns import DeclaredData
from house.data.recoveries import over_themselves, recoveries
from house.declared.bootstrapping import Brought, brought, with_flux_keys
from house.declared.dns_declared import declared_dns
from house.declared.from_sections import (
    cluster_of,
    evidence_of,
    flux_of,
    image_of,
    kit_of,
    limits_of,
    messages_of,
    node_of,
    own_image,
    proxmox_of,
)
from house.declared.kinds import declared_kinds
from house.declared.kopia import kopia_claims, kopia_keys
from house.declared.nas_declared import declared_nas
from house.declared.openings import odd_backups, shared_repositories
from house.files.paths import expanded, is_file, is_folder, is_link, is_there
from house.files.problems import Problem, refuse, shown
from house.files.shapes import mapping
from house.files.yamlfile import Document
from house.flux.building import Builder
from house.flux.rendered import NotFollowed
from house.known.lock import LOCK_FILE, outgrown, read_lock
from house.model import BackedUpClaim, House, Node, ProxmoxAccess, SecretRef, TalosImage
from house.repository.backups.left_out import chart_subject
from house.repository.backups.mover_policies import mover_policies
from house.repository.choosing import entry_of, entry_problems
from house.repository.helmfiles.needs import handed_on, lacking, opens_sops, plugins
from house.repository.programs import declared_programs
from house.repository.talconfigs.machine import machine_settings
from house.repository.talconfigs.talconfig import Talconfig, no_talconfig, read_talconfig, talconfig_of
from house.repository.tree import Tree
from house.repository.whole import Repository, read_repository
from house.rules.contradictions import contradictions
from house.rules.crossrules import cross_problems, odd_nodes
from house.settings.backups import BackupsSection
from house.settings.places import Places, ca_problems
from house.settings.reading import ReadSettings, read_settings, section_alone
from house.settings.rehearsal import ObjectivesSection, RehearsalSection, check_rehearsal, rehearsal_of
from house.settings.sections import BackupsPart, BootstrapSection, Settings
from house.settings.unfinished import accepted_of, bootstrap_of, nas_of, read_unfinished, unfinished
from house.settings.values import path_of
from house.values.afterwards import NO_ETCD, NO_EVIDENCE, NO_KIT, NO_MESSAGES, EtcdSnapshots
from house.values.databases import DatabaseArchive
from house.values.rehearsing import NO_REHEARSAL

SETTINGS_FILE = "blackstart.yaml"
_NOTHING_FIRST = Brought((), (), ())
_CHECKOUT = Path(__file__).resolve().parent.parent


class Part(Enum):
    """How much of the file must be right: all of it, what looking at backups needs (the rest may be unfinished), or no more than
    which house it is, for what Git alone tells."""

    ALL = "all"
    BACKUPS = "backups"
    GIT = "git"


@dataclass(frozen=True)
class Examined:
    """What came of reading a settings file and its repository: the house, None with `problems` (told all at once, of one section
    though another is unfinished); and what was noted on the way, also where there is no house."""

    house: House | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def load(settings_file: Path, builder: Builder, part: Part = Part.ALL) -> House:
    """The house of this settings file. With Part.BACKUPS it has no nodes and no Proxmox access, and may be without a
    talconfig; with Part.GIT sections that are not right are left out besides, and named in `unfinished`.

    Raises SettingsInvalid whose evidence holds every problem, one line each: `file:line: path: what; what would be right`.
    """
    found = examine(settings_file, builder, part)
    if found.house is None:
        raise refuse(found.problems, shown(expanded(settings_file), Path.cwd()))
    return found.house


def examine(settings_file: Path, builder: Builder, part: Part = Part.ALL) -> Examined:
    """The same, its problems as a value. Raises SettingsInvalid where there is no such file."""
    settings_file = expanded(settings_file)
    _refuse_no_file(settings_file)
    read: ReadSettings[Settings] | ReadSettings[BackupsPart]
    read = read_settings(settings_file, Settings) if part is Part.ALL else _partly(settings_file, part)
    problems = list(read.problems)
    root = _root(read.document, settings_file.parent, problems)
    entry = entry_of(read.document)
    repository = read_repository(root, builder, entry) if root is not None else None
    places, first = Places(settings_file.parent), _NOTHING_FIRST
    if read.document is not None and repository is not None:
        problems += entry_problems(read.document, repository, entry)
        if part is Part.ALL:
            problems += repository.problems
        if part is Part.ALL and isinstance(read.document.value, dict):
            found = (*cross_problems(read.document, repository), *contradictions(read.document, repository, settings_file.parent))
            problems += _unmarked(found, read.problems)
            problems += [*ca_problems(read.document, places), *lacking(read.document, repository.root)]
            first = _brought(read.document, read.settings, places)
            problems += first.problems
            problems += _of_rehearsals(read.document, repository)
        problems += _of_backups(read, repository, places) if part is not Part.GIT else ()
        # What is built must be seen whole; an audit looks at what it sees, and says what it did not. Yet when the settings
        # are refused, say that a claim is not known, this may be why.
        if (part is Part.ALL and repository.source.path) or problems or repository.blind:
            problems += repository.unread
    if problems or read.settings is None or repository is None or read.document is None:
        seen = repository.notes if repository is not None else ()
        return Examined(None, tuple(sorted(set(problems))), tuple(note for note in seen if note not in problems))
    if part is Part.GIT and (section := bootstrap_of(read.document)) is not None:
        first = brought(read.document, section, places.path, places.secret)
    made = _house(settings_file, read.settings, repository, places, first)
    accepted = tuple(read.settings.lint.accepted.items()) if isinstance(read.settings, Settings) else ()
    if part is Part.GIT:
        accepted = tuple(accepted_of(read.document).items())
        nas = declared_nas(nas_of(read.document), repository.rendered, places.path, places.secret)
        made = replace(made, nas=nas, unfinished=unfinished(read.document) or ("what it says of this repository",))
    machine = machine_settings(made.root, made.cluster.talconfig)
    made = replace(made, rendered=repository.rendered, machine=machine, lint_accepted=accepted)
    ages = schedules(repository.rendered)
    odd = (*odd_nodes(read.document, made), *odd_backups(read.document, read.settings.backups, (*made.claims, *made.kopia), ages))
    notes = (*repository.notes, *shared_repositories(made.claims), *_outgrown(settings_file, made.claims), *odd)
    notes += tuple(over_themselves(made.restorable))
    return Examined(replace(made, notes=tuple(map(str, notes))), (), notes)


def _partly(settings_file: Path, part: Part) -> ReadSettings[BackupsPart]:
    return read_unfinished(settings_file) if part is Part.GIT else read_settings(settings_file, BackupsPart)


def _brought(document: Document, whole: Settings | BackupsPart | None, places: Places) -> Brought:
    """What the section `bootstrap` brings, also where another section is unfinished."""
    section = whole.bootstrap if isinstance(whole, Settings) else section_alone(document, "bootstrap", BootstrapSection)
    return brought(document, section, places.path, places.secret) if section is not None else _NOTHING_FIRST


def _of_backups(
    read: ReadSettings[Settings] | ReadSettings[BackupsPart], repository: Repository, places: Places
) -> Iterator[Problem]:
    """What of the section `backups` does not fit the repository, also where another section is unfinished."""
    document = read.document
    if document is None or repository.blind:
        return
    backups = read.settings.backups if read.settings is not None else section_alone(document, "backups", BackupsSection)
    if backups is None:
        return
    unseen = len(repository.unread) + len(repository.rendered.not_followed)
    yield from check_backups(document, backups, repository.declared.backups, places.path, kopia_keys(repository.rendered), unseen)
    known = (*archives(repository.rendered), *(one.reads for one in recoveries(repository.rendered)))
    yield from check_databases(document, backups, known, places.path)
    yield from unprotected_problems(document, backups.unprotected, _data(repository, backups))


def _of_rehearsals(document: Document, repository: Repository) -> Iterator[Problem]:
    """What of the sections `rehearsal` and `objectives` does not fit the repository, also where another section is unfinished."""
    section = section_alone(document, "rehearsal", RehearsalSection)
    objectives = section_alone(document, "objectives", ObjectivesSection)
    if not repository.blind:
        claims = (f"{one.namespace}/{one.claim}" for one in repository.declared.backups)
        yield from check_rehearsal(document, section, objectives, claims)


def repository_of(settings_file: Path) -> Path:
    """The folder of the repository that a settings file names, its own where it names none; whatever else is wrong in it."""
    folder = expanded(settings_file).resolve().parent
    return _root(read_settings(expanded(settings_file), BackupsPart).document, folder, []) or folder


def talconfig_named(settings_file: Path) -> Talconfig | None:
    """talconfig.yaml of the repository that a settings file points to, whatever else is unfinished in it.

    Raises SettingsInvalid when there is no such file or no such folder.
    """
    settings_file = expanded(settings_file)
    _refuse_no_file(settings_file)
    read = read_settings(settings_file, BackupsPart)
    problems: list[Problem] = []
    root = _root(read.document, settings_file.parent, problems)
    if root is None:
        raise refuse(problems or read.problems, shown(settings_file, Path.cwd()))
    root = root.resolve()
    return read_talconfig(root, talconfig_of(root, Tree(root).manifests(), entry_of(read.document)))[0]


def _refuse_no_file(file: Path) -> None:
    """Which file is meant comes before what is in it."""
    told = shown(file, Path.cwd())
    inside = file / SETTINGS_FILE
    if is_folder(file):
        better = f"name the file in it: {shown(inside, Path.cwd())}" if is_file(inside) else f"it holds no {SETTINGS_FILE}"
        raise refuse([Problem(told, 0, "", "is a folder", better)], told)
    if not is_there(file):
        if is_link(file):
            better = "mount what it leads to, or name the file itself"
            raise refuse([Problem(told, 0, "", "is a link that leads nowhere", better)], told)
        raise SettingsInvalid(
            f"there are no settings at {told}",
            evidence=(str(Problem(told, 0, "", "is not there", "name the file with --settings, or write one")),),
            hint="a first one is written into the home-ops repository by `invoke config.init --repo PATH`",
            next_command="invoke config.init --repo PATH",
        )


def _root(document: Document | None, folder: Path, problems: list[Problem]) -> Path | None:
    """The repository's folder, also when the settings have problems of their own: all problems are told at once."""
    if document is None:
        return None
    named = mapping(mapping(document.value).get("house")).get("repository", ".")
    if not isinstance(named, str):
        return None
    try:
        root = folder / Path(path_of(named)).expanduser()
    except ValueError:  # told with the problems of the settings
        return None
    if not is_folder(root):
        line = document.line(("house", "repository"))
        problems.append(Problem(document.name, line, "house.repository", f"{named} is no folder", "name the home-ops repository"))
        return None
    return root


def _unmarked(found: tuple[Problem, ...], told: tuple[Problem, ...]) -> list[Problem]:
    """Problems at places where nothing has been told yet: one message per place is enough."""
    places = {(p.file, p.path) for p in told}
    return [p for p in found if (p.file, p.path) not in places]


def _house(
    file: Path, settings: Settings | BackupsPart, repository: Repository, places: Places, first: Brought
) -> House:
    section = settings.house
    ages = schedules(repository.rendered)
    claims = catalog(repository.declared.backups, settings.backups, places.path, places.secret, ages)
    whole = settings if isinstance(settings, Settings) else None
    talconfig = repository.talconfig or no_talconfig(repository.root)
    flux, age_key = flux_of(whole, repository, places), places.secret(settings.sops.age_key)
    return House(
        id=section.id,
        name=section.name,
        simulated=section.simulated,
        settings_file=file,
        root=repository.root,
        state_dir=Path(places.path(section.state)) if section.state else _CHECKOUT / "state" / section.name,
        proxmox=proxmox_of(whole.proxmox, places) if whole is not None else ProxmoxAccess((), "", SecretRef(())),
        nodes=_nodes(whole, talconfig, places) if whole is not None else (),
        image=image_of(whole.image, talconfig, places) if whole is not None else TalosImage("", "", "", ""),
        cluster=cluster_of(talconfig),
        helmfile=repository.helmfile,
        releases=repository.releases,
        namespaces=tuple(sorted({*repository.namespaces, *first.namespaces})),
        flux=flux,
        flux_apps=repository.apps,
        age_key=age_key,
        age_recipient=settings.sops.recipient or next(iter(repository.age_recipients), ""),
        claims=claims,
        kopia=kopia_claims(repository.rendered, settings.backups, places.path, places.secret, ages, claims),
        unsupported=repository.declared.unsupported,
        second_backups=repository.declared.second,
        not_followed=_not_followed(repository, settings.backups),
        limits=limits_of(settings.limits),
        databases=repository.declared.databases,
        archives=_archives(repository, settings.backups, places),
        restorable=restorable_databases(
            recoveries(repository.rendered), repository.declared.databases, settings.backups, places.path, places.secret
        ),
        data=_without_known(_data(repository, settings.backups), settings.backups.not_followed),
        unprotected=tuple(settings.backups.unprotected.items()),
        crd_helmfile=repository.crd_helmfile,
        crd_charts=repository.crd_charts,
        crd_sources=first.crd_sources,
        secrets=with_flux_keys(first.secrets, flux, age_key, repository.decryption),
        refused_patches=tuple(map(str, talconfig.refused)),
        unread=tuple(map(str, repository.unread)),
        nas=declared_nas(whole.nas, repository.rendered, places.path, places.secret) if whole is not None else (),
        dns=declared_dns(whole.dns, repository.rendered) if whole is not None else (),
        mover_policies=mover_policies(repository.rendered),
        kinds=declared_kinds(repository.rendered, frozenset(release.key for release in repository.releases)),
        programs=declared_programs(repository.rendered, ((r.namespace, r.name, r.chart) for r in repository.releases)),
        helmfile_environment=handed_on(whole.bootstrap.environment, file.parent) if whole is not None else (),
        helmfile_opens_sops=opens_sops(repository.root),
        helm_plugins=tuple(plugins(repository.root).items()),
        evidence=evidence_of(whole.evidence, places) if whole is not None else NO_EVIDENCE,
        messages=messages_of(whole.messages, places) if whole is not None else NO_MESSAGES,
        rehearsal=rehearsal_of(whole.rehearsal, whole.objectives, places.path) if whole is not None else NO_REHEARSAL,
        etcd=EtcdSnapshots(tuple(whole.etcd.recipients.items()), whole.etcd.keep) if whole is not None else NO_ETCD,
        kit=kit_of(whole.kit) if whole is not None else NO_KIT,
    )


def _archives(repository: Repository, backups: BackupsSection, places: Places) -> tuple[DatabaseArchive, ...]:
    found, ages = archives(repository.rendered), base_schedules(repository.rendered)
    return database_archives(found, backups, places.path, places.secret, ages)


def _nodes(whole: Settings, talconfig: Talconfig, places: Places) -> tuple[Node, ...]:
    """Every node of talconfig, with what the settings say of it."""
    return tuple(
        node_of(one, (said := whole.nodes[one.name]), whole.node_defaults, own_image(said, whole.image, talconfig, places))
        for one in talconfig.nodes
    )


def _outgrown(file: Path, claims: tuple[BackedUpClaim, ...]) -> list[Problem]:
    """Nothing where the lock file is not one: the verbs that need it say so, and the others must go on."""
    with suppress(SettingsInvalid):
        return outgrown(read_lock(file.with_name(LOCK_FILE)), claims)
    return []


def _data(repository: Repository, backups: BackupsSection) -> DeclaredData:
    audited = [f"{one.namespace}/{one.claim}" for one in repository.declared.backups]
    return declared_data(repository.rendered, audited, repository.declared.databases, backups.unprotected)


def _not_followed(repository: Repository, backups: BackupsSection) -> tuple[NotFollowed, ...]:
    """What declares something that nobody has seen, without that of which a person has said what it is; backups always."""
    found = repository.rendered.not_followed
    return tuple(one for one in found if one.makes_backups or not backups.not_followed.get(one.subject, "").strip())


def _without_known(data: DeclaredData, said: Mapping[str, str]) -> DeclaredData:
    """The data without the charts of which a person has said what they make."""
    return replace(data, charts=tuple(one for one in data.charts if not said.get(chart_subject(one), "").strip()))
