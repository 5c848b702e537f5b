"""What goes wrong with a repository in a bucket, done to its objects. Knows restic's layout, not its contents."""

from __future__ import annotations

from lab.wire.s3.objects import ObjectStore

_ASIDE = ".aside/"


def break_off_newest(objects: ObjectStore, bucket: str, prefix: str) -> tuple[str, ...]:
    """Leave the repository as a backup that was killed leaves it: packs came, index and snapshot did not, a lock stays.

    restic uploads packs first and the snapshot last, so nothing refers to those packs. Answers the keys that are gone; the last
    pack is an upload that nobody ended. An older snapshot stays whole only if the newest index was the newest backup's own.
    """
    gone = []
    for folder in ("snapshots", "index"):
        found = [objects.head(bucket, key) for key in objects.keys(bucket, f"{prefix}/{folder}/")]
        if found:
            newest = max(found, key=lambda one: (one.written, one.key))
            objects.delete(bucket, newest.key)
            gone.append(newest.key)
    objects.write(bucket, f"{prefix}/locks/{'0' * 64}", b"")
    upload = objects.begin_upload(bucket, f"{prefix}/data/00/{'0' * 64}")
    objects.put_part(upload, 1, b"half of a pack")
    return tuple(gone)


def set_aside(objects: ObjectStore, bucket: str, prefix: str) -> None:
    """Nothing is at this place any more, as below a mount point before its mount has come."""
    _move(objects, bucket, prefix, _ASIDE + prefix)


def bring_back(objects: ObjectStore, bucket: str, prefix: str) -> None:
    """The repository is there again; what was made in its place meanwhile is covered by it, and gone."""
    for key in list(objects.keys(bucket, f"{prefix}/")):
        objects.delete(bucket, key)
    _move(objects, bucket, _ASIDE + prefix, prefix)


def _move(objects: ObjectStore, bucket: str, old: str, new: str) -> None:
    for key in list(objects.keys(bucket, f"{old}/")):
        objects.write(bucket, new + key.removeprefix(old), objects.read(bucket, key))
        objects.delete(bucket, key)


def lose_packs(objects: ObjectStore, bucket: str, prefix: str) -> int:
    """Delete every pack: lists still open, contents do not. Answers how many there were."""
    packs = list(objects.keys(bucket, f"{prefix}/data/"))
    for key in packs:
        objects.delete(bucket, key)
    return len(packs)
