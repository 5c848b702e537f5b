"""Keys that a rebuild needs and that lie in a cloud vault alone: without the internet, or the account, nothing is opened."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.needs import Means, Stage, needs_of
from cluster.lint.stores import MadeSecret
from engine.text.words import number
from house.model import BackedUpClaim, SecretRef

NAME = "keys-in-the-cloud"
_KOPIA = "KOPIA_"
_WHY = "without the internet, the account or the vault's service there is no key, and what a key opens stays closed"


def _find(given: Given) -> Iterator[Finding]:
    named = [need for need in needs_of(given) if need.means is Means.VAULT and need.stage is not Stage.SECRETS]
    for what in dict.fromkeys(need.what for need in named):
        where = next(need for need in named if need.what == what)
        yield Finding(
            NAME, Weight.PARADOX, what, f"the settings have {what} from {where.of} alone", where.declared_in, _WHY,
            'give a second source: `["op://…", "file:…"]`, or `sops:FILE#KEY`; sources are tried in order',
        )  # fmt: skip
    for store in given.stores.used:
        first = {secret.key for secret in given.house.secrets}
        made = [one for one in given.stores.made if one.store == store and f"{one.namespace}/{one.name}" not in first]
        if store.cloud and made:
            yield _of_store(given, store.told, store.cloud, store.declared_in, made)


def _of_store(given: Given, store: str, cloud: str, where: str, made: list[MadeSecret]) -> Finding:
    """What is made of one cloud's vault: a paradox where it opens backups that nothing of the settings opens without it."""
    opening = [one for one in made if opens(given, one)]
    shut = [one for one in opening if not kept_elsewhere(given, one)]
    items = sorted({item for one in shut for item in one.items})
    told = f"{number(len(made), 'Secret')} of the cluster {'comes' if len(made) == 1 else 'come'} from {cloud} alone, by {store}"
    if opening:
        told += f"; among them {number(len(opening), 'key')} of backups"
    if shut:
        told += f" ({', '.join(items)}), which the settings name no file for"
    return Finding(
        NAME, Weight.PARADOX if shut else Weight.RISK, store, told, (shut or opening or made)[0].declared_in if shut else where,
        f"a rebuilt cluster makes no Secret until {cloud} answers" + (f"; {_WHY}" if shut else ""),
        "keep what opens backups in Git under sops, or in a file that the settings name as a further source, and in the kit"
        if shut else "know which applications stay down without the internet; what opens backups is kept elsewhere",
    )  # fmt: skip


def opens(given: Given, one: MadeSecret) -> bool:
    """Whether movers open a repository with it."""
    return any(key.startswith(("RESTIC_", _KOPIA)) for key in one.keys) or bool(_claims_of(given, one))


def _claims_of(given: Given, one: MadeSecret) -> list[BackedUpClaim]:
    """Claims, as each of their places has them, whose repository this Secret opens."""
    return [
        claim for whole in (*given.house.claims, *given.house.kopia) for claim in whole.sources
        if claim.repository_secret == one.name and one.namespace in ("", claim.namespace)
    ]  # fmt: skip


def kept_elsewhere(given: Given, one: MadeSecret) -> bool:
    """Whether what this Secret opens is opened by a file of the settings: of every claim that uses it, all of its keys."""
    claims = _claims_of(given, one)
    if not claims:  # one that several are made of, or of a claim that nobody here opens
        engine = given.house.kopia if any(key.startswith(_KOPIA) for key in one.keys) else given.house.claims
        return any(_is_kept(claim.password) for claim in engine)
    return all(_is_kept(reference) for claim in claims for reference in (claim.password, *(r for _, r in claim.environment)))


def _is_kept(reference: SecretRef) -> bool:
    return any(source.startswith(("file:", "sops:")) for source in reference.sources)


RULE = Rule(NAME, "Which keys that a rebuild needs are in a cloud vault and nowhere else?", _find)
