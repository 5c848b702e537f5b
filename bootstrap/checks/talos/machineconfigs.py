"""Whether talhelper makes a machineconfig for every node, and talosctl finds each valid: files and the age key are all it needs."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Machineconfigs(BaseCheck):
    """Rendered aside and thrown away, before a VM is made for them. What lies there already, out of the same files, is not rendered
    again, but for `anew`."""

    house: House
    anew: bool = False
    id = StepId("preflight.machineconfigs")
    title = "machineconfigs render, and are valid"
    needs = ("preflight.keys",)

    def probe(self, look: LookContext) -> Probe:
        if not self.anew and look.machineconfigs.rendered_from() == look.machineconfigs.wanted():
            return satisfied("rendered from what the repository says now")
        problem = look.machineconfigs.render_problem()
        if problem:
            talconfig = str(self.house.cluster.talconfig)
            hint = "correct talconfig or the patch that it names; nothing is made before"
            return missing(f"machineconfigs cannot be made: {problem}", talconfig, hint=hint)
        return satisfied(f"{number(len(self.house.nodes), 'machineconfig')} rendered aside, each valid")

    def by_hand(self) -> str:
        talconfig, bundle = self.house.cluster.talconfig, self.house.cluster.secrets_bundle
        made = f"talhelper genconfig -c {talconfig.name} -s {bundle} -o $aside --no-gitignore --offline-mode"
        each = "find $aside -name '*.yaml' -print0 | xargs -0 -n 1 talosctl validate --mode metal --config"
        return f"(cd {talconfig.parent} && aside=$(mktemp -d) && {made} && {each}; said=$?; rm -r $aside; exit $said)"


def check(house: House) -> Machineconfigs:
    """The check of this house."""
    return Machineconfigs(house)
