"""Keys of backups that are kept in the cluster alone: who has lost it has its backups, and cannot open them."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.rules.keys_in_the_cloud import kept_elsewhere, opens
from engine.text.words import number

NAME = "keys-inside"


def _find(given: Given) -> Iterator[Finding]:
    for store in given.stores.used:
        if store.cloud or not given.inside.answers(store.server):
            continue
        made = [one for one in given.stores.made if one.store == store and opens(given, one) and not kept_elsewhere(given, one)]
        if made:
            yield Finding(
                NAME, Weight.PARADOX, store.told,
                f"{number(len(made), 'key')} of backups kept in {store.server} alone, which runs in the cluster",
                made[0].declared_in,
                "with the cluster its vault is lost, and with it what opens the backup that the vault would come back from",
                "keep what opens backups in Git under sops, or in a file that the settings name as a further source",
            )  # fmt: skip


RULE = Rule(NAME, "Which keys of backups are in a vault of the very cluster that they are backups of?", _find)
