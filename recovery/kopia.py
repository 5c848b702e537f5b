"""Claims that kopia backs up: no run restores them. Which are meant, the snapshot that would come back, and the course by hand."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

from adapters.backups.stores.places import s3_address
from adapters.context import LookContext
from cluster.backups.audit import TRUSTED, Asked, ClaimAudit, audit_claim
from cluster.by_hand import secret_by_hand
from cluster.flux import resume_by_hand
from cluster.hold.holding import still_held
from cluster.hold.suspension import suspend_by_hand
from engine.errors import BlackstartError, PreflightRefused
from house.model import BackedUpClaim, House
from house.values.sources import RESTIC
from recovery.steps.hold.hold_now import lift_by_hand

_CONNECTION = "--config-file=kopia.connection"
_IMAGE = "docker.io/library/busybox:stable"


def of_kopia(house: House, words: str) -> tuple[BackedUpClaim, ...]:
    """The claims of these words (`namespace/name` or the name, comma between several) that kopia alone backs up."""
    others = {name for claim in house.claims for name in (claim.key, claim.claim)}
    named = [word for word in map(str.strip, words.split(",")) if word and word not in others]
    return tuple(claim for claim in house.kopia if claim.key in named or claim.claim in named)


def refuse_kopia(
    look: LookContext, house: House, claims: tuple[BackedUpClaim, ...], as_of: float, known: Mapping[str, str]
) -> None:
    """Raise PreflightRefused, with the course by hand and the snapshot that it brings back; nothing where there are none."""
    if not claims:
        return
    lines: list[str] = []
    for claim in claims:
        asked = Asked(known=known, as_of=as_of)
        lines += _told(look, claim, audit_claim(look.backups, look.clock, house, claim, asked))
    who = ", ".join(claim.source_key for claim in claims)
    raise PreflightRefused(
        f"{who}: backed up by kopia, which no run of this tool restores; nothing was done",
        evidence=tuple(lines),
        hint="by hand, in this order; what comes back is not proven by this tool, and counts as restored nowhere",
        next_command="invoke dr.audit",
    )


def _told(look: LookContext, claim: BackedUpClaim, audit: ClaimAudit) -> Iterator[str]:
    point = audit.newest
    if point is None or audit.verdict not in TRUSTED:
        yield f"{claim.source_key}: no snapshot that can be restored is known: {audit.told}: {audit.detail}"
        return
    yield f"{claim.source_key}: snapshot {point.snapshot_id} of {point.pin} ({claim.identity}), {audit.told}"
    before, after = _lift(look, claim, point.snapshot_id)
    yield from (*before, *by_hand(claim, point.snapshot_id), *after)


def _lift(look: LookContext, claim: BackedUpClaim, snapshot_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What comes before and after the course where the claim is held: one without a volume gets none until it is let go."""
    try:
        entry = look.hold.record().claim(claim.namespace, claim.claim)
        alive = look.claims.claim(claim.namespace, claim.claim).alive
    except BlackstartError as error:
        return (f"# whether it is held could not be looked at: {error.what}",), ()
    if entry is None or not still_held((entry,)):
        return (), ()
    if alive:
        return (), (f"{lift_by_hand(claim)}   # it was held until here",)
    if not claim.destination:
        return (f"{lift_by_hand(claim)}   # it is held, and has no volume until it is let go",), ()
    let_go = f"{lift_by_hand(claim)}   # it is held, and has no volume: VolSync's own mover fills it then, with the newest it finds"
    return (let_go, f"# go on only where what it holds then is not what snapshot {snapshot_id} has"), ()


def by_hand(claim: BackedUpClaim, snapshot_id: str) -> Iterator[str]:
    """The commands: the snapshot into a folder here, the application at rest, the folder into the claim, the application on."""
    assert claim.engine != RESTIC
    password = f'KOPIA_PASSWORD="$({secret_by_hand(claim.password)})"'
    keys = " ".join(f'{name}="$({secret_by_hand(reference)})"' for name, reference in claim.environment)
    given = " ".join(filter(None, (password, keys)))
    yield f"{given} kopia repository connect {_where(claim)} --readonly --no-persist-credentials {_CONNECTION}"
    folder = shlex.quote(f"restored/{claim.namespace}-{claim.claim}")
    yield f"{password} kopia restore {snapshot_id} {folder} {_CONNECTION}"
    yield suspend_by_hand(claim.flux_app, on=True)
    yield f"kubectl -n {claim.namespace} scale deployment,statefulset -l app.kubernetes.io/name={claim.app} --replicas=0"
    pod = f"restore-{claim.claim}"[:63].rstrip("-.")
    yield f"kubectl -n {claim.namespace} run {pod} --image={_IMAGE} --restart=Never --overrides {shlex.quote(_pod(claim, pod))}"
    yield f"kubectl -n {claim.namespace} wait --for=condition=Ready pod/{pod} --timeout=5m"
    yield f"tar -C {folder} -cf - . | kubectl -n {claim.namespace} exec -i {pod} -- tar -C /data -xpf -"
    yield f"kubectl -n {claim.namespace} delete pod {pod} && rm kopia.connection"
    yield resume_by_hand("kustomization", claim.flux_app)


def _where(claim: BackedUpClaim) -> str:
    address = s3_address(claim.open_as)
    if address is None:
        return f"filesystem --path={shlex.quote(claim.open_as)}"
    scheme, _, endpoint = address.endpoint.partition("://")
    words = [f"--bucket={address.bucket}", f"--endpoint={endpoint}"]
    words += [f"--prefix={address.prefix}/"] if address.prefix else []
    words += [f"--region={claim.region}"] if claim.region else []
    words += [f"--root-ca-pem-path={claim.ca_file}"] if claim.ca_file else []
    words += ["--disable-tls"] if scheme == "http" else []
    return " ".join(("s3", *map(shlex.quote, words)))


def _pod(claim: BackedUpClaim, pod: str) -> str:
    """A pod that has the claim at /data and waits."""
    mount = {"name": "data", "mountPath": "/data"}
    container = {"name": pod, "image": _IMAGE, "command": ["sleep", "86400"], "volumeMounts": [mount]}
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim.claim}}
    return json.dumps({"spec": {"containers": [container], "volumes": [volume]}})
