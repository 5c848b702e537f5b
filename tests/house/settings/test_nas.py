"""What a NAS section of the settings comes to, joined with what the repository mounts of that server."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from house.declared.nas_declared import declared_nas, mounted_servers
from house.first.nas import nas_text
from house.repository.backups.hints import mover_mounts
from house.settings.references import SecretRef
from house.settings.sections import NasSection
from house.values.nas import Export, NasExport
from tests.house.data.test_data import rendered
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

POLICY = """
apiVersion: admissionregistration.k8s.io/v1beta1
kind: MutatingAdmissionPolicy
metadata: {name: volsync-mover-nfs}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [batch], resources: [jobs]}]}
  mutations:
    - patchType: JSONPatch
      jsonPatch:
        expression: >-
          [JSONPatch{path: "/spec/template/spec/volumes/-",
          value: Object{name: "volsync-nfs", nfs: {server: "10.0.0.5", path: "/mnt/tank/volsync/"}}}]
"""
MOUNTS = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: films}
spec: {capacity: {storage: 1Ti}, nfs: {server: NAS.lan, path: /mnt/tank//films}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: photos}
spec: {capacity: {storage: 1Ti}, csi: {driver: smb.csi.k8s.io, volumeAttributes: {source: //nas.lan/photos/2026}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: other}
spec: {capacity: {storage: 1Ti}, nfs: {server: elsewhere.lan, path: /export}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nfs}
provisioner: nfs.csi.k8s.io
parameters: {server: 10.0.0.5, share: /mnt/tank/k8s}
"""


def section(**changes: object) -> NasSection:
    told = {"url": "nas.lan", "ca_file": "ca.pem", "username": "blackstart", "api_key": "env:K", "also": ["10.0.0.5"], **changes}
    return NasSection.model_validate(told)


def test_what_manifests_mount_of_it_by_any_of_its_names_must_be_exported() -> None:
    whole = rendered(*MOUNTS.split("---"), POLICY)
    assert [(server, path) for server, path, _ in mover_mounts(whole)] == [("10.0.0.5", "/mnt/tank/volsync/")]
    (nas,) = declared_nas({"nas": section(exports=["/mnt/tank/films", "//home"])}, whole, str, lambda reference: reference)
    assert [(one.kind, one.place, one.movers) for one in nas.exports] == [
        (Export.NFS, "/mnt/tank/films", False), (Export.SMB, "home", False), (Export.SMB, "photos", False),
        (Export.NFS, "/mnt/tank/k8s", False), (Export.NFS, "/mnt/tank/volsync", True),
    ]  # fmt: skip
    assert nas.exports[0] == NasExport(Export.NFS, "/mnt/tank/films", "nas.nas.exports")
    assert (nas.host, nas.port, nas.names) == ("nas.lan", 443, frozenset({"nas.lan", "10.0.0.5"}))
    assert declared_nas({}, whole, str, lambda reference: reference) == ()
    assert list(mounted_servers(whole)) == ["NAS.lan", "nas.lan", "elsewhere.lan", "10.0.0.5"]


def test_ages_and_ports_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = SETTINGS + (
        "nas:\n  box: {url: 'wss://[fd00::5]:8443', ca_file: ca.pem, username: b, api_key: 'file:k', vm: 105, scrub_age: any, "
        "snapshot_age: 2d, datasets: [tank/backup]}\n"
    )
    (nas,) = load(write_repository(tmp_path, settings)).nas
    assert (nas.name, nas.host, nas.port, nas.address) == ("box", "fd00::5", 8443, "[fd00::5]:8443")
    assert (nas.scrub_age, nas.snapshot_age, nas.replication_age, nas.vm) == (0.0, 172800.0, 0.0, 105)
    assert nas.ca_file == str(tmp_path / "ca.pem")
    assert nas.api_key == SecretRef((f"file:{tmp_path / 'k'}",))
    assert section().snapshot_age is None


def test_the_sample_of_a_first_settings_file_names_what_is_mounted_and_is_in_force_nowhere() -> None:
    text = nas_text(rendered(*MOUNTS.split("---")))
    assert "# Mounted of NAS.lan: NFS /mnt/tank/films." in text
    assert all(line.startswith("#") for line in text.splitlines())


def test_the_way_by_ssh_names_whom_to_log_in_as() -> None:
    def of(ssh: str | None) -> tuple[str, int, str]:
        (nas,) = declared_nas({"nas": section(ssh=ssh)}, rendered(*MOUNTS.split("---")), str, lambda reference: reference)
        return nas.ssh_host, nas.ssh_port, nas.ssh_user

    assert of(None)[0] == ""
    assert of("ssh://root@nas.lan") == ("nas.lan", 22, "root")
    assert of("ssh://admin@[fd00::5]:2222/") == ("fd00::5", 2222, "admin")


@pytest.mark.parametrize(("ssh", "said"), [
    ("nas.lan", "is no SSH server"), ("ssh://nas.lan", "is no SSH server"), ("https://root@nas.lan", "is no SSH server"),
    ("ssh://root:word@nas.lan", "holds a password"), ("ssh://root@nas.lan/mnt", "names more than"),
    ("ssh://root@nas.lan?x", "names more than"), ("ssh://root@nas.lan:0", "is no SSH server"),
])  # fmt: skip
def test_what_is_no_way_by_ssh_is_refused(ssh: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        section(ssh=ssh)


def test_who_lists_its_exports_is_told_whole_or_not_at_all(tmp_path: Path) -> None:
    settings = SETTINGS + (
        "nas:\n  box: {url: 'wss://nas.lan', ca_file: ca.pem, username: b, api_key: 'file:k', ssh: 'ssh://root@nas.lan', "
        "ssh_known_hosts: known, ssh_key: key, smb_user: lister, smb_password: 'file:w'}\n"
    )
    (nas,) = load(write_repository(tmp_path, settings)).nas
    assert (nas.known_hosts, nas.ssh_key) == (str(tmp_path / "known"), str(tmp_path / "key"))
    assert (nas.smb_user, nas.smb_password) == ("lister", SecretRef((f"file:{tmp_path / 'w'}",)))
    for lacking, said in (({"smb_user": "a"}, "one of smb_user and smb_password"), ({"ssh_key": "k"}, "and no ssh")):
        with pytest.raises(ValidationError, match=said):
            section(**lacking)
