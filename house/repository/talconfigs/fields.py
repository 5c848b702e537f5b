"""Fields of a talconfig of another type than talhelper reads them as. Source: the types of talhelper 3.1, read by go-yaml v3."""

from __future__ import annotations

from house.files.problems import Steps
from house.files.shapes import mapping, sequence
from house.files.typed import GO_TRUTH, MAPPING, MAPPINGS, SCALAR_BY_NAME, SCALARS, WHOLE, Fields, amiss
from house.flux.placed import Placed
from house.repository.talconfigs.patches import parts_of

_WHOLE: Fields = {
    "controlPlane": MAPPING, "worker": MAPPING, "imageFactory": MAPPING, "cniConfig": MAPPING,
    "allowSchedulingOnControlPlanes": GO_TRUTH,
    **dict.fromkeys(
        ("patches", "clusterPodNets", "clusterSvcNets", "additionalApiServerCertSans", "additionalMachineCertSans"), SCALARS
    ),
}  # fmt: skip
_PART: Fields = {
    **dict.fromkeys(("patches", "nameservers", "extraManifests", "certSANs"), SCALARS),
    **dict.fromkeys(
        ("networkInterfaces", "userVolumes", "machineDisks", "machineFiles", "inlineManifests", "kernelModules"), MAPPINGS
    ),
    **dict.fromkeys(("nodeLabels", "nodeAnnotations", "nodeTaints"), SCALAR_BY_NAME),
    "ignoreHostname": GO_TRUTH, "overridePatches": GO_TRUTH, "disableSearchDomain": GO_TRUTH, "schematic": MAPPING,
}  # fmt: skip
_INTERFACE: Fields = {
    "addresses": SCALARS, "routes": MAPPINGS, "vlans": MAPPINGS, "dhcp": GO_TRUTH, "ignore": GO_TRUTH, "mtu": WHOLE,
    "vip": MAPPING, "bond": MAPPING, "deviceSelector": MAPPING,
}  # fmt: skip


def check_fields(reader: Placed) -> None:
    """Tell the reader each of them."""
    body = mapping(reader.document.value)
    _tell(reader, (), body, _WHOLE)
    for where, part in parts_of(body):
        if where:
            _tell(reader, where, part, _PART)
        for index, interface in enumerate(sequence(part.get("networkInterfaces"))):
            _tell(reader, (*where, "networkInterfaces", index), mapping(interface), _INTERFACE)


def _tell(reader: Placed, where: Steps, part: dict[str, object], fields: Fields) -> None:
    for steps, what, better in amiss(part, fields):
        reader.wrong((*where, *steps), what, better)
