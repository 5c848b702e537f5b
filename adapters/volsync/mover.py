"""What a restic mover of VolSync 0.16 is given, read from the house's own objects: image, Secret, certificates, user, volumes.

A pod made of it opens the repository as the mover does. Makes no pod itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import DEPLOYMENT, NAMESPACE, REPLICATION_DESTINATION, SECRET
from adapters.kubernetes.objects import Obj, rows, table, text
from engine.errors import PermanentError, TransientError

_IMAGE_ARGUMENT = "--restic-container-image="
_PRIVILEGED = "volsync.backube/privileged-movers"
_ENFORCED = "pod-security.kubernetes.io/enforce"
_GROUP_OF_VOLUMES = ("fsGroup", "fsGroupChangePolicy")
_CA_FOLDER, _CA_FILE = "/customCA", "ca.crt"
_GOOGLE, _GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS", "/credentials/gcs.json"
_VOLUMES_BELOW = "/mnt/"
_DEMANDED = ("RESTIC_REPOSITORY", "RESTIC_PASSWORD")

Identity = tuple[Obj, Obj]
"""As whom a pod runs: its own security context, and its container's."""


@dataclass(frozen=True)
class Mover:
    """What a pod needs to open the destination's repository. `privileged`: it can set owners, and so does its restore."""

    privileged: bool
    identities: tuple[Identity, ...]
    environment_from: tuple[Obj, ...] = ()
    environment: tuple[Obj, ...] = ()
    mounts: tuple[Obj, ...] = ()
    volumes: tuple[Obj, ...] = ()
    pod: tuple[tuple[str, object], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    resources: tuple[tuple[str, object], ...] = ()


def image_of_movers(client: ApiClient) -> str:
    """The image that the house's VolSync gives its restic movers: it is in the house already, with shell and restic.

    TransientError while there is no VolSync to ask.
    """
    own = ""
    for deployment in client.list_objects(DEPLOYMENT):
        for container in rows(deployment, "spec", "template", "spec", "containers"):
            for argument in (*_words(container, "args"), *_words(container, "command")):
                if argument.startswith(_IMAGE_ARGUMENT):
                    return argument.removeprefix(_IMAGE_ARGUMENT)
            labels = table(deployment, "metadata", "labels")
            if labels.get("app.kubernetes.io/name") == "volsync" and container.get("name") in ("manager", "volsync"):
                own = text(container, "image")
    if not own:
        raise TransientError(
            "No Deployment of VolSync is in the cluster, so the image that reads volumes is not known",
            hint="kubectl get deployments -A | grep volsync",
        )
    return own  # without that argument VolSync's movers run its own image


def _words(container: Obj, field: str) -> list[str]:
    found = container.get(field)
    return [str(word) for word in found] if isinstance(found, list) else []


def mover_of(client: ApiClient, namespace: str, destination: str, secret: str = "") -> Mover:
    """The mover of this ReplicationDestination, given this Secret in place of its own. PermanentError when it is not there or names
    no Secret."""
    found = client.get(REPLICATION_DESTINATION, destination, namespace)
    restic = table(found or {}, "spec", "restic")
    own = text(restic, "repository")
    secret = (secret or own) if own else ""
    if not secret:
        raise PermanentError(f"ReplicationDestination {namespace}/{destination} names no Secret of a restic repository")
    privileged, identities = identities_of(client, namespace, restic)
    environment, mounts, volumes = _certificates(restic)
    keys = table(client.get(SECRET, secret, namespace) or {}, "data")
    if _GOOGLE in keys:
        folder, _, file = _GOOGLE_FILE.rpartition("/")
        environment.append({"name": _GOOGLE, "value": _GOOGLE_FILE})
        mounts.append({"name": "gcs", "mountPath": folder, "readOnly": True})
        volumes.append({"name": "gcs", "secret": {"secretName": secret, "items": [{"key": _GOOGLE, "path": file}]}})
    for number, volume in enumerate(rows(restic, "moverVolumes")):
        mounts.append({"name": f"mover-{number}", "mountPath": _VOLUMES_BELOW + text(volume, "mountPath")})
        volumes.append({"name": f"mover-{number}", **table(volume, "volumeSource")})
    pod: list[tuple[str, object]] = [("affinity", restic["moverAffinity"])] if restic.get("moverAffinity") else []
    if account := text(restic, "moverServiceAccount"):
        pod += [("serviceAccountName", account), ("automountServiceAccountToken", True)]
    return Mover(
        privileged,
        identities,
        ({"secretRef": {"name": secret}},),
        tuple(environment),
        tuple(mounts),
        tuple(volumes),
        tuple(pod),
        tuple((str(k), str(v)) for k, v in table(restic, "moverPodLabels").items()),
        tuple(table(restic, "moverResources").items()),
    )


def lacks(client: ApiClient, namespace: str, secret: str) -> str:
    """What a mover that is given this Secret would never start for, "" for nothing."""
    found = client.get(SECRET, secret, namespace)
    if found is None:
        return f"Secret {namespace}/{secret} is not in the cluster"
    absent = [key for key in _DEMANDED if key not in table(found, "data")]
    return f"Secret {namespace}/{secret} has no {' and no '.join(absent)}" if absent else ""


def _certificates(restic: Obj) -> tuple[list[Obj], list[Obj], list[Obj]]:
    """Environment, mount and volume of the store's own authority; nothing where none is named."""
    custom = table(restic, "customCA")
    items = {"items": [{"key": text(custom, "key"), "path": _CA_FILE}]}
    if name := text(custom, "secretName"):
        source: Obj = {"secret": {"secretName": name, **items}}
    elif name := text(custom, "configMapName"):
        source = {"configMap": {"name": name, **items}}
    else:
        return [], [], []
    variable = {"name": "CUSTOM_CA", "value": f"{_CA_FOLDER}/{_CA_FILE}"}
    return [variable], [{"name": "custom-ca", "mountPath": _CA_FOLDER, "readOnly": True}], [{"name": "custom-ca", **source}]


def identities_of(client: ApiClient, namespace: str, restic: Obj) -> tuple[bool, tuple[Identity, ...]]:
    """Whether movers are privileged here, and as whom a volume is read: as the mover, then as root where that is allowed.

    Never with an fsGroup: a kubelet would change the owners that are to be compared.
    """
    found = client.get(NAMESPACE, namespace) or {}
    root: Identity = ({}, {"runAsUser": 0, "runAsGroup": 0, "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}})
    if table(found, "metadata", "annotations").get(_PRIVILEGED) == "true":
        return True, (root,)
    own = {key: value for key, value in table(restic, "moverSecurityContext").items() if key not in _GROUP_OF_VOLUMES}
    container: Obj = {"capabilities": {"drop": ["ALL"]}}
    if table(found, "metadata", "labels").get(_ENFORCED) != "restricted":
        return False, ((own, container), root)
    own = {"runAsUser": 65534, "runAsGroup": 65534} | own
    return False, ((own, container | {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),)
