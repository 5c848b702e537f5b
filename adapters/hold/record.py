"""The hold's record as it stands in the ConfigMap, in both directions. Knows no HTTP; the policies read the same keys.

Keys hold letters, digits, `-`, `_` and `.`; a namespace has no dot, so the second field ends at the next one:
`state.<ns>.<claim>` = held, proven, released or accepted-empty; `image.<ns>.<claim>` = the VolumeSnapshot that was proven;
`rd.<ns>.<destination>` = the pin ("" = not pinned yet; the key is gone once the claim is through);
`rs.<ns>.<source>` = the claim it backs up, `dst.<ns>.<destination>` = the claim it restores, both for good;
`detail.<ns>.<claim>` = the rest, as JSON, which no policy reads;
`phase` = rebuilt while anything is held of a cluster that a bootstrap made anew;
`cnpg.<ns>.<cluster>` = accepted-empty for a database that may be made beside its archive, pinned or proven for one that is made
again from it, which no policy lets pass; `cnpg-detail.<ns>.<cluster>` the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from adapters.archives.results import RecoveryPoint
from adapters.hold.results import AcceptedDatabase, HeldClaim, HoldRecord, HoldState, PinnedDatabase
from engine.errors import PermanentError
from engine.text.jsontext import Malformed, an_object, read
from engine.text.words import number

NAMESPACE = "blackstart"
RECORD = "hold"
# A claim that does not exist and is always held: what a refusal is tried with (adapters/hold/canary.py).
CANARY = "canary"
PHASE = "phase"
REBUILT = "rebuilt"
CANARY_KEYS: Mapping[str, str] = {
    f"state.{NAMESPACE}.{CANARY}": HoldState.HELD.value,
    f"rd.{NAMESPACE}.{CANARY}": "",
    f"rs.{NAMESPACE}.{CANARY}": CANARY,
}
_HOLDS = (HoldState.HELD.value, HoldState.PROVEN.value)
_THROUGH = (HoldState.RELEASED, HoldState.ACCEPTED_EMPTY)
_LONGEST_KEY = 253
PINNED_DATABASE, PROVEN_DATABASE = "pinned", "proven"
_MADE_AGAIN = (PINNED_DATABASE, PROVEN_DATABASE)
_DETAIL = (
    "destination", "source", "repository_id", "snapshot_id", "pin", "proof", "depth", "reason", "replaces", "image_uid", "volume",
    "uid", "origin", "chosen", "undo",
)  # fmt: skip
_TIMES = ("since", "released")


def entry(claim: HeldClaim) -> dict[str, str | None]:
    """The keys of one claim; None for a key that must not be there.

    Raises PermanentError when a name makes a key too long (253 characters).
    """
    place = f"{claim.namespace}.{claim.claim}"
    detail: dict[str, str | float | bool] = {name: getattr(claim, name) for name in _DETAIL}
    detail |= {name: getattr(claim, name) for name in _TIMES} | {"filling": claim.filling}
    keys: dict[str, str | None] = {
        f"state.{place}": claim.state.value,
        f"image.{place}": claim.image or None,
        f"detail.{place}": json.dumps(detail, sort_keys=True),
    }
    if claim.destination:
        # A claim that is through must not be restored from an old pin, and an accepted empty one has none.
        keys[f"rd.{claim.namespace}.{claim.destination}"] = None if claim.state in _THROUGH else claim.pin
        keys[f"dst.{claim.namespace}.{claim.destination}"] = claim.claim
    if claim.source:
        keys[f"rs.{claim.namespace}.{claim.source}"] = claim.claim
    return _short_enough(keys, f"claim {claim.key}")


def database_entry(database: AcceptedDatabase) -> dict[str, str | None]:
    """The keys of one database. Raises PermanentError when a name makes a key too long (253 characters)."""
    place = f"{database.namespace}.{database.name}"
    detail = json.dumps({"reason": database.reason, "since": database.since}, sort_keys=True)
    return _short_enough(
        {f"cnpg.{place}": HoldState.ACCEPTED_EMPTY.value, f"cnpg-detail.{place}": detail}, f"database {database.key}"
    )


def pinned_entry(database: PinnedDatabase) -> dict[str, str | None]:
    """The keys of one database that is made again. Raises PermanentError when a name makes a key too long (253 characters)."""
    place = f"{database.namespace}.{database.name}"
    detail = json.dumps({key: value for key, value in asdict(database).items() if key not in ("namespace", "name")}, sort_keys=True)
    state = PROVEN_DATABASE if database.proven else PINNED_DATABASE
    return _short_enough({f"cnpg.{place}": state, f"cnpg-detail.{place}": detail}, f"database {database.key}")


def record(data: Mapping[str, str] | None) -> HoldRecord:
    """The record of a ConfigMap's data, None meaning that there is no ConfigMap.

    The keys that the policies read win over the details. Raises PermanentError for a state that is none.
    """
    if data is None:
        return HoldRecord(present=False)
    claims = [_claim(key, data) for key in sorted(data) if key.startswith("state.") and key not in CANARY_KEYS]
    accepted = HoldState.ACCEPTED_EMPTY.value
    databases = [_database(key, data) for key in sorted(data) if key.startswith("cnpg.") and data[key] == accepted]
    made_again = [_pinned(key, data) for key in sorted(data) if key.startswith("cnpg.") and data[key] in _MADE_AGAIN]
    pinned = tuple(one for one in made_again if one is not None)
    return HoldRecord(True, tuple(claims), tuple(databases), holds(data) and data.get(PHASE) == REBUILT, pinned)


def holds(data: Mapping[str, str | None]) -> bool:
    """Whether any claim is held still, the canary aside."""
    return any(key.startswith("state.") and key not in CANARY_KEYS and state in _HOLDS for key, state in data.items())


def _short_enough(keys: dict[str, str | None], whose: str) -> dict[str, str | None]:
    longest = max(keys, key=len)
    if len(longest) > _LONGEST_KEY:
        raise PermanentError(
            f"The names of {whose} are too long for the hold's record",
            evidence=(f"{number(len(longest), 'character')}, at most {_LONGEST_KEY}: {longest}",),
        )
    return keys


def _database(key: str, data: Mapping[str, str]) -> AcceptedDatabase:
    namespace, name = _place(key)
    detail = _detail(data.get(f"cnpg-detail.{namespace}.{name}", ""))
    return AcceptedDatabase(namespace, name, _text(detail, "reason"), _since(detail))


def _pinned(key: str, data: Mapping[str, str]) -> PinnedDatabase | None:
    """None where a hand has broken the details: without them nothing is pinned, and it is chosen anew."""
    namespace, name = _place(key)
    detail = _detail(data.get(f"cnpg-detail.{namespace}.{name}", ""))
    point = detail.pop("point", None)
    try:
        assert isinstance(point, dict)
        read = PinnedDatabase(namespace, name, point=RecoveryPoint(**point), **detail)  # type: ignore[arg-type]  # checked below
        numbers = (read.since, read.proven, read.point.time, read.point.target, read.point.lsn, read.point.timeline)
        assert all(isinstance(one, int | float) for one in numbers)
    except (AssertionError, TypeError):
        return None
    return read if data[key] == PROVEN_DATABASE else replace(read, proven=0.0)


def _claim(key: str, data: Mapping[str, str]) -> HeldClaim:
    namespace, name = _place(key)
    detail = _detail(data.get(f"detail.{namespace}.{name}", ""))
    sources = [k.split(".", 2)[2] for k, v in sorted(data.items()) if k.startswith(f"rs.{namespace}.") and v == name]
    destination = _text(detail, "destination")
    times = {name: float(at) for name in _TIMES if isinstance(at := detail.get(name), int | float)}
    try:
        state = HoldState(data[key])
    except ValueError:
        raise PermanentError(
            f"The hold's record has a state that is none for {namespace}/{name}",
            evidence=(f"{key} = {data[key]}",),
            hint=f"one of {', '.join(s.value for s in HoldState)} is meant",
            next_command=f"kubectl -n {NAMESPACE} edit configmap {RECORD}",
        ) from None
    return HeldClaim(
        namespace=namespace,
        claim=name,
        state=state,
        destination=destination,
        source=_text(detail, "source") or (sources[0] if sources else ""),
        repository_id=_text(detail, "repository_id"),
        snapshot_id=_text(detail, "snapshot_id"),
        pin=data.get(f"rd.{namespace}.{destination}", _text(detail, "pin")),
        image=data.get(f"image.{namespace}.{name}", ""),
        proof=_text(detail, "proof"),
        depth=_text(detail, "depth"),
        reason=_text(detail, "reason"),
        replaces=_text(detail, "replaces"),
        image_uid=_text(detail, "image_uid"),
        volume=_text(detail, "volume"),
        uid=_text(detail, "uid"),
        filling=detail.get("filling") is True,
        origin=_text(detail, "origin"),
        chosen=_text(detail, "chosen"),
        undo=_text(detail, "undo"),
        since=times.get("since", 0.0),
        released=times.get("released", 0.0),
    ).as_read()


def _text(detail: Mapping[str, object], name: str) -> str:
    """A text of the details; what a hand has put in its place is none, and never the name of anything."""
    value = detail.get(name, "")
    return value if isinstance(value, str) else ""


def _place(key: str) -> tuple[str, str]:
    """Namespace and name out of a key. Raises PermanentError for one that a hand has broken: whose it is nobody knows."""
    _, namespace, name = (*key.split(".", 2), "", "")[:3]
    if not (namespace and name):
        raise PermanentError(
            "The hold's record has a key that names no claim",
            evidence=(key,),
            hint=f"`{key.partition('.')[0]}.NAMESPACE.NAME` is meant: put it right, or take the line out",
            next_command=f"kubectl -n {NAMESPACE} edit configmap {RECORD}",
        )
    return namespace, name


def _since(detail: Mapping[str, object]) -> float:
    since = detail.get("since", 0.0)
    return float(since) if isinstance(since, int | float) else 0.0


def _detail(written: str) -> dict[str, object]:
    """The details, or none when a hand has broken them: the states stand without them."""
    try:
        return read(written, an_object, ours=True) if written else {}
    except Malformed:
        return {}
