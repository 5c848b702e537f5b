"""A backed-up claim and the places that it is backed up to, its sources, as data. Opens nothing.

Git names a further one with a second ReplicationSource of the claim, the settings with `sources` of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from house.settings.references import SecretRef

RESTIC, KOPIA = "restic", "kopia"
"""The engines whose repositories are opened from here."""


@dataclass(frozen=True)
class BackupSource:
    """What a mover is given to reach it (`secret`, of the claim's namespace), and how it is opened from here, as in BackedUpClaim.

    `source` is the ReplicationSource that backs up to it, "" where nothing in Git does: a copy that is made otherwise. `max_age`
    (seconds, 0.0 for any) is what its newest backup may have by that source's schedule: what the claim requires is the claim's.
    """

    secret: str
    source: str
    mover_repository: str
    open_as: str
    password: SecretRef
    environment: tuple[tuple[str, SecretRef], ...]
    ca_file: str
    declared_in: str
    note: str = ""
    region: str = ""
    addressing: str = "path"
    max_age: float = 0.0


@dataclass(frozen=True)
class Requirement:
    """What a claim must come back with. `max_age` in seconds (0.0 = any age), `min_bytes` 0 = any size.

    `normal_since` (epoch seconds): when a person made the data fewer, so that older snapshots do not say what is usual.
    `max_loss` is the share (0.01 for one in a hundred) of its paths, and of its bytes, that the application may have taken away
    since it was restored.
    """

    required: bool
    max_age: float
    min_bytes: int
    normal_since: float = 0.0
    max_loss: float = 0.01


@dataclass(frozen=True)
class BackedUpClaim:
    """One claim of the catalog: a PersistentVolumeClaim that VolSync (restic) backs up, and how its repository is opened.

    `mover_repository` is what the mover sees (RESTIC_REPOSITORY), `open_as` what is opened from here ("" when nothing in
    `backups.open_as` fits: then the audit says so). `declared_in` is `file:line` for messages. `repository_note` says why
    `mover_repository` or `open_as` is "". `copy_method` is the destination's, `destination_app` the Kustomization that applies it:
    "" while nothing declares a destination. `capacity` is its volume's, in bytes, 0 where nobody says; `region` and `addressing`
    ("path", "virtual") are a bucket's. `destination_secret` is what Git gives its destination ("" as `repository_secret`).

    `others` are further places that it is backed up to. The same claim as one of those has it (`sources`) is a BackedUpClaim too,
    whose `origin` is that place's Secret: whatever reads one backup reads any of them.

    One that kopia backs up (`House.kopia`) has the `engine` kopia and the `identity` (`user@host:/path`) of its snapshots in a
    repository that many share. `by` is the kind of what backs it up: a ReplicationSource of VolSync's fork, a SnapshotPolicy of
    kopiur. `origin` is then that object's name where the claim has another backup.
    """

    namespace: str
    claim: str
    app: str
    destination: str
    source: str
    trigger: str
    repository_secret: str
    mover_repository: str
    open_as: str
    password: SecretRef
    environment: tuple[tuple[str, SecretRef], ...]
    ca_file: str
    uid: int | None
    gid: int | None
    requirement: Requirement
    flux_app: str
    declared_in: str
    git_restore_as_of: str = ""
    repository_note: str = ""
    copy_method: str = ""
    destination_app: str = ""
    capacity: int = 0
    region: str = ""
    addressing: str = "path"
    destination_secret: str = ""
    others: tuple[BackupSource, ...] = ()
    origin: str = ""
    engine: str = RESTIC
    identity: str = ""
    by: str = "ReplicationSource"

    @property
    def key(self) -> str:
        """`namespace/claim`."""
        return f"{self.namespace}/{self.claim}"

    @property
    def source_key(self) -> str:
        """What tells its places apart, in the lock file and on screens: the key alone for its first one."""
        return f"{self.key}@{self.origin}" if self.origin else self.key

    @property
    def git_secret(self) -> str:
        """The Secret that Git gives its destination."""
        return self.destination_secret or self.repository_secret

    @property
    def sources(self) -> tuple[BackedUpClaim, ...]:
        """The claim as each place has it that it is backed up to, its first one first."""
        return (self, *(self._of(one) for one in self.others))

    def _of(self, one: BackupSource) -> BackedUpClaim:
        return replace(
            self, origin=one.secret, repository_secret=one.secret, source=one.source or self.source, others=(),
            mover_repository=one.mover_repository, open_as=one.open_as, password=one.password, environment=one.environment,
            ca_file=one.ca_file, declared_in=one.declared_in, repository_note=one.note, region=one.region,
            addressing=one.addressing, destination_secret=self.git_secret,
            requirement=replace(self.requirement, max_age=one.max_age),
        )  # fmt: skip
