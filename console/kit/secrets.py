"""Which secrets a house needs to be rebuilt, and where each is to be had. Names references; resolves none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path

from console.kit.nouns import KeptSecret
from house.model import House, SecretRef


def secrets_of(house: House, common: Path) -> tuple[KeptSecret, ...]:
    """Every secret once by where it is had from, with all that it is for. Files below `common` are named as seen from there."""
    told: dict[tuple[str, ...], list[str]] = {}
    for what, ref in named_references(house):
        if ref.sources:
            told.setdefault(ref.sources, []).append(what)
    return tuple(
        KeptSecret("; ".join(dict.fromkeys(what)), tuple(source.replace(f":{common}/", ":", 1) for source in sources))
        for sources, what in told.items()
    )


def named_references(house: House) -> Iterable[tuple[str, SecretRef]]:
    """What each reference of the house is for, in the order in which a rebuild needs it."""
    yield from of_building(house)
    yield from of_backups(house)
    for nas in house.nas:
        yield f"the API key of {nas.username} on the NAS {nas.name}", nas.api_key
    for ref in house.messages.to:
        yield "the URL that messages go to", ref


def of_building(house: House) -> Iterable[tuple[str, SecretRef]]:
    """What a bootstrap needs."""
    yield "the age key that opens the repository's secrets", house.age_key
    yield f"the secret of Proxmox' API token {house.proxmox.token_id}", house.proxmox.token_secret
    if house.flux.deploy_key is not None:
        yield f"the deploy key that Flux pulls {house.flux.url} with", house.flux.deploy_key
    for secret in house.secrets:
        for key, ref in secret.keys:
            yield f"{key} of Secret {secret.key}", ref


def of_backups(house: House) -> Iterable[tuple[str, SecretRef]]:
    """What opens the backups."""
    for claim in (*house.claims, *house.kopia):
        yield f"the password of the backup of {claim.key}", claim.password
        for variable, ref in claim.environment:
            yield f"{variable} of the backup of {claim.key}", ref
    for archive in house.archives:
        for variable, ref in archive.environment:
            yield f"{variable} of the archive of {archive.key}", ref


def every_reference(value: object) -> set[SecretRef]:
    """All references anywhere in a value: what the names above must cover."""
    if isinstance(value, SecretRef):
        return {value} if value.sources else set()
    if is_dataclass(value) and not isinstance(value, type):
        return set().union(*(every_reference(getattr(value, field.name)) for field in fields(value)))
    if isinstance(value, tuple | list | frozenset):
        return set().union(*map(every_reference, value)) if value else set()
    return set()


def files_of(value: object) -> set[str]:
    """Every file of a certificate authority anywhere in a value: public, and needed."""
    if is_dataclass(value) and not isinstance(value, type):
        found: set[str] = set()
        for field in fields(value):
            inner = getattr(value, field.name)
            found |= {inner} - {""} if field.name == "ca_file" and isinstance(inner, str) else files_of(inner)
        return found
    if isinstance(value, tuple | list | frozenset):
        return set().union(*map(files_of, value)) if value else set()
    return set()
