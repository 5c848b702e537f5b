"""The port of lock files, on the places that restic's repositories lie at. Judges no lock: that is its user's to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from adapters.backups.judging import by_listing
from adapters.backups.opening import Opened, Openings
from adapters.backups.repository.heads import Keyring
from adapters.backups.repository.locks import read_lock
from adapters.backups.repository.sealed import Broken, NoKeyFits
from adapters.backups.results import Repository, RepositoryLock
from adapters.backups.stores.places import PlaceLacks, PlaceRefused, PlaceUnreachable
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import POD
from adapters.kubernetes.objects import name_of, namespace_of, text
from adapters.kubernetes.results import SeenPod
from adapters.kubernetes.workloads import ended
from engine.errors import PermanentError, TransientError
from engine.waiting import Clock
from house.values.sources import RESTIC


class ResticLocks:
    """Implements adapters.locks.port.Locks. restic's own `unlock` takes all that it holds for stale: this takes one by its name."""

    def __init__(self, openings: Openings, clients: Clients, clock: Clock) -> None:
        self._openings, self._clients = openings, clients
        self._keys, self._clock = Keyring(clock), clock

    def locks(self, repository: Repository) -> tuple[RepositoryLock, ...]:
        """See LocksView.locks."""
        with _told(repository, "its locks could not be looked at"):
            opened = self._opened(repository)
            # A store that is silent, and a place that has no repository, are told by listing alone.
            if (settled := by_listing(opened.place.contents())) is not None:
                verdict, detail = settled
                raise PermanentError(
                    f"{repository.name} is {verdict.value}: its locks could not be looked at", evidence=(detail,),
                    next_command="invoke dr.audit",
                )  # fmt: skip
            key = self._keys.key(opened)
            found = []
            there = opened.place.dated("locks")
            ahead = opened.place.ahead(self._clock.now()) if there else None
            for name, written in there.items():
                try:
                    ((_, content),) = opened.place.read((f"locks/{name}",))
                except PlaceLacks:
                    continue  # its owner has ended meanwhile, or renewed it under another name
                if content:  # restic passes over a lock file of no bytes
                    found.append(read_lock(key, name, content, written + (ahead or 0.0), timed=ahead is not None))
            return tuple(sorted(found, key=lambda lock: (lock.since or lock.written, lock.lock_id)))

    def pods(self, names: Collection[str]) -> tuple[SeenPod, ...]:
        """See LocksView.pods. By namespace and name."""
        if not names:
            return ()
        found = (pod for pod in self._clients.main().list_objects(POD) if name_of(pod) in names and not ended(POD, pod))
        told = (SeenPod(namespace_of(pod), name_of(pod), text(pod, "spec", "nodeName")) for pod in found)
        return tuple(sorted(told, key=lambda pod: pod.key))

    def remove(self, repository: Repository, lock_id: str) -> None:
        """See Locks.remove."""
        with _told(repository, f"lock {lock_id[:8]} could not be removed"):
            try:
                self._opened(repository).place.remove(f"locks/{lock_id}")
            except PlaceLacks:
                return

    def _opened(self, repository: Repository) -> Opened:
        if repository.engine != RESTIC:
            raise PermanentError(
                f"{repository.name} is {repository.engine}'s, which keeps nobody out by lock files",
                next_command="invoke dr.audit",
            )
        return self._openings.open(repository)


@contextmanager
def _told(repository: Repository, what: str) -> Iterator[None]:
    """The place's answers as errors of ours."""
    told = f"{repository.name}: {what}"
    try:
        yield
    except PlaceUnreachable as error:
        raise TransientError(told, evidence=(str(error),), hint="the store did not answer") from error
    except PlaceRefused as error:
        hint = error.hint or "these credentials may not do it: a store that nothing can be deleted from keeps its locks, too"
        raise PermanentError(told, evidence=(str(error),), hint=hint) from error
    except PlaceLacks as error:
        raise PermanentError(told, evidence=(str(error),), hint="is a repository there?", next_command="invoke dr.audit") from error
    except NoKeyFits as error:
        raise PermanentError(told, hint="the password opens none of its keys", next_command="invoke dr.audit") from error
    except Broken as error:
        raise PermanentError(told, evidence=(str(error),), next_command="invoke dr.audit") from error
