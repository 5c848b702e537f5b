"""The databases port, in process, on the modelled operator. Its SQL is one question: every row, in order, by spaces."""

from __future__ import annotations

import hashlib

from adapters.cnpg.manifest import written_server
from adapters.cnpg.results import DatabaseState, Left, Login, Reached
from adapters.kubernetes.objects import seconds
from engine.errors import PermanentError, TransientError
from engine.text import jsontext
from house.values.databases import DatabaseQuestion, RestorableDatabase
from lab.world.cluster.cnpg import Operator
from lab.world.cluster.databases import HEALTHY, UNRECOVERABLE, LabDatabase


class ModelledDatabases:
    """Databases port (ports.Databases)."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._kube = operator.kube
        self._world = operator.kube.world

    def database(self, namespace: str, name: str) -> DatabaseState:
        """See port.DatabasesView."""
        with self._world.looking():
            found = self._kube.objects().clusters.get((namespace, name))
            if found is None:
                return DatabaseState(False)
            return DatabaseState(
                True, found.uid, found.created, found.phase, found.reason, found.phase == HEALTHY, found.phase == UNRECOVERABLE,
                found.recovers, found.archiving, found.waiting, found.reached.system_id if found.reached is not None else "",
                found.to_sleep, found.ours, found.asleep, found.left, found.writes.rpartition("/")[2],
            )  # fmt: skip

    def draft(self, namespace: str, name: str) -> str:
        """See port.DatabasesView."""
        with self._world.looking():
            text = self._operator.drafts.get((namespace, name))
            return hashlib.sha256(text.encode()).hexdigest() if text is not None else ""

    def draft_server(self, namespace: str, name: str) -> str:
        """See port.DatabasesView."""
        with self._world.looking():
            return written_server(self._operator.drafts.get((namespace, name), "").encode())

    def draft_lacks(self, namespace: str, name: str) -> tuple[str, ...]:
        """See port.DatabasesView."""
        with self._world.looking():
            return self._operator.lacking.get(f"{namespace}/{name}", ())

    def write_draft(self, namespace: str, name: str, manifest: str) -> str:
        """See port.Databases."""
        with self._world.looking():
            self._operator.drafts[(namespace, name)] = manifest
            return str(self._kube.house.state_dir / "databases" / f"{namespace}.{name}.json")

    def recover(self, namespace: str, name: str, digest: str) -> None:
        """See port.Databases."""
        if self.draft(namespace, name) != digest:
            raise PermanentError("the recovery is not what the consent named any more", next_command="invoke dr.plan")
        with self._world.looking():
            objects = self._kube.objects()
            spec = jsontext.read(self._operator.drafts[(namespace, name)])["spec"]
            one = next(each for each in self._kube.house.restorable if each.key == f"{namespace}/{name}")
            folder = one.source.place.rpartition("/")[0]
            source = spec["bootstrap"]["recovery"]["source"]
            read = next(each["plugin"] for each in spec["externalClusters"] if each["name"] == source)
            written = next(each for each in spec["plugins"] if each.get("isWALArchiver"))
            target = spec["bootstrap"]["recovery"]["recoveryTarget"].get("targetTime", "")
            self._operator.make(
                objects, (namespace, name), f"{folder}/{written['parameters']['serverName']}",
                f"{folder}/{read['parameters']['serverName']}", seconds(target),
            )  # fmt: skip

    def rest(self, namespace: str, name: str, left: Left | None = None) -> None:
        """See port.Databases."""
        with self._world.looking():
            found = self._kube.objects().clusters.get((namespace, name))
            if found is None:
                raise PermanentError(f"There is no database {namespace}/{name} to hibernate")
            if not found.to_sleep:
                self._operator.sleep(found, on=True, left=left)

    def wake(self, namespace: str, name: str) -> None:
        """See port.Databases."""
        with self._world.looking():
            found = self._kube.objects().clusters.get((namespace, name))
            if found is not None and found.ours:
                self._operator.sleep(found, on=False)

    def hand_over(self, namespace: str, name: str) -> None:
        """See port.Databases. The modelled Flux changes no database that is there."""

    def reached(self, namespace: str, name: str) -> Reached:
        """See port.Databases."""
        with self._world.looking():
            return self._running(namespace, name)[1]

    def answer(self, namespace: str, name: str, question: DatabaseQuestion) -> str:
        """See port.Databases."""
        with self._world.looking():
            rows = self._running(namespace, name)[0].rows
            return " ".join(rows) if rows else 'ERROR:  relation "notes" does not exist'

    def login(self, database: RestorableDatabase) -> Login:
        """See port.Databases."""
        with self._world.looking():
            found, _ = self._running(database.database.namespace, database.database.name)
            refused = "" if found.password_works else 'FATAL:  password authentication failed for user "app"'
            return Login(True, database.secret, "app", refused, database.generated)

    def _running(self, namespace: str, name: str) -> tuple[LabDatabase, Reached]:
        found = self._kube.objects().clusters.get((namespace, name))
        if found is None or found.reached is None or found.asleep:
            raise TransientError(f"database {namespace}/{name} has no primary yet")
        return found, found.posing or found.reached
