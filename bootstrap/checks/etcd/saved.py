"""Whether anything of etcd is in the state folder after all of it was to be saved: nothing to be saved is not the same as saved."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.checks.etcd.recoverable import fresh, newest, told
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class Saved(BaseCheck):
    """A sound file of now, of this house."""

    house: House
    id = StepId("etcd.saved")
    title = "a sound file of etcd is there"
    needs = ("etcd.save/*",)

    def probe(self, look: LookContext) -> Probe:
        now = look.clock.now()
        found = newest(tuple(one for one in look.etcd.kept() if fresh(one, now)))
        if found is None:
            return missing(
                "nothing was saved: no control plane has any data of etcd",
                hint="where they are lost, invoke cluster.recover-etcd takes the newest file of before, if one is there",
            )
        return satisfied(told(found, now))

    def by_hand(self) -> str:
        return f"cat {self.house.state_dir}/etcd/*.snapshot* | wc -c   # more than nothing, and of now"


def check(house: House) -> Saved:
    """The check of this house."""
    return Saved(house)
