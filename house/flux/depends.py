"""What waits for what in Flux: `dependsOn` of Kustomizations and HelmReleases that can never come true. Knows no file.

Source: kustomize- and helm-controller take a dependency by name, in the dependent's namespace where it names none, and wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from house.files.problems import Problem
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject

_KINDS = (("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease"))


def never_ready(objects: Iterable[RenderedObject]) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """What can never be ready (a circle, itself, a name that is none), and what waits for what Git does not show."""
    problems: list[Problem] = []
    notes: list[Problem] = []
    everything = list(objects)
    for group, kind in _KINDS:
        known = {f"{one.namespace}/{one.name}": one for one in everything if (one.group, one.kind) == (group, kind)}
        needs = {key: _needs(kind, one, known, problems, notes) for key, one in known.items()}
        problems += _circle(kind, known, needs)
    return tuple(problems), tuple(notes)


def _needs(
    kind: str, one: RenderedObject, known: dict[str, RenderedObject], problems: list[Problem], notes: list[Problem]
) -> list[str]:
    needs = []
    me = f"{one.namespace}/{one.name}"
    for entry in sequence(one.spec.get("dependsOn")):
        name = mapping(entry).get("name")
        if not isinstance(name, str) or not name:
            what = f"{kind} {me} depends on something without a name"
            problems.append(Problem(one.file, one.line, "", what, "write `dependsOn: [{name: …}]`"))
            continue
        key = f"{mapping(entry).get('namespace') or one.namespace}/{name}"
        if key == me:
            what = f"{kind} {me} depends on itself, and is never ready"
            problems.append(Problem(one.file, one.line, "", what, "take the entry out"))
        elif key in known:
            needs.append(key)
        elif "${" not in key:
            what = f"{kind} {me} depends on {key}, which Git does not show"
            better = "look whether something else makes it: else this waits for ever"
            notes.append(Problem(one.file, one.line, "", what, better))
    return needs


def _circle(kind: str, known: dict[str, RenderedObject], needs: dict[str, list[str]]) -> list[Problem]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle: list[str] = list(reversed(error.args[1]))
        shown = [*circle[:12], "…"] if len(circle) > 13 else circle
        first = known[min(circle)]
        what = f"{kind}s depend on each other in a circle: {' → '.join(shown)}"
        return [Problem(first.file, first.line, "", what, "take one of them out: none is ever ready")]
    return []
