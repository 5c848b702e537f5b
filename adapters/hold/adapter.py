"""The hold in the cluster: policies, bindings, the record, and whether every API server refuses. Knows no VolSync object."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import uuid4

from adapters.hold.policies import BINDINGS, POLICIES
from adapters.hold.record import (
    CANARY_KEYS,
    NAMESPACE,
    PHASE,
    REBUILT,
    RECORD,
    database_entry,
    entry,
    holds,
    pinned_entry,
    record,
)
from adapters.hold.results import AcceptedDatabase, HeldClaim, HoldRecord, PinnedDatabase, Refusal, Verdict
from adapters.hold.trial import backup_tried, tried
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, Changed, ObjectAbsent
from adapters.kubernetes.kinds import ADMISSION_BINDING, ADMISSION_POLICY, CONFIG_MAP, Kind
from adapters.kubernetes.kinds import NAMESPACE as NAMESPACE_KIND
from adapters.kubernetes.objects import Obj, name_of, table, text
from engine.errors import TransientError
from engine.waiting import Clock, Deadline, pause
from engine.workers import Threads, each

_TRIES = 5
_BEHIND_S = 5.0
"""How long an API server may judge by the record of before: milliseconds in peace. One that has lost its watch does so for ever."""
_AGAIN_S = 0.1
_WRITTEN = "blackstart/written"
_Server = tuple[str, ApiClient]
_Ask = Callable[[_Server, str, bool], list[Refusal]]
"""What one server answers, held against the record's version, and against whether it says that the cluster was made anew."""
_OBJECTS: tuple[tuple[Kind, Obj], ...] = (
    *((ADMISSION_POLICY, policy) for policy in POLICIES),
    *((ADMISSION_BINDING, binding) for binding in BINDINGS),
)


class KubernetesHold:
    """The Hold port on a real API. Policies need up to a second to bite, the record about ten milliseconds."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._workers = Threads()

    def record(self) -> HoldRecord:
        """The record; `present` False when the ConfigMap (or its namespace) is not there."""
        found = self._clients.main().get(CONFIG_MAP, RECORD, NAMESPACE)
        return record(None if found is None else _data(found))

    def policies_missing(self) -> tuple[str, ...]:
        """Names of policies and bindings that are absent or not as ours, told as `kind name`."""
        client = self._clients.main()
        there = {
            (kind.name, name_of(obj)): obj
            for kind in (ADMISSION_POLICY, ADMISSION_BINDING)
            for obj in client.list_objects(kind)
        }
        return tuple(
            f"{kind.name} {name_of(ours)}"
            for kind, ours in _OBJECTS
            if not _same(there.get((kind.name, name_of(ours))), ours)
        )

    def refusals(self, silent: Collection[str] = ()) -> tuple[Refusal, ...]:
        """Try the canaries as a dry run on every control plane's own API server, but for those that are known to be off.

        Raises TransientError when a server cannot be asked: a hold that was not seen everywhere is not in place.
        """
        return self._of_each(silent, lambda server, version, rebuilt: tried(*server, version, rebuilt=rebuilt))

    def backup_tried(self, namespace: str, claim: str, source: str, silent: Collection[str] = ()) -> tuple[Refusal, ...]:
        """See ports.HoldView: one dry run of its mover's Job on each API server."""
        return self._of_each(silent, lambda server, version, _: [backup_tried(*server, version, namespace, claim, source)])

    def _of_each(self, silent: Collection[str], ask: _Ask) -> tuple[Refusal, ...]:
        servers = [(address, client) for address, client in self._clients.each() if address not in silent]
        answers = each(self._workers, lambda server: self._answers(server, ask), servers, at_once=max(1, len(servers)))
        return tuple(answer for of_one in answers for answer in of_one)

    def _answers(self, server: _Server, ask: _Ask) -> list[Refusal]:
        """One server's answers; asked again while it may only be a moment behind what is written."""
        behind, again_s = Deadline(self._clock, _BEHIND_S), _AGAIN_S
        while True:
            found = self._clients.main().get(CONFIG_MAP, RECORD, NAMESPACE)
            version = text(found, "metadata", "resourceVersion") if found is not None else ""
            rebuilt = record(_data(found)).rebuilt if found is not None else False
            answers = ask(server, version, rebuilt)
            if behind.passed or all(answer.verdict is not Verdict.STALE for answer in answers):
                return answers
            pause(self._clock, min(again_s, behind.left_s))
            again_s *= 2

    def install(self, *, rebuilt: bool) -> None:
        """Make namespace, record, policies and bindings; what is there and differs is replaced whole.

        With `rebuilt`, where no policy of ours was there and something is held, the record says so first: cut off in between,
        the next one finds no policy and writes it again. At the end the record is written once more: only a server that follows
        it knows of that.
        """
        client = self._clients.main()
        self._ensure_namespace(client)
        found = client.get(CONFIG_MAP, RECORD, NAMESPACE)
        begins = rebuilt and not self._any_policy(client)
        if found is None or begins:
            self._write_record(client, found, {PHASE: REBUILT} if begins else {})
        for kind, ours in _OBJECTS:
            _put_whole(client, kind, ours)
        client.merge(CONFIG_MAP, RECORD, {"metadata": {"annotations": {_WRITTEN: str(uuid4())}}}, NAMESPACE)

    def _any_policy(self, client: ApiClient) -> bool:
        """Whether a policy of ours is there, be it an older version's."""
        names = {name_of(policy) for policy in POLICIES}
        return any(name_of(obj) in names for obj in client.list_objects(ADMISSION_POLICY))

    def put(self, claim: HeldClaim) -> None:
        """Write one claim's keys, nobody else's; creates namespace and record. Compare-and-swap, tried again when it lost.

        Raises TransientError when this very claim was changed by somebody else since it was read (`HeldClaim.seen`), or just now.
        """
        self._put(entry(claim), claim.key, claim)

    def accept(self, database: AcceptedDatabase) -> None:
        """Write one database's keys, as `put` does for a claim."""
        self._put(database_entry(database), database.key)

    def put_database(self, database: PinnedDatabase) -> None:
        """Write one database's keys, as `put` does for a claim."""
        self._put(pinned_entry(database), database.key)

    def _put(self, keys: Mapping[str, str | None], whose: str, claim: HeldClaim | None = None) -> None:
        client = self._clients.main()
        before: dict[str, str | None] | None = None
        for _ in range(_TRIES):
            found = client.get(CONFIG_MAP, RECORD, NAMESPACE)
            if claim is not None:
                claim.refuse_over(record(_data(found) if found else None).claim(claim.namespace, claim.claim))
            ours = {key: (_data(found) if found else {}).get(key) for key in keys}
            if before is not None and ours != before:
                raise TransientError(f"The record of {whose} was changed by somebody else just now")
            before = ours
            if found is None:
                self._ensure_namespace(client)
            elif all(ours[key] == value for key, value in keys.items()):
                return
            try:
                self._write_record(client, found, keys)
                return
            except (Changed, AlreadyThere, ObjectAbsent):
                continue
        raise TransientError(f"The hold's record changed {_TRIES} times while {whose} was written")

    def _write_record(self, client: ApiClient, found: Obj | None, keys: Mapping[str, str | None]) -> None:
        data: dict[str, str | None] = {**CANARY_KEYS, **(_data(found) if found else {}), **keys}
        if not holds(data):
            data[PHASE] = None
        kept = {key: value for key, value in data.items() if value is not None}
        metadata: Obj = {
            "name": RECORD,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/managed-by": "blackstart"},
        }
        if found is None:
            client.create(CONFIG_MAP, {"metadata": metadata, "data": kept}, NAMESPACE)
        else:
            metadata = table(found, "metadata") | {"managedFields": None}
            client.replace(CONFIG_MAP, {"metadata": metadata, "data": kept}, NAMESPACE)

    def _ensure_namespace(self, client: ApiClient) -> None:
        try:
            client.create(NAMESPACE_KIND, {"metadata": {"name": NAMESPACE}})
        except AlreadyThere:
            return


def _data(config_map: Obj) -> dict[str, str]:
    return {key: str(value) for key, value in table(config_map, "data").items()}


def _put_whole(client: ApiClient, kind: Kind, ours: Obj) -> None:
    """Create, or replace what differs. Not server-side apply: that would keep a foreign variable or condition."""
    found = client.get(kind, name_of(ours))
    if found is None:
        client.create(kind, ours)
    elif not _same(found, ours):
        metadata = ours["metadata"] | {"resourceVersion": text(found, "metadata", "resourceVersion")}
        client.replace(kind, {"metadata": metadata, "spec": ours["spec"]})


def _same(found: Obj | None, ours: Obj) -> bool:
    return found is not None and _filled(table(found, "spec")) == _filled(ours["spec"])


def _filled(value: Any) -> Any:
    """Without what is empty: the API leaves out, or writes down, an empty selector as it likes."""
    if isinstance(value, dict):
        kept = {key: _filled(below) for key, below in value.items()}
        return {key: below for key, below in kept.items() if below not in ({}, [], "", None)}
    return [_filled(below) for below in value] if isinstance(value, list) else value
