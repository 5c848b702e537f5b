"""What a pod's container gets: environment, mounts, identity, resolved as a kubelet resolves them. Starts nothing."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.parts.kube import CLAIMS, CONFIG_MAPS, SECRETS, VOLUMES, Object, Resource
from lab.parts.plane.pki import write_private

Lookup = Callable[[Resource, str, str], Object | None]
# What a container engine leaves to a container that asks for nothing.
_DEFAULT_CAPABILITIES = frozenset(
    {"audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod", "net_bind_service", "net_raw"}
    | {"setfcap", "setgid", "setpcap", "setuid", "sys_chroot"}
)
_TOKEN_S = 3600


class NotYet(Exception):
    """The container cannot be made now (a Secret is missing, a volume is not there): `reason` as a kubelet words it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Mount:
    """A directory or file of the host, and where the container sees it."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Identity:
    """As whom a container runs. `capabilities` without the CAP_ prefix, in lower case."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    capabilities: frozenset[str]


class PodSpec:
    """Reads one pod. `get` finds an object of the API (resource, name, namespace).

    `volumes` is where claims' directories lie, `exports` maps `server:path` of NFS to directories. `token` makes one of the pod's
    service account, for so many seconds.
    """

    def __init__(
        self, get: Lookup, pod: Object, folder: Path, volumes: Path, exports: Mapping[str, Path], token: Callable[[int], str]
    ) -> None:  # fmt: skip
        self._get, self._token = get, token
        self._pod = pod
        self._namespace = pod["metadata"]["namespace"]
        self._folder = folder
        self._volumes = volumes
        self._exports = exports

    def environment(self, container: Object) -> dict[str, str]:
        """The container's environment. NotYet when a Secret or ConfigMap that is not optional is missing."""
        found: dict[str, str] = {}
        for origin in container.get("envFrom") or []:
            for kind, resource in (("secretRef", SECRETS), ("configMapRef", CONFIG_MAPS)):
                if reference := origin.get(kind):
                    data = self._data(resource, reference["name"], bool(reference.get("optional"))) or {}
                    found |= {origin.get("prefix", "") + k: v.decode() for k, v in data.items()}
        for variable in container.get("env") or []:
            value = self._value(variable)
            if value is not None:
                found[variable["name"]] = value if "valueFrom" in variable else expanded(value, found)
        return found

    def _value(self, variable: Object) -> str | None:
        origin = variable.get("valueFrom")
        if not origin:
            return str(variable.get("value", ""))
        for kind, resource in (("secretKeyRef", SECRETS), ("configMapKeyRef", CONFIG_MAPS)):
            if reference := origin.get(kind):
                optional = bool(reference.get("optional"))
                data = self._data(resource, reference["name"], optional)
                if data is not None and reference["key"] in data:
                    return data[reference["key"]].decode()
                if not optional:
                    raise NotYet(
                        "CreateContainerConfigError", f"couldn't find key {reference['key']} in {reference['name']}"
                    )
                return None
        meta, spec = self._pod["metadata"], self._pod["spec"]
        fields: dict[str, str] = {
            "metadata.name": meta["name"],
            "metadata.namespace": meta["namespace"],
            "metadata.uid": meta["uid"],
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        }
        return fields.get((origin.get("fieldRef") or {}).get("fieldPath", ""), "")

    def mounts(self, container: Object) -> list[Mount]:
        """The container's mounts, with their sources made. NotYet when one is not there."""
        volumes = {v["name"]: v for v in self._pod["spec"].get("volumes") or []}
        group = (self._pod["spec"].get("securityContext") or {}).get("fsGroup")
        found = []
        for mount in container.get("volumeMounts") or []:
            source = self._source(volumes[mount["name"]], group)
            if source is not None:
                inner = source / mount["subPath"] if mount.get("subPath") else source
                found.append(Mount(inner, mount["mountPath"], bool(mount.get("readOnly"))))
        return found

    def _source(self, volume: Object, group: int | None) -> Path | None:
        own: Path = self._folder / "volumes" / volume["name"]
        if claim := volume.get("persistentVolumeClaim"):
            source = self._claimed(claim["claimName"])
            if group is not None and not claim.get("readOnly"):
                _give_to_group(source, group)
            return source
        if "emptyDir" in volume:
            if not own.exists():
                own.mkdir(parents=True)
                own.chmod(0o777)
            return own
        if nfs := volume.get("nfs"):
            export = self._exports.get(f"{nfs['server']}:{nfs['path']}")
            if export is None or not export.is_dir():
                raise NotYet("FailedMount", f"mount.nfs: no such export: {nfs['server']}:{nfs['path']}")
            return export
        if secret := volume.get("secret"):
            return self._laid_out(own, self._files(SECRETS, secret["secretName"], secret), secret, group)
        if config := volume.get("configMap"):
            return self._laid_out(own, self._files(CONFIG_MAPS, config["name"], config), config, group)
        # The API server adds a token to every pod; only one that the pod's own text asks for is made here.
        if (projected := volume.get("projected")) and not volume["name"].startswith("kube-api-access-"):
            parts = [self._projected(source) for source in projected.get("sources") or []]
            return self._laid_out(own, {path: content for part in parts for path, content in part.items()}, projected, group)
        return None  # the programs of the lab get what they need in other ways

    def _claimed(self, name: str) -> Path:
        claim = self._get(CLAIMS, name, self._namespace)
        bound = ((claim or {}).get("spec") or {}).get("volumeName")
        volume = self._get(VOLUMES, bound, "") if bound else None
        source: Path | None = self._volumes / volume["spec"]["csi"]["volumeHandle"] if volume else None
        if source is None or not source.is_dir():
            raise NotYet("FailedMount", f"the volume of claim {name} is not there")
        return source

    def _projected(self, source: Object) -> dict[str, bytes]:
        if asked := source.get("serviceAccountToken"):
            return {asked["path"]: self._token(int(asked.get("expirationSeconds", _TOKEN_S))).encode()}
        for kind, resource in (("secret", SECRETS), ("configMap", CONFIG_MAPS)):
            if wanted := source.get(kind):
                return self._files(resource, wanted["name"], wanted)
        raise NotYet("FailedMount", f"lab: no volume is made of {', '.join(source)} here")

    def _files(self, resource: Resource, name: str, wanted: Object) -> dict[str, bytes]:
        """What a Secret or ConfigMap gives, by its place in the volume."""
        data = self._data(resource, name, bool(wanted.get("optional"))) or {}
        chosen = {i["key"]: i["path"] for i in wanted.get("items") or []} or {k: k for k in data}
        return {path: data[key] for key, path in chosen.items() if key in data}

    @staticmethod
    def _laid_out(own: Path, files: Mapping[str, bytes], wanted: Object, group: int | None) -> Path:
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        own.chmod(0o755)
        for path, content in files.items():
            write_private(own / path, content)
            if group is not None and os.geteuid() == 0:
                os.chown(own / path, -1, group)
            (own / path).chmod(wanted.get("defaultMode", 0o644))
        return own

    def _data(self, resource: Resource, name: str, optional: bool) -> dict[str, bytes] | None:
        item = self._get(resource, name, self._namespace)
        if item is None:
            if optional:
                return None
            raise NotYet("CreateContainerConfigError", f'{resource.plural.removesuffix("s")} "{name}" not found')
        data = item.get("data") or {}
        if resource is SECRETS:
            return {k: base64.b64decode(v) for k, v in data.items()}
        return {k: v.encode() for k, v in data.items()}

    def identity(self, container: Object) -> Identity:
        """As whom the container runs, from both security contexts."""
        pod = self._pod["spec"].get("securityContext") or {}
        own = container.get("securityContext") or {}
        uid = own.get("runAsUser", pod.get("runAsUser", 0))
        gid = own.get("runAsGroup", pod.get("runAsGroup", 0))
        groups = set(pod.get("supplementalGroups") or [])
        if pod.get("fsGroup") is not None:
            groups.add(pod["fsGroup"])
        asked = own.get("capabilities") or {}
        dropped = {c.lower() for c in asked.get("drop") or []}
        kept = frozenset() if "all" in dropped or own.get("privileged") else _DEFAULT_CAPABILITIES - dropped
        added = {c.lower().removeprefix("cap_") for c in asked.get("add") or []}
        return Identity(uid, gid, tuple(sorted(groups)), frozenset(kept | added))


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """What a kubelet makes of a value, a command or an argument: `$(NAME)` is the variable where it is known, `$$` one `$`."""

    def known(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else environment.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", known, text)


def _give_to_group(folder: Path, group: int) -> None:
    """What a kubelet does for fsGroup: all of the volume belongs to the group, which may read and write; directories pass it on."""
    if os.geteuid() != 0:
        return  # only root may give away: ownership is not compared then
    for top, _, files in os.walk(folder):
        for path in [Path(top), *(Path(top) / n for n in files)]:
            if path.is_symlink():
                os.lchown(path, -1, group)
                continue
            mode = path.stat().st_mode
            os.chown(path, -1, group)
            wanted = mode | 0o660 | (0o2110 if path.is_dir() else 0)
            path.chmod(wanted & 0o7777)
