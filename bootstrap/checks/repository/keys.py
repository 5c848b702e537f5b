"""Whether the two keys that everything else hangs on are here: the age key, and the Talos secrets bundle it opens."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.checks.repository.age_key import recipient_by_hand, unusable
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.files.paths import ABSENT
from house.model import House
from house.repository.guarding import encrypt_by_hand

_NO_BUNDLE = "take it back from Git or a backup; `invoke cluster.new-secrets` makes new ones, and says what is lost with the old"


def to_mend(bundle: str) -> str:
    """What to do about a bundle of which `no_file` says this: new secrets are for one that is lost alone."""
    return _NO_BUNDLE if bundle == ABSENT else "mend the link or the file"


@dataclass(frozen=True)
class Keys(BaseCheck):
    """Both usable. A missing bundle is never made here: a new one makes every existing node and backup of etcd unreadable."""

    house: House
    id = StepId("preflight.keys")
    title = "age key and Talos secrets bundle open"

    def probe(self, look: LookContext) -> Probe:
        no_key = unusable(look, self.house)
        if no_key is not None:
            return no_key
        problem = look.machineconfigs.bundle_problem()
        if problem:
            hint = "" if look.machineconfigs.bundle_there() else to_mend(ABSENT)
            told = f"the Talos secrets bundle cannot be used: {problem}"
            return missing(told, str(self.house.cluster.secrets_bundle), hint=hint)
        remarks = []
        if not self.house.age_recipient:
            remarks.append(".sops.yaml names no recipient to compare")
        if self.house.cluster.plain_bundle:
            remarks.append(f"the bundle lies there in plain text: {encrypt_by_hand(str(self.house.cluster.secrets_bundle))}")
        return satisfied("; ".join(("both open", *remarks)))

    def by_hand(self) -> str:
        return f"sops --decrypt {self.house.cluster.secrets_bundle} > /dev/null && {recipient_by_hand(self.house)}"


def check(house: House) -> Keys:
    """The check of this house."""
    return Keys(house)
