"""How far Flux has brought the cluster, and what is in its way. Knows no custom resource: it reads what the Flux port answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from adapters.context import LookContext
from adapters.flux.results import FluxState, KustomizationState
from adapters.flux.rootcause import Cause, RootCause, root_causes
from adapters.hold.results import ARCHIVES_UNRECOVERED
from adapters.volsync.results import ClaimPhase
from cluster.by_hand import json_by_hand
from cluster.hold.holding import still_held
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.probe import held as held_back
from engine.text.words import number
from house.model import FluxApp, House


def flux_probe(look: LookContext, house: House) -> Probe:
    """SATISFIED when every Kustomization is ready at the clone's commit or a descendant, held ones and suspended ones aside.

    MISSING asks for a reconcile: Flux has fetched an older commit, or a Kustomization is lost. CHANGING carries the root causes as
    evidence.
    """
    state = look.flux.state()
    if not state.installed:
        return changing("Flux is not running yet")
    if not state.source.present or not state.source.commit:
        if state.source.suspended:
            return missing("Flux has not fetched the repository, and its source is suspended", hint=_resume(state))
        return changing("Flux has not fetched the repository yet", state.source.reason)
    expected = look.clone.commit()
    newer = state.source.commit == expected or look.clone.descends(state.source.commit, expected)
    if newer is None:
        return unknown(
            "Flux is at a commit that this clone does not know", state.source.commit, hint="somebody has pushed since: git fetch"
        )
    if not newer:
        told = f"Flux has fetched {state.source.commit[:12]}, older than {expected[:12]}"
        if state.source.suspended:
            return missing(f"{told}, and its source is suspended", state.source.reason, hint=_resume(state))
        return missing(told, state.source.reason)
    return graph_probe(state, house, held_apps(look, house), allowed_databases(look))


def refuse_suspended_source(state: FluxState) -> None:
    """PermanentError when the source is suspended: whoever did it had a reason, so it stays so, and it fetches nothing."""
    if state.source.suspended:
        raise PermanentError(
            f"GitRepository {state.source.name} is suspended, not by us, and stays so",
            evidence=(f"Flux is at {state.source.commit[:12] or 'no commit'} and fetches no other",),
            hint=_resume(state),
            next_command=resume_by_hand("gitrepository", state.source.name),
        )


def resume_by_hand(kind: str, key: str) -> str:
    """The command that resumes one object of Flux, `kind` as kubectl has it; no flux program is needed for it."""
    namespace, _, name = key.partition("/")
    full = {"kustomization": "kustomizations.kustomize.toolkit.fluxcd.io"}.get(kind, kind)
    return f"kubectl -n {namespace} patch {full} {name} --type merge -p {json_by_hand({'spec': {'suspend': None}})}"


def _resume(state: FluxState) -> str:
    namespace, _, name = state.source.name.partition("/")
    return f"to go on: flux -n {namespace} resume source git {name}, and run the same again"


WAITING = frozenset(
    {"", "Progressing", "ProgressingWithRetry", "DependencyNotReady", "HealthCheckFailed", "HealthCheckCanceled"}
)
"""Reasons with which Flux waits for something to become healthy. All others (a build, an apply) fail with or without a hold."""


def held_apps(look: LookContext, house: House) -> frozenset[str]:
    """Kustomizations (`namespace/name`) that own a held claim which is there: applied, and waiting for the hold's lift."""
    held = {(claim.namespace, claim.claim) for claim in still_held(look.hold.record().claims)}
    return frozenset(
        claim.flux_app for claim in house.claims
        if (claim.namespace, claim.claim) in held
        and look.claims.claim(claim.namespace, claim.claim).phase is ClaimPhase.PENDING
    )  # fmt: skip


def allowed_databases(look: LookContext) -> frozenset[str]:
    """Databases (`namespace/name`) that may be made, by the hold's record: Flux has only not come to it again."""
    record = look.hold.record()
    accepted, pinned = ({f"{one.namespace}/{one.name}" for one in found} for found in (record.databases, record.pinned))
    return frozenset(accepted | pinned)


def graph_probe(state: FluxState, house: House, held: frozenset[str], allowed: frozenset[str] = frozenset()) -> Probe:
    """SATISFIED when every Kustomization is at the source's commit, but those that only wait for what `held` names.

    HELD when some wait for a database that the hold refuses; one of `allowed` is refused no more.

    CHANGING otherwise, with the root causes as evidence and what usually helps against the first of them as the hint; MISSING when
    one was lost that its parent does not make again by itself.
    """
    there = {k.key: k for k in state.kustomizations}
    absent = sorted((app for app in house.flux_apps if app.key not in there), key=lambda app: app.key)
    behind = [k for k in state.kustomizations if not k.suspended and not (k.ready and k.commit == state.source.commit)]
    refused = refused_apps(state, house, allowed)
    excused = waits_on(there.values(), held | refused)
    stuck = {k.key for k in behind if k.key not in excused or (k.reason not in WAITING and k.key not in refused)}
    if stuck or absent:
        causes = root_causes(_without_excuses(state, house, stuck, held))
        lines = (*(_line(cause) for cause in causes), *(_awaited(app, there) for app in absent))
        hint = next((cause.hint for cause in causes if cause.hint), "")
        told = f"{len(stuck)} of {number(len(there), 'Kustomization')} not ready" if stuck else ""
        late = f"{number(len(absent), 'Kustomization')} not there yet" if absent else ""
        if idle := idle_parents(state, house):
            late += f", and nobody is at it: {', '.join(idle)} made them before"
            return missing("; ".join(filter(None, (told, late))), *lines, hint=hint)
        return changing("; ".join(filter(None, (told, late))), *lines, hint=hint)
    lacking = waits_on(there.values(), refused)
    waiting = tuple(f"waits for {_lack(k.key, refused, lacking)}: {k.key}" for k in behind)
    suspended = tuple(f"suspended: {k.key}" for k in state.kustomizations if k.suspended)
    source = () if state.source.ready else (f"the source fails since: {state.source.reason}",)
    told = f"{number(len(there) - len(waiting) - len(suspended), 'Kustomization')} at {state.source.commit[:12]}"
    databases = [k for k in behind if k.key in lacking]
    told += f", {len(waiting) - len(databases)} wait for a held claim" if len(waiting) > len(databases) else ""
    told += f", {len(databases)} for a database that the hold refuses" if databases else ""
    told += f", {len(suspended)} suspended" if suspended else ""
    return (held_back if databases else satisfied)(told, *waiting, *suspended, *source)


def refused_apps(state: FluxState, house: House, allowed: frozenset[str]) -> frozenset[str]:
    """Kustomizations that apply nothing since a database of theirs would come up empty beside its archive, and the hold says no.

    A restore makes the database again, or a person accepts it empty: neither is for Flux to bring about.
    """
    shut = [one for one in house.databases if one.key not in allowed]
    denied = [(one.flux_app, f"database {one.key}{ARCHIVES_UNRECOVERED}") for one in shut]
    waiting = (k for k in state.kustomizations if not k.ready)
    return frozenset(k.key for k in waiting if any(k.key == app and no in k.message for app, no in denied))


def _lack(key: str, refused: frozenset[str], lacking: frozenset[str]) -> str:
    if key in refused:
        return "a person's word on its database (invoke dr.restore, or dr.release)"
    return "a database that the hold refuses" if key in lacking else "a held claim"


def idle_parents(state: FluxState, house: House) -> tuple[str, ...]:
    """Kustomizations that have applied the source's commit and lack a child all the same: it was lost since.

    Flux makes it again at the parent's next interval, which may be an hour, unless the parent is asked.
    """
    there = {k.key: k for k in state.kustomizations}
    lacking = (there.get(app.parent) for app in house.flux_apps if app.key not in there)
    return tuple(sorted({k.key for k in lacking if k is not None and _is_idle(k, state)}))


def _is_idle(parent: KustomizationState, state: FluxState) -> bool:
    done = parent.ready and parent.commit == state.source.commit
    return done and not parent.suspended and not parent.reconciling


def _awaited(app: FluxApp, there: Mapping[str, KustomizationState]) -> str:
    """One that is not there, and who is to make it."""
    if not app.parent:
        return app.key
    parent = there.get(app.parent)
    state = "which is not there either" if parent is None else "which is suspended" if parent.suspended else ""
    return ", ".join(filter(None, (f"{app.key}: not there; waits for its parent {app.parent}", state)))


def _without_excuses(state: FluxState, house: House, stuck: set[str], held: frozenset[str]) -> FluxState:
    """The graph for who looks for causes: what only waits for a held claim counts as ready, and so do that claim's releases."""
    graph = []
    for k in state.kustomizations:
        if k.key not in stuck:
            graph.append(replace(k, ready=k.ready or not k.suspended))
        elif k.ready:
            graph.append(replace(k, ready=False, reason="Progressing", message=f"still at {k.commit[:12] or 'no commit'}"))
        else:
            graph.append(k)
    waiting = {f"{claim.namespace}/{claim.app}" for claim in house.claims if claim.flux_app in held}
    releases = tuple(release for release in state.stuck_releases if release.key not in waiting)
    return replace(state, kustomizations=tuple(graph), stuck_releases=releases)


def _line(cause: RootCause) -> str:
    own = cause.cause in (Cause.STALLED, Cause.FAILS, Cause.RUNS)
    return f"{cause.key}: {cause.reason if own else cause.cause.value}: {cause.message}"


def not_applied(
    state: FluxState, house: House, held: frozenset[str], allowed: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Kustomizations that apply nothing for now: suspended ones, those that wait for one of `held`, which is applied itself, and
    those of a refused database with all that depends on them."""
    suspended = {k.key for k in state.kustomizations if k.suspended}
    refused = waits_on(state.kustomizations, refused_apps(state, house, allowed))
    return (waits_on(state.kustomizations, held) - held) | suspended | refused


def waits_on(graph: Iterable[KustomizationState], roots: frozenset[str]) -> frozenset[str]:
    """`roots` and everything that depends on one of them, however far away."""
    graph, reached, grew = tuple(graph), set(roots), True
    while grew:
        more = {k.key for k in graph if reached & set(k.depends_on)} - reached
        grew = bool(more)
        reached |= more
    return frozenset(reached)
