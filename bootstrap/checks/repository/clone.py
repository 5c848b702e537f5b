"""Whether what is in this clone is what Flux will pull: clean, and at the remote branch's commit."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Clone(BaseCheck):
    """Nothing uncommitted, nothing unpushed: machineconfigs and Flux must come from one commit."""

    house: House
    id = StepId("preflight.clone")
    title = "the clone is what Flux will pull"

    def probe(self, look: LookContext) -> Probe:
        state = look.clone.state()
        if state.dirty:
            return drifted(
                f"{number(len(state.dirty), 'file is', 'files are')} not committed", *state.dirty[:10],
                hint="Flux pulls what is pushed: commit and push what belongs there; what does not goes into .gitignore",
            )  # fmt: skip
        if not state.remote_commit:
            return unknown(f"{self.house.flux.url} could not be asked", state.remote_detail)
        if state.commit != state.remote_commit:
            return drifted(
                f"the clone is not at {self.house.flux.branch} of {self.house.flux.url}",
                f"here {state.commit[:12]}", f"there {state.remote_commit[:12]}",
                hint="push what is only here, or pull what is only there: Flux builds from there, this tool from here",
            )  # fmt: skip
        return satisfied(f"clean, at {state.commit[:12]}")

    def by_hand(self) -> str:
        flux = self.house.flux
        asked = f"git -C {self.house.root} fetch {shlex.quote(flux.url)} {shlex.quote(flux.branch)}"
        return f"{asked} && git -C {self.house.root} status --short && git -C {self.house.root} diff --stat FETCH_HEAD   # no line"


def check(house: House) -> Clone:
    """The check of this house."""
    return Clone(house)
