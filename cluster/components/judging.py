"""What the objects of an operator come to, by the words that most of them use. Pure: no port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.components.results import Ask, Program, Seen, Status
from cluster.components.shape import Facts, Judge
from cluster.storage.findings import Finding, Weight, fine
from engine.text.words import number

_MOST = 3
"""So many that are well are named; the rest is counted."""


def by_condition(ask: Ask, kind: str, means: str, command: str) -> Judge:
    """Every object of the kind says True in this condition; none of them is a finding too, where Git declares some."""

    def judge(facts: Facts) -> Iterator[Finding]:
        found = facts.of(ask)
        yield from (of_condition(one, kind, means, command) for one in found)
        yield from fewer_than_declared(facts, ask, command)

    return judge


def of_condition(one: Seen, kind: str, means: str, command: str) -> Finding:
    """One object by one condition: who has not said it yet is unknown, never well."""
    part = f"{one.kind} {one.key}"
    said = one.condition(kind)
    if one.status is Status.TERMINATING:
        return Finding(part, Weight.BLOCKS, one.why, hint=means, command=command)
    if said is None or said.good is None:
        told = f"has not said whether it is {kind}" if said is None else f"{kind} is unknown: {said.why}"
        return Finding(part, Weight.UNKNOWN, told, hint=means, command=command)
    if not said.good:
        return Finding(part, Weight.BLOCKS, said.why or f"is not {kind}", hint=means, command=command)
    if one.status is not Status.CURRENT:  # what it says is about an older generation
        return Finding(part, Weight.BLOCKS, f"is {one.status.value}: {one.why}", hint=means, command=command)
    return fine(part, kind)


def fewer_than_declared(facts: Facts, ask: Ask, command: str) -> Iterator[Finding]:
    """A finding where Git declares more objects of the kind than there are, whatever their version, and one that should be there
    is not."""
    declared, there = facts.declared(ask), len(facts.of(ask))
    if there < len(declared) and facts.lacks(ask):
        told = f"Git declares {len(declared)}, and {there or 'none'} {'are' if there > 1 else 'is'} there"
        hint = "the Kustomization that applies it says why: invoke cluster.verify, row flux.reconcile"
        yield Finding(ask.kind, Weight.BLOCKS, told, hint=hint, command=command)
    elif not there:
        yield fine(ask.kind, f"none is {'to be applied yet' if declared else 'declared'} and none is there")


def of_program(one: Program, means: str, away: int) -> Finding:
    """One workload; `away` nodes are not ready, which is where pods that are lacking may have been."""
    part = f"{one.kind} {one.key}"
    command = f"kubectl -n {one.namespace} get pods -o wide && kubectl -n {one.namespace} describe {one.kind.lower()} {one.name}"
    # kstatus asks for no pod of a set that a person rolls (OnDelete): the pods are counted here.
    ready, is_ = one.wanted - one.lacks, "is" if one.wanted - one.lacks == 1 else "are"
    why = one.why or (f"{ready} of {one.wanted} pods {is_} ready" if one.lacks else f"is {one.status.value}")
    if one.status is Status.CURRENT and not one.lacks:
        if one.wanted:
            return fine(part, f"{one.wanted} of {one.wanted} pods ready")
        return Finding(part, Weight.NOTED, "no pod of it is wanted", command=command)
    if 0 < one.lacks <= away and one.kind == "DaemonSet":
        return Finding(part, Weight.NOTED, f"{why}; {number(away, 'node')} away", command=command)
    if away and one.lacks:
        told = f"{why}; {number(away, 'node')} away, where its pods may have been"
        return Finding(part, Weight.UNKNOWN, told, hint=means, command=command)
    return Finding(part, Weight.BLOCKS, why, hint=means, command=command)


def summed(findings: Iterable[Finding]) -> list[Finding]:
    """The same, with those that are well folded into one: a person looks for what is not."""
    found = list(findings)
    well = [one for one in found if one.weight is Weight.FINE]
    if len(well) <= _MOST:
        return found
    kept = [one for one in found if one.weight is not Weight.FINE]
    return [*kept, fine(f"{len(well)} more" if kept else f"{len(well)}", "as they must be")]
