"""What lacks for each verb by the settings, the repository, the programs and the keys of this machine. Asks no server.

Local sources of a secret are read: the environment, files, and files that sops opens with the age key. 1Password is a server.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.secrets.resolver import Secrets
from bootstrap.checks.repository.keys import to_mend
from console.doctor.nouns import Able, Lack, Of, able
from console.kit.secrets import of_backups, of_building
from console.opened.programs import refuse_unfit, searched
from engine.errors import BlackstartError, PreflightRefused
from engine.text.words import number
from house.files.paths import no_file
from house.files.problems import Problem, shown
from house.loader import Examined
from house.model import House, SecretRef
from house.repository.backups.left_out import left_out
from house.settings.reading import UNFILLED
from tools.locate import look
from tools.manifest import named

Named = Iterable[tuple[str, SecretRef]]


@dataclass(frozen=True)
class Subject:
    """One house as it was read: whole, and the part of the settings that looking at backups needs."""

    file: Path
    whole: Examined
    backups: Examined


def audit(subject: Subject, secrets: Secrets | None, *, ask: bool = False) -> Able:
    """dr.audit: settings of three sections, the programs that read the repositories, and what opens these."""
    house, lacks = subject.backups.house, list(of_settings(subject.backups))
    if house is not None:
        wanted = ["kubectl", *(["restic"] if house.claims else []), *(["kopia"] if house.kopia else [])]
        refs = [ref for _, ref in of_backups(house)]
        wanted += ["sops"] if any(source.startswith("sops:") for ref in refs for source in ref.sources) else []
        lacks += of_programs(wanted)
        lacks += of_secrets(of_backups(house), secrets, ask=ask)
        lacks += [Lack(line) for line in left_out(house.unaudited, house.second_backups, house.not_followed)]
        lacks += [Lack(f"{number(len(house.unread), 'part')} of the repository cannot be read")] if house.unread else []
        if not ask and (house.claims or house.kopia or house.archives):
            lacks.append(Lack("the stores of the backups", known=False))
    claims, archives = (len(house.claims) + len(house.kopia), len(house.archives)) if house is not None else (0, 0)
    good = f"{number(claims, 'backup')} of claims, {number(archives, 'archive')} of databases declared" if house else ""
    known = claims or archives or any(lack.known for lack in lacks)
    none = [] if known or house is None else [Lack("the repository declares no backup that is looked at")]
    return able("dr.audit", good, (*lacks, *none), yes="invoke dr.audit --lock", no=_mend(lacks, "invoke dr.audit"))


def plan(subject: Subject) -> Able:
    """cluster.plan --offline: settings and repository alone."""
    house, lacks = subject.whole.house, list(of_settings(subject.whole))
    if house is not None:
        lacks += _of_repository(house)
    good = f"{number(len(house.nodes), 'node')}, {number(len(house.releases), 'release')}" if house is not None else ""
    yes = "invoke cluster.plan --offline --runbook runbook.md"
    return able("cluster.plan --offline", good, lacks, yes=yes, no=_mend(lacks, "invoke cluster.plan --offline"))


def bootstrap(subject: Subject, secrets: Secrets | None, *, ask: bool = False) -> Able:
    """cluster.bootstrap: all programs, all keys, and then the house itself."""
    house, lacks = subject.whole.house, list(of_settings(subject.whole))
    if house is not None:
        lacks += [*_of_repository(house), *_of_run(house), *of_secrets(of_building(house), secrets, ask=ask)]
        if not ask:
            lacks.append(Lack("Proxmox, the image, Git and the charts", known=False))
    good = "settings, programs and keys are here" if house is not None else ""
    yes = "invoke cluster.plan" if ask else "invoke cluster.preflight"
    return able("cluster.bootstrap", good, lacks, yes=yes, no=_mend(lacks, "invoke cluster.preflight"))


def restoring(subject: Subject, secrets: Secrets | None, verb: str, yes: str, *, ask: bool = False, built: bool = False) -> Able:
    """dr.restore and dr.rehearse: the same keys, something that can be restored, and a cluster: `built` where that comes first."""
    house, lacks = subject.whole.house, list(of_settings(subject.whole))
    if house is not None:
        lacks += [*_of_run(house), *of_secrets(of_backups(house), secrets, ask=ask)]
        if not (house.claims or (house.restorable and verb == "dr.restore")):
            lacks.append(Lack("nothing is declared that it could bring back"))
        if not built and not (house.state_dir / "kubeconfig").is_file():
            lacks.append(Lack("no cluster of this house is known here: its state folder holds no kubeconfig"))
        elif not ask:
            lacks.append(Lack("the cluster, and the stores of the backups", known=False))
    good = f"{number(len(house.claims), 'claim')} declared" if house is not None else ""
    return able(verb, good, lacks, yes=yes, no=_mend(lacks, "invoke cluster.bootstrap"))


def of_settings(found: Examined) -> Iterator[Lack]:
    """What is to be filled in, counted by section, and how much is wrong."""
    unfilled = Counter(_section(one) for one in found.problems if one.what == UNFILLED)
    if unfilled:
        sections = ", ".join(f"{name} {count}" for name, count in unfilled.items())
        yield Lack(f"{number(unfilled.total(), 'value')} to fill in: {sections}", of=Of.SETTINGS)
    wrong = Counter(one.file for one in found.problems if one.what != UNFILLED)
    if wrong:
        files = ", ".join(f"{name} {count}" for name, count in list(wrong.items())[:3])
        yield Lack(f"{number(wrong.total(), 'problem')}: {files}{', and others' if len(wrong) > 3 else ''}", of=Of.SETTINGS)


def _section(problem: Problem) -> str:
    return problem.path.partition(".")[0].partition("[")[0]


def _mend(lacks: Iterable[Lack], otherwise: str) -> str:
    """What tells more of what lacks: of the settings the check, of programs the tools, else the verb itself."""
    of = {lack.of for lack in lacks if lack.known}
    return "invoke config.check" if Of.SETTINGS in of else "invoke tools.check" if Of.PROGRAM in of else otherwise


def _of_repository(house: House) -> Iterator[Lack]:
    """What a bootstrap refuses before it looks at anything."""
    bundle = house.cluster.secrets_bundle
    if told := no_file(bundle):
        yield Lack(f"{shown(bundle, house.root)} {told}; {to_mend(told)}")
    makers = [one for one in house.not_followed if one.makes_backups]
    yield from (Lack(line) for line in left_out(house.unaudited, (), tuple(makers)))
    if house.kopia:
        kopiur = len([one for one in house.kopia if one.by != "ReplicationSource"])
        yield Lack(f"{number(len(house.kopia), 'backup')} of kopia's: audited, and nothing here restores them")
        if kopiur:
            yield Lack(f"{number(kopiur, 'backup')} of kopiur's, which a run cannot hold")


def _of_run(house: House) -> Iterator[Lack]:
    """Programs that a run drives, and patches that talhelper refuses."""
    try:
        refuse_unfit(house)
    except PreflightRefused as no:
        patches = bool(house.refused_patches) and no.evidence == house.refused_patches
        yield from (Lack(line) if patches else Lack(f"program {line}", of=Of.PROGRAM) for line in no.evidence)


def of_programs(names: Iterable[str]) -> Iterator[Lack]:
    """Those of these programs that are not here, or do not fit."""
    for name in names:
        found = look(named(name))
        if not found.usable:
            yield Lack(f"program {name}: {found.why}", of=Of.PROGRAM)


def of_secrets(wanted: Named, secrets: Secrets | None, *, ask: bool) -> Iterator[Lack]:
    """One line for each reference that cannot be had, with all that it is for; without `ask` 1Password is not asked."""
    uses: dict[SecretRef, list[str]] = defaultdict(list)
    for what, ref in wanted:
        if ref.sources:
            uses[ref].append(what)
    for ref, whats in uses.items():
        lack = _of_secret(ref, secrets, ask=ask)
        if lack is not None:
            more = f" and {len(whats) - 1} more" if len(whats) > 1 else ""
            yield Lack(f"{whats[0]}{more}: {lack.told}", lack.known)


def _of_secret(ref: SecretRef, secrets: Secrets | None, *, ask: bool) -> Lack | None:
    remote = [source for source in ref.sources if source.startswith("op://")]
    local = ref if ask else SecretRef(tuple(source for source in ref.sources if source not in remote))
    if local.sources:
        try:
            if secrets is None:
                raise BlackstartError("nobody resolves secrets here")
            secrets.answer(local)
            return None
        except BlackstartError as error:
            if ask or not remote:
                first = error.evidence[0] if error.evidence else error.what
                return Lack(f"{ref.sources[0]}, {first}" if len(ref.sources) == 1 and error.evidence else first)
    if shutil.which("op", path=searched()) is None:
        return Lack("only 1Password has it, and op is not on this machine")
    return Lack("only 1Password has it, which was not asked", known=False)
