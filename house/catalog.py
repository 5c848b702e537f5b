"""The catalog: every claim the repository backs up, joined with how it is opened from here and what it must hold.

Knows no store: it opens nothing, it only says where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.text.words import number
from house.data.archives import Archive
from house.data.joining import SLACK_S
from house.data.recoveries import Recovery
from house.declared.openings import PLACEHOLDER, Opening, pattern, shadowed
from house.files.authority import ca_amiss
from house.files.problems import Problem, Steps, dotted, nearest_or_all
from house.files.yamlfile import Document
from house.model import BackedUpClaim, Requirement, SecretRef
from house.repository.backups.declared import DeclaredBackup
from house.settings.backups import BackupsSection, ClaimSection, DatabaseSection, OpenAsSection, RequirementSection
from house.settings.sections import DEFAULT_MAX_AGE, DEFAULT_MAX_LOG_AGE, DEFAULT_MAX_LOSS
from house.values.databases import Database, DatabaseArchive, DatabaseQuestion, RestorableDatabase
from house.values.sources import BackupSource

_OPENED_HERE = ("/", "s3:", "sftp:")
_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_OURS = (
    "RESTIC_REPOSITORY", "RESTIC_REPOSITORY_FILE", "RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND", "PATH",
    "LD_PRELOAD", "LD_LIBRARY_PATH",
)  # fmt: skip
Located = Callable[[str], str]
"""Makes a path of the settings file absolute."""


def catalog(
    backups: Iterable[DeclaredBackup],
    settings: BackupsSection,
    located: Located,
    secret: Callable[[SecretRef], SecretRef],
    ages: Mapping[str, float],
) -> tuple[BackedUpClaim, ...]:
    """One BackedUpClaim per declared backup. `located` makes paths absolute, `secret` the paths inside references; `ages` are the
    greatest ages in seconds that the sources' schedules allow, by claim."""
    openings = [Opening(rule, pattern(rule.seen)) for rule in settings.open_as]
    return tuple(_claim(backup, settings, openings, located, secret, ages) for backup in backups)


def _claim(
    backup: DeclaredBackup,
    settings: BackupsSection,
    openings: list[Opening],
    located: Located,
    secret: Callable[[SecretRef], SecretRef],
    ages: Mapping[str, float],
) -> BackedUpClaim:
    own = settings.claims.get(f"{backup.namespace}/{backup.claim}", ClaimSection())
    seen = own.repository or backup.mover_repository
    note = "" if seen else backup.repository_note
    first = opened_by(openings, seen, note)
    password = own.password or (first.rule.password if first.rule is not None else None) or settings.password

    def other(one: _Named) -> BackupSource:
        way = opened_by(openings, one.repository, one.note)
        given = one.password or (way.rule.password if way.rule is not None else None) or own.password or settings.password
        return BackupSource(
            one.secret, one.source, one.repository, way.address, secret(given) if given is not None else SecretRef(()),
            way.environment(secret), way.ca_file(located), one.declared_in, way.note, way.region, way.addressing, _age(one.gap),
        )  # fmt: skip

    by_schedule = ages.get(f"{backup.namespace}/{backup.claim}", DEFAULT_MAX_AGE)
    if backup.others and backup.gap is not None:
        by_schedule = _age(backup.gap)  # not the one of its sources that fires most often
    return BackedUpClaim(
        namespace=backup.namespace,
        claim=backup.claim,
        app=backup.app,
        destination=backup.destination,
        source=backup.source,
        trigger=backup.trigger,
        repository_secret=backup.repository_secret,
        mover_repository=seen,
        open_as=first.address,
        password=secret(password) if password is not None else SecretRef(()),
        environment=first.environment(secret),
        ca_file=first.ca_file(located),
        uid=backup.uid,
        gid=backup.gid,
        requirement=requirement_of(own, settings.defaults, by_schedule),
        flux_app=backup.flux_app,
        declared_in=backup.declared_in,
        git_restore_as_of=backup.restore_as_of,
        repository_note=first.note,
        copy_method=backup.copy_method,
        destination_app=backup.destination_app,
        capacity=backup.capacity,
        region=first.region,
        addressing=first.addressing,
        destination_secret=backup.destination_secret,
        others=tuple(other(one) for one in _others(backup, own)),
    )


@dataclass(frozen=True)
class Way:
    """How a repository is opened from here: by which rule (None: by none, and `note` says so) and at which address."""

    address: str
    rule: OpenAsSection | None
    note: str

    def environment(self, secret: Callable[[SecretRef], SecretRef]) -> tuple[tuple[str, SecretRef], ...]:
        return tuple((k, secret(v)) for k, v in self.rule.environment.items()) if self.rule is not None else ()

    def ca_file(self, located: Located) -> str:
        return located(self.rule.ca_file) if self.rule is not None and self.rule.ca_file else ""

    @property
    def region(self) -> str:
        return (self.rule.region or "") if self.rule is not None else ""

    @property
    def addressing(self) -> str:
        return self.rule.addressing if self.rule is not None else "path"


def opened_by(openings: list[Opening], seen: str, note: str) -> Way:
    """By the first rule that fits what a mover sees; `note` says why that is not known, where it is not."""
    for opening in openings if seen else ():
        fits = opening.address(seen)
        if fits is not None:
            return Way(fits, opening.rule, note)
    return Way("", None, f"no rule of backups.open_as fits {seen}" if seen else note)


@dataclass(frozen=True)
class _Named:
    """One more place of a claim as Git or the settings name it."""

    secret: str
    source: str
    repository: str
    note: str
    declared_in: str
    gap: float | None = None
    password: SecretRef | None = None


def _age(gap: float | None) -> float:
    """The age in seconds that the newest of a place may have, 0.0 for any: two intervals, and slack."""
    return 2 * gap + SLACK_S if gap is not None else 0.0


def _others(backup: DeclaredBackup, own: ClaimSection) -> Iterable[_Named]:
    """Git's first; what the settings say of a Secret goes before what Git says of it."""
    found = {
        one.repository_secret: _Named(
            one.repository_secret, one.source, one.mover_repository, one.repository_note, one.declared_in, one.gap
        )
        for one in backup.others
    }
    for said in own.sources:
        known = found.get(said.secret)
        if known is None:
            known = _Named(said.secret, "", "", "", backup.declared_in)
        found[said.secret] = replace(known, repository=said.repository, note="", password=said.password)
    return found.values()


def database_archives(
    found: Iterable[Archive],
    settings: BackupsSection,
    located: Located,
    secret: Callable[[SecretRef], SecretRef],
    ages: Mapping[str, float],
) -> tuple[DatabaseArchive, ...]:
    """One DatabaseArchive per database that archives; paths, references and ages as in `catalog`.

    What `defaults` say of claims is not asked: a base backup is not what comes back, its log is.
    """
    made = []
    for one in found:
        own = settings.databases.get(one.key, DatabaseSection())
        environment = tuple((name, secret(reference)) for name, reference in own.environment.items())
        ca_file = located(own.ca_file) if own.ca_file else ""
        max_age = own.max_age if own.max_age is not None else ages.get(one.key, DEFAULT_MAX_AGE)
        log_age = own.max_log_age if own.max_log_age is not None else DEFAULT_MAX_LOG_AGE
        note = "" if own.open else one.note
        made.append(DatabaseArchive(one.key, own.open or one.place, environment, ca_file, note, max_age, log_age))
    return tuple(made)


def restorable_databases(
    found: Iterable[Recovery],
    databases: Iterable[Database],
    settings: BackupsSection,
    located: Located,
    secret: Callable[[SecretRef], SecretRef],
) -> tuple[RestorableDatabase, ...]:
    """Each database that archives or recovers, with the archive that it would be made again from.

    Where the settings open what it archives to at another place, what it is read from lies beside that, under its own server name.
    """
    declared = {one.key: one for one in databases}
    made = []
    for one in found:
        own = settings.databases.get(one.reads.key, DatabaseSection())
        (source,) = database_archives((one.reads,), settings, located, secret, {})
        if own.open and one.recovers and one.reads.place:
            source = replace(source, place=f"{own.open.rstrip('/').rpartition('/')[0]}/{one.reads.place.rpartition('/')[2]}")
        questions = tuple(DatabaseQuestion(ask.sql, ask.expect, ask.database) for ask in own.probe)
        made.append(
            RestorableDatabase(
                declared[one.reads.key], source, one.writes, one.manifest, one.target, one.secret, one.generated, one.user,
                one.database, questions, one.over_itself,
            )
        )  # fmt: skip
    return tuple(made)


def check_databases(
    document: Document, settings: BackupsSection, found: Iterable[Archive], located: Located
) -> Iterable[Problem]:
    """What is wrong with `backups.databases` when it is held against the repository."""
    known = list(dict.fromkeys(one.key for one in found))
    for key, own in settings.databases.items():
        told: list[tuple[str, str, str]] = []
        told += [("probe", "has a command of psql's own", "write SQL alone") for ask in own.probe if _psql(ask.sql)]
        if key not in known:
            told.append(("", "is no database that archives, or recovers from an archive", nearest_or_all(key, known)))
        if own.open is not None and not own.open.startswith("s3:"):
            told.append(("open", "is nothing that an archive is opened at", "write s3:https://HOST/BUCKET/PATH/SERVER"))
        lacking = [name for name in _S3_KEYS if name not in own.environment]
        told += [("environment", f"has no {name}", f"S3 needs it: add `{name}: env:{name}`") for name in lacking]
        if own.ca_file and (wrong := ca_amiss(Path(located(own.ca_file)))) is not None:
            told.append(("ca_file", *wrong))
        for part, what, better in told:
            where: Steps = ("backups", "databases", key, part) if part else ("backups", "databases", key)
            yield Problem(document.name, document.line(where), dotted(where), what, better)


def _psql(sql: str) -> bool:
    """Whether it holds a command of psql's own, which could run a program."""
    return any(line.lstrip().startswith("\\") for line in sql.splitlines())


def requirement_of(
    own: RequirementSection, defaults: RequirementSection, by_schedule: float = DEFAULT_MAX_AGE
) -> Requirement:
    """What a claim must come back with: its own words, else the defaults'. `by_schedule` is the greatest age in seconds else."""
    data = own.data or defaults.data or "required"
    ages = [age for age in (own.max_age, defaults.max_age, by_schedule) if age is not None]
    sizes = [size for size in (own.min_bytes, defaults.min_bytes, 0) if size is not None]
    since = own.normal_since or defaults.normal_since or 0.0
    shares = [share for share in (own.max_loss, defaults.max_loss, DEFAULT_MAX_LOSS) if share is not None]
    return Requirement(
        required=data == "required", max_age=ages[0], min_bytes=sizes[0], normal_since=since, max_loss=shares[0]
    )


def check_backups(
    document: Document,
    settings: BackupsSection,
    backups: Iterable[DeclaredBackup],
    located: Located,
    also: Iterable[str] = (),
    unseen: int = 0,
) -> tuple[Problem, ...]:
    """What is wrong with the backups section when it is held against the repository. `also` are claims that kopia backs up;
    `unseen` is how many parts of the repository were not read: of a claim that is not seen nobody knows then."""
    problems: list[Problem] = []

    def wrong(where: Steps, what: str, better: str) -> None:
        problems.append(Problem(document.name, document.line(where), dotted(where), what, better))

    backups = tuple(backups)
    known = [*(f"{b.namespace}/{b.claim}" for b in backups), *also]
    mine = {f"{b.namespace}/{b.claim}": b.repository_secret for b in backups}
    for key, own in settings.claims.items():
        if key not in known:
            hidden = f"is seen to back up: {number(unseen, 'part')} of it could not be read" if unseen else "backs up"
            what = f"is no claim that the repository {hidden}"
            wrong(("backups", "claims", key), what, nearest_or_all(key, known))
        named = [mine.get(key, ""), *(one.secret for one in own.sources)]
        for index, one in enumerate(own.sources):
            if one.secret in named[: index + 1]:
                where: Steps = ("backups", "claims", key, "sources", index, "secret")
                wrong(where, f"{one.secret} is what this claim has already", "name the Secret of another place, or leave it out")
    for index, rule in enumerate(settings.open_as):
        for key, what, better in _rule_problems(rule, settings, located):
            wrong(("backups", "open_as", index, key), what, better)
    for index, first in shadowed(settings.open_as):
        wrong(("backups", "open_as", index, "seen"), f"is never used: rule {first} fits all that it fits", "put it before that one")
    return tuple(problems)


def _rule_problems(rule: OpenAsSection, settings: BackupsSection, located: Located) -> Iterable[tuple[str, str, str]]:
    names = {m[1] for m in PLACEHOLDER.finditer(rule.seen) if m[1]}
    for part in PLACEHOLDER.finditer(rule.open or ""):
        if part[1] is None:
            yield "open", "a * cannot be filled in", "name it in seen, as in {app}"
        elif part[1] not in names:
            yield "open", f"{{{part[1]}}} is not in seen", nearest_or_all(part[1], sorted(names))
    if rule.open is not None and re.search(r"[{}]", PLACEHOLDER.sub("", rule.open)):
        yield "open", "has a brace that begins or ends no name", "write a part of seen as {name}, and no other brace"
    opened = rule.open or rule.seen
    if rule.open is None and "{{" in opened:
        better = "add open, as in `open: sftp:backup@nas:/tank/{app}`"
        yield "seen", "has a part that only the cluster knows, and open does not say what it is", better
    elif rule.open is None and opened.startswith("/"):
        yield "seen", "is a path inside the mover, and open does not say where that is", "add open, as in `open: /mnt/backup/{app}`"
    elif not opened.startswith(_OPENED_HERE) and not opened.startswith(("{", "*")):
        key = "open" if rule.open is not None else "seen"
        yield key, "is nothing that can be opened from here", "write s3:…, sftp:… or an absolute path"
    if rule.password is None and settings.password is None:
        yield "password", "is missing, and backups.password too", "give a reference, as in `password: env:RESTIC_PASSWORD`"
    for key in rule.environment:
        if key in _OURS or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", key):
            yield "environment", f"{key} cannot be set here", "use password and open, or a variable's name in capitals"
    if opened.startswith("s3:"):
        for key in _S3_KEYS:
            if key not in rule.environment:
                yield "environment", f"has no {key}", f"S3 needs it: add `{key}: env:{key}`"
    if rule.ca_file and (wrong := ca_amiss(Path(located(rule.ca_file)))) is not None:
        yield "ca_file", *wrong
