"""As whom an application opens a claim: users and groups of every container that mounts it, as Git shows them. Asks nobody.

Of charts only the app-template's values are read, whose Pods follow from them; others are rendered by nobody here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster.lint.pods import WORKLOADS, pod_of
from cluster.lint.programs import Program, programs_of
from house.data.releases import merge
from house.files.shapes import mapping, sequence
from house.model import BackedUpClaim, House

_OVERRIDES = ("DAC_OVERRIDE", "CAP_DAC_OVERRIDE", "ALL")


@dataclass(frozen=True)
class User:
    """One container: `uid` None is whatever its image says. `groups` are all that it is in for certain; `given` is the fsGroup,
    which the kubelet gives every file to as it mounts, None for none. `mighty`: no mode keeps it out. `reads`: it only reads."""

    who: str
    uid: int | None
    groups: frozenset[int] = frozenset()
    given: int | None = None
    mighty: bool = False
    reads: bool = False


def users_of(house: House, claim: BackedUpClaim) -> tuple[User, ...]:
    """Every container that mounts the claim, init containers first; none where Git does not show one."""
    found: list[User] = []
    for one in house.rendered.objects:
        if one.kind in WORKLOADS and one.namespace == claim.namespace:
            found += _of_pod(pod_of(one), claim.claim, f"{one.kind} {one.name}")
    for program in programs_of(house, house.rendered):
        if program.app_template and program.namespace == claim.namespace:
            found += _of_values(program, claim.claim)
    return tuple(dict.fromkeys(found))


def _of_pod(pod: dict[str, Any], claim: str, owner: str) -> Iterator[User]:
    names = {
        str(volume.get("name")): mapping(volume.get("persistentVolumeClaim")).get("readOnly") is True
        for volume in map(mapping, sequence(pod.get("volumes")))
        if mapping(volume.get("persistentVolumeClaim")).get("claimName") == claim
    }
    for key in ("initContainers", "containers"):
        for container in map(mapping, sequence(pod.get(key))):
            mounts = [one for one in map(mapping, sequence(container.get("volumeMounts"))) if str(one.get("name")) in names]
            if mounts:
                reads = all(names[str(one.get("name"))] or one.get("readOnly") is True for one in mounts)
                who = f"{owner}, {'init ' if key == 'initContainers' else ''}container {container.get('name')}"
                yield _user(who, mapping(pod.get("securityContext")), mapping(container.get("securityContext")), reads=reads)


def _of_values(program: Program, claim: str) -> Iterator[User]:
    items = [mapping(item) for item in mapping(program.at("persistence")).values()]
    mine = [item for item in items if item.get("existingClaim") == claim and item.get("enabled") is not False]
    if not mine:
        return
    for name, controller in mapping(program.at("controllers")).items():
        told = mapping(controller)
        if told.get("enabled") is False:
            continue
        usual = mapping(program.at("defaultPodOptions", "securityContext"))
        merged = program.at("defaultPodOptionsStrategy") == "merge"
        pod = _over(usual, mapping(mapping(told.get("pod")).get("securityContext")), merged=merged)
        common = mapping(mapping(told.get("defaultContainerOptions")).get("securityContext"))
        for key in ("initContainers", "containers"):
            for container, item in mapping(told.get(key)).items():
                mounted = [one for one in mine if _mounts(one, str(name), str(container))]
                if mounted and mapping(item).get("enabled") is not False:
                    merged = told.get("defaultContainerOptionsStrategy") == "merge"
                    own = _over(common, mapping(mapping(item).get("securityContext")), merged=merged)
                    who = f"{program.told}, {'init ' if key == 'initContainers' else ''}container {container}"
                    yield _user(who, pod, own, reads=all(one.get("readOnly") is True for one in mounted))


def _over(usual: dict[str, Any], own: dict[str, Any], *, merged: bool) -> dict[str, Any]:
    """As the chart joins them: what one says itself takes the whole place of what is usual, unless both are to be merged."""
    return merge(usual, own) if merged else own or usual


def _mounts(item: dict[str, Any], controller: str, container: str) -> bool:
    """Whether this claim is mounted there: everywhere, unless it says where."""
    advanced = mapping(item.get("advancedMounts"))
    return not advanced or container in mapping(advanced.get(controller))


def _user(who: str, pod: dict[str, Any], own: dict[str, Any], *, reads: bool) -> User:
    uid, gid = (_number(own.get(key, pod.get(key))) for key in ("runAsUser", "runAsGroup"))
    given = _number(pod.get("fsGroup"))
    groups = {one for one in (gid, given, *map(_number, sequence(pod.get("supplementalGroups")))) if one is not None}
    capabilities = mapping(own.get("capabilities"))
    dropped = {str(one).upper() for one in sequence(capabilities.get("drop"))} & {"ALL", "DAC_OVERRIDE", "CAP_DAC_OVERRIDE"}
    added = {str(one).upper() for one in sequence(capabilities.get("add"))} & set(_OVERRIDES)
    mighty = own.get("privileged") is True or (uid == 0 and (not dropped or bool(added)))
    # With OnRootMismatch the kubelet looks at the top alone, and what a mover left below it may stay as it is.
    recursive = pod.get("fsGroupChangePolicy") != "OnRootMismatch"
    return User(who, uid, frozenset(groups), given if recursive else None, mighty, reads)


def _number(value: Any) -> int | None:
    """A user or group; None for none, and for what only a variable says."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
