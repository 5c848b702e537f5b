"""The Databases port: Clusters of CloudNativePG over the API, and psql in the primary's pod (kubectl exec) for what they hold.

Knows no archive, and what is proven by an answer is not for it to say.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from adapters.cnpg.asking import ASK, QUIET, READ_ONLY, read_reached
from adapters.cnpg.manifest import HANDS_OFF, archives_under, reached_by, written_server
from adapters.cnpg.results import DatabaseState, Left, Login, Reached
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import JOB, POD, SECRET, Kind
from adapters.kubernetes.objects import Obj, condition, name_of, rows, seconds, table, text
from adapters.process.results import ProgramFailed, Runner
from engine.errors import PermanentError, TransientError
from engine.files.whole import write_whole
from engine.secrets import Secret
from engine.text.jsontext import an_object, read
from house.files.grammar import number_of
from house.values.databases import DatabaseQuestion, RestorableDatabase

CLUSTER = Kind("postgresql.cnpg.io", "v1", "clusters", "Cluster")
STORE = Kind("barmancloud.cnpg.io", "v1", "objectstores", "ObjectStore")
HEALTHY = "Cluster in healthy state"
HOPELESS = (
    "Cluster is unrecoverable and needs manual intervention", "Cluster cannot proceed to reconciliation due to an unknown plugin",
)  # fmt: skip
HIBERNATION = "cnpg.io/hibernation"
"""Annotation of a Cluster that has it hibernate, and the type of the condition that says that it does."""
MARK = "blackstart/hibernated"
_FOLDER = "databases"
_LIMIT_S = 120.0
_LOGIN = r"""read -r PGPASSWORD; export PGPASSWORD; exec psql -X -A -t -q -w -h 127.0.0.1 -U "$1" -d "$2" -c 'SELECT 1'"""
_SAID = re.compile(
    r"\bERROR: |password authentication failed|no password supplied|FATAL: .* does not exist|no pg_hba.conf entry"
    r"|not permitted to log in"
)
"""What PostgreSQL itself answers; that it starts or stops is none, and neither is what kubectl says."""


class Said(PermanentError):
    """PostgreSQL's own no: the first line of `evidence`."""


class CloudNativePg:
    """The Databases port on a real API."""

    def __init__(self, clients: Clients, runner: Runner, state_dir: Path) -> None:
        self._clients, self._runner, self._folder = clients, runner, state_dir / _FOLDER

    def database(self, namespace: str, name: str) -> DatabaseState:
        """See port.DatabasesView. A cluster that does not serve the kind has no such database."""
        client = self._clients.main()
        served = client.list_if_served(CLUSTER, namespace)
        found = next((one for one in served or [] if name_of(one) == name), None)
        if found is None:
            return DatabaseState(False)
        phase = text(found, "status", "phase")
        archiving = condition(found, "ContinuousArchiving")
        no = archiving.get("status") == "False"
        return DatabaseState(
            True, text(found, "metadata", "uid"), seconds(text(found, "metadata", "creationTimestamp")), phase,
            text(found, "status", "phaseReason"), phase == HEALTHY and bool(text(found, "status", "currentPrimary")),
            phase in HOPELESS, bool(table(found, "spec", "bootstrap", "recovery")),
            (text(archiving, "message") or text(archiving, "reason") or "no reason told") if no else "",
            () if phase == HEALTHY else tuple(_waiting(client, namespace, name)), text(found, "status", "systemID"),
            _to_sleep(found), bool(text(found, "metadata", "annotations", MARK)),
            condition(found, HIBERNATION).get("status") == "True", _left(text(found, "metadata", "annotations", MARK)),
            archives_under(found),
        )  # fmt: skip

    def draft(self, namespace: str, name: str) -> str:
        """See port.DatabasesView."""
        try:
            return hashlib.sha256(self._file(namespace, name).read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def draft_server(self, namespace: str, name: str) -> str:
        """See port.DatabasesView."""
        try:
            return written_server(self._file(namespace, name).read_bytes())
        except FileNotFoundError:
            return ""

    def draft_lacks(self, namespace: str, name: str) -> tuple[str, ...]:
        """See port.DatabasesView."""
        try:
            needed = reached_by(self._file(namespace, name).read_bytes())
        except FileNotFoundError:
            return ()
        client = self._clients.main()
        gone = [(kind, one) for kind, one in needed if client.get(STORE if kind == STORE.name else SECRET, one, namespace) is None]
        return tuple(f"{kind} {namespace}/{one}" for kind, one in gone)

    def write_draft(self, namespace: str, name: str, manifest: str) -> str:
        """See port.Databases: 0600, whole or not at all."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(namespace, name)
        write_whole(file, manifest)
        return str(file)

    def recover(self, namespace: str, name: str, digest: str) -> None:
        """See port.Databases."""
        content = self._file(namespace, name).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            told = f"{self._file(namespace, name)} is not what the consent named any more"
            raise PermanentError(told, next_command="invoke dr.plan")
        made: Obj = read(content, an_object)
        named = (text(made, "kind"), text(made, "metadata", "namespace"), text(made, "metadata", "name"))
        if named != (CLUSTER.name, namespace, name) or not table(made, "spec", "bootstrap", "recovery"):
            raise PermanentError(f"{self._file(namespace, name)} is no recovery of {namespace}/{name}")
        # Created, never applied: over a database that is there it would change where that archives to.
        self._clients.main().create(CLUSTER, {key: made[key] for key in ("metadata", "spec")}, namespace)

    def rest(self, namespace: str, name: str, left: Left | None = None) -> None:
        """See port.Databases. What Flux applies names no such annotation, and leaves it alone."""
        client = self._clients.main()
        found = client.get(CLUSTER, name, namespace)
        if found is None:
            raise PermanentError(f"There is no database {namespace}/{name} to hibernate")
        if not _to_sleep(found):
            client.merge(CLUSTER, name, {"metadata": {"annotations": {HIBERNATION: "on", MARK: str(left or "yes")}}}, namespace)

    def wake(self, namespace: str, name: str) -> None:
        """See port.Databases. Nothing where it is gone, or not hibernated by us."""
        client = self._clients.main()
        found = client.get(CLUSTER, name, namespace)
        if found is not None and text(found, "metadata", "annotations", MARK):
            client.merge(CLUSTER, name, {"metadata": {"annotations": {HIBERNATION: "off", MARK: None}}}, namespace)

    def hand_over(self, namespace: str, name: str) -> None:
        """See port.Databases."""
        client = self._clients.main()
        found = client.get(CLUSTER, name, namespace)
        if found is not None and text(found, "metadata", "annotations", HANDS_OFF):
            client.merge(CLUSTER, name, {"metadata": {"annotations": {HANDS_OFF: None}}}, namespace)

    def reached(self, namespace: str, name: str) -> Reached:
        """See port.Databases."""
        return read_reached(self._psql(namespace, name, ASK, ("-d", "postgres")))

    def answer(self, namespace: str, name: str, question: DatabaseQuestion) -> str:
        """See port.Databases."""
        try:
            return self._psql(namespace, name, question.sql, ("-d", question.database)).strip()
        except Said as error:
            return error.evidence[0]

    def login(self, database: RestorableDatabase) -> Login:
        """See port.Databases. The password goes to the pod by standard input."""
        namespace = database.database.namespace
        found = self._clients.main().get(SECRET, database.secret, namespace)
        if found is None:
            return Login(False, refused=f"there is no Secret {namespace}/{database.secret}")
        given = {key: _decoded(str(value)) for key, value in table(found, "data").items()}
        user, password = given.get("username") or database.user, given.get("password", "")
        if not user or not password:
            return Login(False, database.secret, refused="it holds no username and password")
        words = ("sh", "-c", _LOGIN, "sh", user, given.get("dbname") or database.app_database or user)
        try:
            self._exec(namespace, database.database.name, words, Secret(f"{password}\n"))
        except Said as error:
            return Login(True, database.secret, user, error.evidence[0], database.generated)
        return Login(True, database.secret, user, generated=database.generated)

    def _psql(self, namespace: str, name: str, sql: str, words: Sequence[str]) -> str:
        asked = ("env", f"PGOPTIONS={READ_ONLY}", *QUIET, "-U", "postgres", *words)
        return self._exec(namespace, name, asked, sql.encode())

    def _exec(self, namespace: str, name: str, words: Sequence[str], given: bytes | Secret) -> str:
        """Run it in the primary's pod. TransientError where there is none, or it is not reached; Said for what PostgreSQL says."""
        found = self._clients.main().get(CLUSTER, name, namespace) or {}
        pod = text(found, "status", "currentPrimary")
        if not pod:
            raise TransientError(f"database {namespace}/{name} has no primary yet", evidence=(text(found, "status", "phase"),))
        config = str(self._clients.kubeconfig())
        argv = ["kubectl", "--kubeconfig", config, "-n", namespace, "exec", "-i", pod, "-c", "postgres", "--", *words]
        try:
            return self._runner.run(argv, stdin=given, timeout_s=_LIMIT_S).stdout.decode("utf-8", "replace")
        except ProgramFailed as error:
            said = tuple(line.strip() for line in error.evidence if _SAID.search(line))
            if said:
                raise Said(f"database {namespace}/{name} refuses", evidence=said) from error
            told = f"database {namespace}/{name} cannot be asked in its pod {pod}"
            raise TransientError(told, evidence=error.evidence[-3:]) from error

    def _file(self, namespace: str, name: str) -> Path:
        return self._folder / f"{namespace}.{name}.json"


def _waiting(client: ApiClient, namespace: str, name: str) -> list[str]:
    """What its Jobs and pods say while it is not healthy: a recovery that cannot go on says so there alone."""
    of_it = f"cnpg.io/cluster={name}"
    told = []
    for job in client.list_objects(JOB, namespace, labels=of_it):
        failed = condition(job, "Failed")
        if failed.get("status") == "True":
            told.append(f"Job {name_of(job)}: {text(failed, 'message') or text(failed, 'reason')}")
    for pod in client.list_objects(POD, namespace, labels=of_it):
        for container in (*rows(pod, "status", "initContainerStatuses"), *rows(pod, "status", "containerStatuses")):
            waits = table(container, "state", "waiting")
            ended = table(container, "state", "terminated") or table(container, "lastState", "terminated")
            if text(waits, "reason") not in ("", "PodInitializing", "ContainerCreating"):
                told.append(f"pod {name_of(pod)}: {text(waits, 'reason')}: {text(waits, 'message')}".rstrip(": "))
            elif ended and ended.get("exitCode"):
                end = f"{text(container, 'name')} ended with {ended['exitCode']}: {text(ended, 'message')}"
                told.append(f"pod {name_of(pod)}: {end}".rstrip(": "))
    return told


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except ValueError:
        return ""


def _left(mark: str) -> Left | None:
    """What the mark says; an older version's says nothing, and one that cannot be read neither."""
    said = [number_of(word) for word in mark.split()]
    match said:
        case [int(first), int(second), int(third)]:
            return Left(first, second, float(third))
    return None


def _to_sleep(found: Obj) -> bool:
    return text(found, "metadata", "annotations", HIBERNATION) == "on"
