"""The Drills port on a real API: the scratch namespace, its fence and its Jobs. Writes nothing outside of that namespace."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from adapters.drills import canary, trials
from adapters.drills.answers import told_of
from adapters.drills.borrowed import Lender, writing
from adapters.drills.fence import (
    DRILL,
    POLICY,
    QUOTA,
    RECORD,
    SCRATCH,
    drills_of,
    forbidden,
    in_force,
    namespace_of,
    not_ours,
    ours,
    record,
    walls,
)
from adapters.drills.jobs import (
    CONTAINER,
    held_of,
    job_name,
    mounting,
    probe_job,
    probe_name,
    restore_job,
    restore_of,
    scratch_claim,
    seek_job,
    trial_job,
)
from adapters.drills.openings import SERVICE, Resolver, addresses_of, resolved
from adapters.drills.probes import SCRIPTS, ended_with, told
from adapters.drills.results import (
    Examination,
    Examined,
    FenceTrial,
    FenceWall,
    Found,
    Health,
    Order,
    Phase,
    Restore,
    Scheduled,
    Scratch,
    Sent,
    Trouble,
    Twist,
)
from adapters.drills.store import CANARY
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, from_answer, status_of
from adapters.kubernetes.kinds import (
    CLAIM,
    CONFIG_MAP,
    CRON_JOB,
    JOB,
    NAMESPACE,
    POD,
    REPLICATION_DESTINATION,
    SERVICE_ACCOUNT,
    VOLUME,
    Kind,
)
from adapters.kubernetes.lease import LeaseObject
from adapters.kubernetes.objects import Obj, condition, name_of, rows, seconds, table, text
from adapters.kubernetes.results import LeaseHolder
from adapters.volsync.contents import Reader
from adapters.volsync.mover import image_of_movers
from adapters.volsync.reader import Reading
from adapters.volsync.readerjob import waiting_for
from adapters.volsync.results import Compared, Meanwhile, Snapshot, idle
from engine.errors import PermanentError, TransientError
from engine.text.ages import older
from engine.waiting import Clock, wait_until
from house.values.rehearsing import Preset

_START_S = 300.0
_TRIAL_S = 420.0
_LOG_S = 120.0
_HEAD = 1 << 16
_QUOTA_S = 120.0
_ENDED = ("Succeeded", "Failed")


class KubernetesDrills:
    """See ports.Drills. `house_id` names the drill's own Lease; `resolver` says where a store's name leads."""

    def __init__(
        self, clients: Clients, house_id: str, clock: Clock, reader: Reader, resolver: Resolver = resolved
    ) -> None:  # fmt: skip
        self._clients, self._clock, self._reader, self._resolver = clients, clock, reader, resolver
        self._lease = LeaseObject(clients, drills_of(house_id), clock)

    def scratch(self) -> Scratch | None:
        """See ports.DrillsView. A volume whose claim is gone counts as left: its storage still holds it."""
        client = self._clients.main()
        found = client.get(NAMESPACE, SCRATCH)
        spaces = {name: one for name in (SCRATCH, CANARY) if (one := client.get(NAMESPACE, name)) is not None}
        if found is not None and not ours(found):
            raise not_ours(SCRATCH)
        made = [name for name, one in spaces.items() if ours(one)]
        claims = [f"claim {name_of(one)}" for name in made for one in client.list_objects(CLAIM, name)]
        places = [name for name in (SCRATCH, CANARY) if name in made or name not in spaces]
        volumes = [v for v in client.list_objects(VOLUME) if text(v, "spec", "claimRef", "namespace") in places]
        left = (*(f"namespace {name}" for name in made), *claims, *(f"volume {name_of(v)}" for v in volumes))
        if found is None:
            # Of a canary alone no drill can go on: it is cleared away.
            going = all(text(spaces[name], "metadata", "deletionTimestamp") for name in made)
            return Scratch(SCRATCH, "", deleting=going, left=left) if left else None
        notes = table(client.get(CONFIG_MAP, RECORD, SCRATCH) or {}, "data")
        return Scratch(
            SCRATCH, table(found, "metadata", "annotations").get(DRILL, ""), bool(text(found, "metadata", "deletionTimestamp")),
            tuple((str(k), str(v)) for k, v in sorted(notes.items())), left,
        )  # fmt: skip

    def restored(self, into: str) -> Restore:
        """See ports.DrillsView."""
        client, name = self._clients.main(), job_name("restore", into)
        job = client.get(JOB, name, SCRATCH)
        if job is None:
            return Restore(Phase.ABSENT)
        pods = self._pods(client, job)
        ended = _through(pods)
        if ended is not None:
            head = self._raw_log(client, ended, SCRATCH, {"limitBytes": str(_HEAD)})  # the rest is the comparison's
            return restore_of(head.decode("utf-8", "replace"))
        try:
            told = waiting_for(client, SCRATCH, name, pods)
        except PermanentError as error:
            return Restore(Phase.FAILED, Trouble.NOT_STARTED, "; ".join((error.what, *error.evidence)))
        late = older(seconds(text(job, "metadata", "creationTimestamp")), self._clock.now(), _START_S)
        if condition(job, "Failed").get("status") == "True" or (told and late):
            return Restore(Phase.FAILED, Trouble.NOT_STARTED, told or text(condition(job, "Failed"), "message"))
        return Restore(Phase.RUNNING, None, told)

    def examined(self, of: Examination) -> Examined:
        """See ports.DrillsView."""
        client, name = self._clients.main(), probe_name(of)
        job = client.get(JOB, name, SCRATCH)
        if job is None:
            return Examined(Phase.ABSENT)
        pods, failed = self._pods(client, job), condition(job, "Failed")
        ended = _through(pods)
        if ended is not None and of.probe.preset in (*SCRIPTS, Preset.HTTP):
            return told_of(told(self._log(client, ended)), ended)
        if ended is not None:
            return ended_with(*_ending(ended), self._log(client, ended))
        if failed.get("status") == "True":
            why = text(failed, "message") or text(failed, "reason")
            return Examined(Phase.DONE, Health.UNSEEN, f"it was not run to its end: {why}")
        try:
            waits = waiting_for(client, SCRATCH, name, pods)
        except PermanentError as error:
            return Examined(Phase.DONE, Health.UNSEEN, "; ".join((error.what, *error.evidence)))
        if waits and older(seconds(text(job, "metadata", "creationTimestamp")), self._clock.now(), _START_S):
            return Examined(Phase.DONE, Health.UNSEEN, f"its pod has not started in {_START_S:.0f} s: {waits}")
        return Examined(Phase.RUNNING, None, waits)

    def fence_in(self, drill: str) -> None:
        """See ports.Drills. Walls that are there already are made as they must be."""
        client = self._clients.main()
        try:
            client.create(NAMESPACE, namespace_of(drill))
        except AlreadyThere:
            found = client.get(NAMESPACE, SCRATCH) or {}
            if text(found, "metadata", "deletionTimestamp"):
                raise TransientError("the scratch namespace of an earlier drill is still being deleted") from None
            if table(found, "metadata", "annotations").get(DRILL) != drill:
                raise PermanentError("the scratch namespace is that of another drill") from None
        for kind, wall in walls():
            client.apply(kind, wall, SCRATCH, force=True)
        with suppress(AlreadyThere):
            client.create(CONFIG_MAP, record(), SCRATCH)
        # A quota refuses nothing before the cluster has taken it up: what its status says is what is held against a request.
        wait_until(
            self._clock, lambda: in_force(client.list_objects(QUOTA, SCRATCH)) or None, limit_s=_QUOTA_S,
            what=f"the quota of namespace {SCRATCH} to be in force",
        )  # fmt: skip

    def try_fence(self, namespace: str, destination: str) -> tuple[FenceTrial, ...]:
        """See ports.Drills."""
        client = self._clients.main()
        lent = self._lender().borrowed(namespace, destination)
        image, as_whom = image_of_movers(client), writing(client, namespace, destination, lent.mover)
        api = addresses_of(client)
        asked = {False: (*api, *lent.at), True: api}
        jobs = {}
        for movers, nowhere in asked.items():
            store = movers or lent.distant
            job = trial_job(image, lent.mover, as_whom, movers=movers, store=store, nowhere=nowhere)
            jobs[movers] = self._begun_anew(client, job)
        logs = {movers: self._log(client, self._ended(client, name)) for movers, name in jobs.items()}
        answers = [(wall, what, self._tried(client, kind, body)) for wall, what, kind, body in forbidden()]
        kinds = (POLICY, QUOTA, SERVICE_ACCOUNT, SERVICE, CONFIG_MAP, JOB)
        objects = [client.get(NAMESPACE, SCRATCH) or {}, *(one for kind in kinds for one in client.list_objects(kind, SCRATCH))]
        return (
            trials.egress(logs[False], asked[False], store=lent.distant), trials.store(logs[True]), trials.movers(logs[True], api),
            trials.token(*logs.values()),
            *(
                trials.refused(wall, {what: answer for of, what, answer in answers if of is wall})
                for wall in (FenceWall.QUOTA, FenceWall.BACKUPS)
            ),
            trials.names(objects),
        )  # fmt: skip

    def canary(self) -> Sent:
        """See ports.DrillsView."""
        return canary.sent(self._clients.main())

    def scheduled(self, namespace: str, name: str) -> Scheduled | None:
        """See ports.DrillsView."""
        found = self._clients.main().get(CRON_JOB, name, namespace)
        if found is None:
            return None
        last = text(found, "status", "lastScheduleTime")
        return Scheduled(table(found, "spec").get("suspend") is True, seconds(last) if last else None)

    def send_canary(self, namespace: str, destination: str, word: str) -> None:
        """See ports.Drills."""
        client = self._clients.main()
        drill = table(client.get(NAMESPACE, SCRATCH) or {}, "metadata", "annotations").get(DRILL, "")

        def log(where: str, job: str) -> str:
            return self._log(client, self._ended(client, job, where), where)

        canary.send(client, self._resolver, namespace, destination, word, drill, log)

    def find_canary(self, namespace: str, destination: str) -> Found:
        """See ports.Drills."""
        client = self._clients.main()
        mover = self._lender().borrowed(namespace, destination, Twist.CANARY).mover
        as_whom = writing(client, namespace, destination, mover)
        job = self._begun_anew(client, seek_job(destination, image_of_movers(client), mover, as_whom))
        return canary.found_in(self._log(client, self._ended(client, job)))

    def restore(self, order: Order) -> None:
        """See ports.Drills."""
        client = self._clients.main()
        found = client.get(REPLICATION_DESTINATION, order.destination, order.namespace)
        if found is None:
            raise PermanentError(f"there is no ReplicationDestination {order.namespace}/{order.destination}")
        mover = self._lender().borrowed(order.namespace, order.destination, order.twist, order.secret).mover
        as_whom = writing(client, order.namespace, order.destination, mover)
        with suppress(AlreadyThere):
            client.create(CLAIM, scratch_claim(order, found), SCRATCH)
        with suppress(AlreadyThere):
            client.create(JOB, restore_job(order, image_of_movers(client), mover, as_whom), SCRATCH)

    def compare(self, order: Order, meanwhile: Meanwhile = idle, *, anew: bool = False) -> Compared:
        """See ports.Drills."""
        mover = self._lender().borrowed(order.namespace, order.destination, secret=order.secret).mover
        whose, first = f"{order.namespace}/{order.destination}", None if anew else self._held(order)
        return self._reader.compare_as(SCRATCH, order.into, mover, order.wanted, whose, meanwhile, first)

    def _held(self, order: Order) -> Reading | None:
        """What the restore's own pod has found at its end; None where it says too little, was asked something else, or where
        whatever another pod has done to the claim since is not in it."""
        client = self._clients.main()
        job = client.get(JOB, job_name("restore", order.into), SCRATCH)
        if job is None:
            return None
        told = {text(one, "name"): text(one, "value") for one in rows(_container(job), "env")}
        asked = Snapshot(told.get("REPOSITORY_ID", ""), told.get("SNAPSHOT", ""))
        if asked != order.wanted or len(mounting(client.list_objects(JOB, SCRATCH), order.into)) > 1:
            return None
        ended = _through(self._pods(client, job))
        return held_of(self._raw_log(client, ended, SCRATCH, {})) if ended is not None else None

    def examine(self, of: Examination) -> None:
        """See ports.Drills. The user and groups are those of the restore: what it may not read, an application could not either."""
        client = self._clients.main()
        restore = client.get(JOB, job_name("restore", of.order.into), SCRATCH)
        if restore is None:
            raise PermanentError(f"nothing was restored into {of.order.into}")
        with suppress(AlreadyThere):
            client.create(JOB, probe_job(of, image_of_movers(client), _as_whom(restore)), SCRATCH)

    def note(self, key: str, value: str) -> None:
        """See ports.Drills."""
        self._clients.main().merge(CONFIG_MAP, RECORD, {"data": {key: value}}, SCRATCH)

    def clear(self) -> None:
        """See ports.Drills."""
        client = self._clients.main()
        found = client.get(NAMESPACE, SCRATCH)
        if found is not None and ours(found):
            client.delete(NAMESPACE, SCRATCH, uid=text(found, "metadata", "uid"))
        canary.clear(client)

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """See ports.Drills."""
        return self._lease.take(holder, seconds, over)

    def drop_lease(self, holder: str) -> None:
        """See ports.Drills."""
        self._lease.drop(holder)

    def _lender(self) -> Lender:
        return Lender(self._clients.main(), self._resolver)

    def _tried(self, client: ApiClient, kind: Kind, body: Obj) -> tuple[int, str]:
        """HTTP code and words of making this, tried without effect."""
        whole, what = {"apiVersion": kind.api_version, "kind": kind.name} | body, f"try a {kind.name} in the scratch namespace"
        answer = client.ask("POST", kind.path(SCRATCH), what, params={"dryRun": "All"}, body=whole)
        return answer.code, text(status_of(answer.body), "message")

    def _pods(self, client: ApiClient, job: Obj, where: str = SCRATCH) -> list[Obj]:
        """Of this very Job: those of one that was deleted before it, by the same name, may be there still."""
        return client.list_objects(POD, where, labels=f"batch.kubernetes.io/controller-uid={text(job, 'metadata', 'uid')}")

    def _ended(self, client: ApiClient, job: str, where: str = SCRATCH) -> Obj:
        since = self._clock.monotonic()

        def look() -> Obj | None:
            found = client.get(JOB, job, where)
            pods = self._pods(client, found, where) if found is not None else []
            told = waiting_for(client, where, job, pods)
            if told and self._clock.monotonic() - since > _START_S:
                raise PermanentError(f"a pod of the drill has not started in {_START_S:.0f} s", evidence=(told,))
            return _through(pods)

        return wait_until(self._clock, look, limit_s=_TRIAL_S, what=f"the pod of Job {where}/{job}")

    def _begun_anew(self, client: ApiClient, job: Obj) -> str:
        """The name of a Job that is begun now: what an earlier one of its name said is no answer to this."""
        name = name_of(job)
        client.delete(JOB, name, SCRATCH, cascade="Background")
        wait_until(
            self._clock, lambda: client.get(JOB, name, SCRATCH) is None or None, limit_s=_TRIAL_S,
            what=f"the deletion of an older Job {SCRATCH}/{name}",
        )  # fmt: skip
        client.create(JOB, job, SCRATCH)
        return name

    def _log(self, client: ApiClient, pod: Obj, where: str = SCRATCH) -> str:
        return self._raw_log(client, pod, where, {}).decode("utf-8", "replace")

    def _raw_log(self, client: ApiClient, pod: Obj, where: str, params: Mapping[str, str]) -> bytes:
        what, path = f"read the log of pod {where}/{name_of(pod)}", POD.path(where, name_of(pod), "log")
        asked = {"container": CONTAINER} | dict(params)
        answer = client.ask("GET", path, what, params=asked, accept="*/*", timeout_s=_LOG_S)
        if answer.code != 200:
            raise from_answer(answer.code, answer.body, what)
        return answer.body


def _through(pods: list[Obj]) -> Obj | None:
    """The one that has ended, well or not; None while none has."""
    return next((pod for pod in pods if text(pod, "status", "phase") in _ENDED), None)


def _as_whom(job: Obj) -> tuple[Obj, Obj]:
    """The security contexts of its pod and of that one's container."""
    return table(job, "spec", "template", "spec", "securityContext"), table(_container(job), "securityContext")


def _container(job: Obj) -> Obj:
    """The one container of its pods."""
    return next(iter(rows(job, "spec", "template", "spec", "containers")), {})


def _ending(pod: Obj) -> tuple[int | None, str]:
    """The exit code and the reason of its container's end; None where the kubelet does not tell it."""
    ended = next((table(one, "state", "terminated") for one in rows(pod, "status", "containerStatuses")), {})
    code = ended.get("exitCode")
    return (code if isinstance(code, int) else None), text(ended, "reason")
