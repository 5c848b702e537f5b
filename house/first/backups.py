"""The section `backups` of a first settings file: what the repository shows of each backup, and marks for the rest. Asks nobody."""

from __future__ import annotations

import math

from house.data.archives import archives
from house.data.joining import base_schedules, declared_data
from house.data.nouns import DeclaredData
from house.files.scalars import in_quotes, plain
from house.first.kopia import KOPIA_PASSWORD, kopia_rules, kopia_told, opened_by_rules
from house.first.opening_rules import rules
from house.repository.backups.left_out import left_out, looked_into_by_setting, said_by_setting
from house.repository.whole import Repository
from house.settings.sections import DEFAULT_MAX_AGE
from house.settings.values import FILL_IN

_OPEN = "  # the same folder as this machine reaches it: sftp:user@nas:/path/{app}, /mnt/path/{app} or s3:https://…"
_KEY = "  # reference to the store's credential, as the mover's Secret has it: env:NAME, sops:PATH#KEY or op://…"


def backups_text(repository: Repository) -> str:
    """The section `backups` for this repository."""
    backups = repository.declared.backups
    audited = [f"{one.namespace}/{one.claim}" for one in backups]
    data = declared_data(repository.rendered, audited, repository.declared.databases, {})
    places = (place for one in backups for place in (one, *one.others))
    patterns = rules((place.mover_repository, (place.app, place.claim)) for place in places if place.mover_repository)
    told = "".join(f"# In the cluster, the restic password comes from {each}.\n" for each in repository.hints.passwords)
    kopia = opened_by_rules(repository)
    alone = bool(kopia) and not backups
    password = KOPIA_PASSWORD if alone else "reference to the restic password, as in op://vault/item/RESTIC_PASSWORD"
    lines = [_BACKUPS.format(mark=FILL_IN if backups or kopia else "env:RESTIC_PASSWORD", told=told, password=password)]
    lines.append("  open_as:" if patterns or kopia else "  open_as: []")
    for pattern in patterns:
        lines.append(f"    - seen: {in_quotes(pattern)}")
        if pattern.startswith(("s3:", "sftp:")) and "{{" in pattern:
            lines.append(f"      open: {FILL_IN}  # the same without {{{{ … }}}}, which only the cluster can fill in")
        if pattern.startswith("s3:"):
            lines.append("      environment:")
            lines += [f"        {key}: {FILL_IN}{_KEY}" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        elif not pattern.startswith("sftp:"):
            lines.append(f"      open: {FILL_IN}{_OPEN}")
            lines += [f"      # In the cluster, movers have mounted {each}." for each in repository.hints.stores]
    lines += kopia_rules(repository, alone=alone, key=_KEY, taken=patterns)
    lines.append(_CLAIMS)
    unknown = [b for b in backups if not b.mover_repository]
    lines.append("  claims:" if unknown else "  claims: {}")
    for backup in unknown:
        lines.append(f"    {plain(f'{backup.namespace}/{backup.claim}')}:")
        lines.append(f"      repository: {FILL_IN}  # {backup.repository_note}")
    audited_too = {(one.made_by.namespace, one.claim, one.made_by.declared_in) for one in kopia}
    others = tuple(one for one in repository.declared.unsupported if (one.namespace, one.name, one.declared_in) not in audited_too)
    unseen = left_out(others, repository.declared.second, repository.rendered.not_followed, data.charts)
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
    if not alone and (backups or not (repository.unread or others)):
        lines.append(f"  # Claims that {'restic' if kopia else 'the repository'} backs up: {known}.")
    lines += kopia_told(repository)
    lines += _databases(repository)
    lines += _bare(data)
    return "\n".join(lines) + "\n"


def _databases(repository: Repository) -> list[str]:
    """Each database that archives, with its place, and marks for what opens it."""
    found, ages, lines = archives(repository.rendered), base_schedules(repository.rendered), list[str]()
    if found:
        lines += ["  # Archives of databases: base backups and log are looked at, and told with their age.", "  databases:"]
    for archive in found:
        lines.append(f"    {plain(archive.key)}:  # {archive.place or archive.note}")
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
        lines.append(f"  #   {plain(one.said_as)}: REASON  # {told}")
    lines += [f"  #   {plain(one.said_as)}: REASON  # {one.word}: {one.by}, {one.declared_in}" for one in data.paused]
    return lines


_BACKUPS = """# How backups are opened from this machine, before anything is built.
{told}backups:
  password: {mark}  # {password}
  # `seen` is what the mover sees; {{name}} stands for text without a slash, * for any. Without `open` it is opened as it is."""

_CLAIMS = """  # What every claim must come back with; a claim may differ below, as in
  #   claims: {tools/notes: {data: may-be-empty, max_age: any}}
  # How old the newest may be follows from each source's schedule; max_age says otherwise, as in {max_age: 36h}.
  defaults:
    data: required
    min_bytes: 0
    max_loss: 1%  # of its files may be gone when it is released after a restore, and in its first backup"""
