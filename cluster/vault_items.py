"""Whether every item and field that Git has external-secrets fetch from 1Password is there: asked of the vault itself, by op.

A store that is ready says that its token is taken, and a Secret that was made says that its item was there once: what a rebuild
would fetch anew is told by neither.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.context import LookContext
from adapters.vault.port import VaultItem
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.text.ages import age_of
from engine.text.lengths import span
from engine.text.words import number
from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered, RenderedObject
from house.model import House

_GROUP = "external-secrets.io"
_JUST_NOW_S = 600.0
"""What was seen no longer ago may have been seen by this very look: op takes a second or more for each item."""


@dataclass(frozen=True)
class Wanted:
    """A field (or "", the item alone) that something in Git is made of."""

    item: VaultItem
    field: str
    declared_in: str

    @property
    def told(self) -> str:
        """What a person calls it."""
        return f"{self.item.item}: {self.field}" if self.field else self.item.item


def wanted(rendered: Rendered) -> tuple[Wanted, ...]:
    """What Git names of 1Password, each once. What a pattern finds, and a name with a variable, is left out."""
    vaults = {(one.kind, one.namespace if one.kind == "SecretStore" else "", one.name): _vaults(one)
              for one in rendered.of_kind(_GROUP, "SecretStore", "ClusterSecretStore")}  # fmt: skip
    found: dict[tuple[VaultItem, str], Wanted] = {}
    for one in rendered.of_kind(_GROUP, "ExternalSecret", "ClusterExternalSecret"):
        spec = mapping(one.spec.get("externalSecretSpec")) if one.kind == "ClusterExternalSecret" else one.spec
        for ref, store in _references(spec):
            kind = str(store.get("kind") or "SecretStore")
            sdk, names = vaults.get((kind, one.namespace if kind == "SecretStore" else "", str(store.get("name"))), (False, ()))
            item, field = _named(ref, sdk=sdk)
            if names and item and "${" not in f"{item}{field}":
                made = Wanted(VaultItem(names, item), field, one.declared_in)
                found.setdefault((made.item, field), made)
    return tuple(found.values())


def _vaults(store: RenderedObject) -> tuple[bool, tuple[str, ...]]:
    """Whether keys are written as the SDK's provider has them (`item/field`), and the vaults in their order; none for another's."""
    provider = mapping(store.spec.get("provider"))
    if sdk := mapping(provider.get("onepasswordSDK")):
        return True, (str(sdk.get("vault")),) if sdk.get("vault") else ()
    vaults = mapping(mapping(provider.get("onepassword")).get("vaults"))
    return False, tuple(sorted(map(str, vaults), key=lambda name: str(vaults.get(name)).zfill(9)))


def _references(spec: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    own = mapping(spec.get("secretStoreRef"))
    for entry in map(mapping, sequence(spec.get("data"))):
        yield mapping(entry.get("remoteRef")), mapping(mapping(entry.get("sourceRef")).get("storeRef")) or own
    for entry in map(mapping, sequence(spec.get("dataFrom"))):
        yield mapping(entry.get("extract")), mapping(mapping(entry.get("sourceRef")).get("storeRef")) or own


def _named(ref: Mapping[str, Any], *, sdk: bool) -> tuple[str, str]:
    key, field = str(ref.get("key") or ""), str(ref.get("property") or "")
    if not sdk:
        return key, field
    item, _, rest = key.partition("/")
    return item, rest.replace("/", ".")


@dataclass(frozen=True)
class VaultItems(BaseCheck):
    """Only warns, as what is in the cluster stays there."""

    wanted: tuple[Wanted, ...]
    most: int
    id = StepId("vault.items")
    title = "what Git names of 1Password is there"
    severity = Severity.ADVISORY

    def probe(self, look: LookContext) -> Probe:
        items: dict[VaultItem, list[str]] = {}
        for one in self.wanted:
            items.setdefault(one.item, []).extend([one.field] if one.field else [])
        seen = {one.asked: one for one in look.vault.look(items, self.most)}
        silent = [one for one in seen.values() if one.why]
        lacking = [*self._lacking({item: one.fields for item, one in seen.items() if not one.why})]
        if lacking:
            more = [f"{number(len(silent), 'item was', 'items were')} not asked: {silent[0].why}"] if silent else []
            hint = "a rebuild would wait for it: put it back into the vault, or take it out of Git"
            return drifted(f"{number(len(lacking), 'thing')} that Git names the vault has not", *lacking, *more, hint=hint)
        if silent:
            return unknown(f"{len(silent)} of {number(len(items), 'item')} could not be looked at: {silent[0].why}")
        age_s = age_of(min(one.at for one in seen.values()), look.clock.now()) or 0.0
        old = f", as seen up to {span(age_s)} ago" if age_s > _JUST_NOW_S else ""
        return satisfied(f"{number(len(items), 'item')} with every field that is named{old}")

    def _lacking(self, fields: Mapping[VaultItem, Iterable[str] | None]) -> Iterator[str]:
        gone = set()
        for one in self.wanted:
            if one.item not in fields:
                continue
            there = fields[one.item]
            if there is None and one.item not in gone:
                gone.add(one.item)
                yield f"{one.item.item}: no such item in {', '.join(one.item.vaults)} ({one.declared_in})"
            elif there is not None and one.field and one.field not in there:
                yield f"{one.told}: no such field ({one.declared_in})"

    def by_hand(self) -> str:
        first = self.wanted[0].item
        return f"{shlex.join(['op', 'item', 'get', first.item, '--vault', first.vaults[0]])}   # and so each"


def vault_checks(house: House) -> Iterator[VaultItems]:
    """One, where the settings let 1Password be asked and Git names anything of it."""
    named = wanted(house.rendered) if house.limits.op_reads else ()
    if named:
        yield VaultItems(named, house.limits.op_reads)
