"""A small home-ops repository as files, written by hand: two nodes, four releases, three backed-up claims, one of each oddity."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "talos/talenv.yaml": "talosVersion: v1.13.9\nkubernetesVersion: v1.36.3\n",
    "talos/talconfig.yaml": """---
clusterName: small
talosVersion: "${talosVersion}"
kubernetesVersion: "${kubernetesVersion}"
endpoint: https://127.10.0.10:6443
nodes:
  - hostname: cp-1
    ipAddress: 127.10.0.11
    installDisk: /dev/sda
    controlPlane: true
    userVolumes:
      - name: data
        provisioning: {diskSelector: {match: disk.dev_path == '/dev/sdb'}}
    networkInterfaces: &interfaces
      - deviceSelector: {hardwareAddr: "BC:24:11:00:00:01"}
        vip: {ip: 127.10.0.10}
  - hostname: w-1
    ipAddress: 127.10.0.14
    installDisk: /dev/sda
    controlPlane: false
    networkInterfaces:
      - deviceSelector: {hardwareAddr: "bc:24:11:00:00:04"}
patches: ["@./patches/kubelet.yaml"]
""",
    "talos/patches/kubelet.yaml": "machine: {kubelet: {extraArgs: {}}}\n",
    ".sops.yaml": """creation_rules:
  - path_regex: talos/.*
    age: age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq
  - path_regex: kubernetes/.*
    key_groups: [{age: [age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq]}]
""",
    "bootstrap/helmfile.yaml": """---
helmDefaults: {wait: true, atomic: true}
repositories: [{name: cilium, url: "https://127.10.0.20/charts"}]
releases:
  - {name: cilium, namespace: kube-system, chart: cilium/cilium, version: 1.10}
  - name: coredns
    namespace: kube-system
    chart: oci://127.10.0.20:5000/charts/coredns
    version: 1.43.0
    needs: [cilium]
  - {name: old, namespace: kube-system, chart: cilium/y, version: 1.0.0, installed: false}
  - name: flux-operator
    namespace: flux-system
    atomic: false
    chart: oci://127.10.0.20:5000/charts/flux-operator
    version: 0.58.1
    needs: [kube-system/coredns]
  - name: flux-instance
    namespace: flux-system
    chart: oci://127.10.0.20:5000/charts/flux-instance
    version: 0.58.1
    needs: [default/flux-system/flux-operator]
    values: [../kubernetes/apps/flux-system/flux-instance/values.yaml]
""",
    "kubernetes/apps/flux-system/flux-instance/values.yaml": """instance:
  sync:
    kind: GitRepository
    url: https://127.10.0.22/home-ops.git
    ref: refs/heads/main
    path: kubernetes/flux/cluster
""",
    "kubernetes/apps/flux-system/kustomization.yaml": "kind: Kustomization\nnamespace: flux-system\nresources: []\n",
    "kubernetes/flux/cluster/ks.yaml": """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: cluster-apps, namespace: flux-system}
spec:
  path: ./kubernetes/apps
  patches:
    - patch: |-
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: not-used}
        spec: {postBuild: {substituteFrom: [{kind: ConfigMap, name: cluster-settings}, {kind: Secret, name: cluster-secrets}]}}
      target: {kind: Kustomization, labelSelector: substitution/disabled notin (true)}
  interval: 1h
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
""",
    "kubernetes/components/common/kustomization.yaml": "kind: Component\nresources: [./settings.yaml]\n",
    "kubernetes/components/common/settings.yaml": """apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-settings}
data: {BUCKET: backups}
""",
    "kubernetes/components/volsync/kustomization.yaml": """kind: Component
resources: [./secret.yaml, ./claim.yaml, ./destination.yaml, ./source.yaml]
""",
    "kubernetes/components/volsync/secret.yaml": """apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: "${APP}-volsync"}
spec:
  target:
    name: "${APP}-volsync-secret"
    template: {data: {RESTIC_REPOSITORY: "/repository/${APP}", RESTIC_PASSWORD: "{{ .RESTIC_PASSWORD }}"}}
""",
    "kubernetes/components/volsync/claim.yaml": """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "${VOLSYNC_CLAIM:=${APP}}"}
spec:
  dataSourceRef: {kind: ReplicationDestination, apiGroup: volsync.backube, name: "${VOLSYNC_CLAIM:-${APP}}-bootstrap"}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 5Gi}}
""",
    "kubernetes/components/volsync/destination.yaml": """apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: "${VOLSYNC_CLAIM:-${APP}}-bootstrap"}
spec:
  trigger: {manual: restore-once}
  restic:
    repository: "${APP}-volsync-secret"
    copyMethod: "${VOLSYNC_COPYMETHOD:-Snapshot}"
    moverSecurityContext:
      runAsUser: ${VOLSYNC_UID:-65534}
      runAsGroup: ${VOLSYNC_GID:-65534}
""",
    "kubernetes/components/volsync/source.yaml": """apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: "${VOLSYNC_CLAIM:-${APP}}"}
spec:
  sourcePVC: "${VOLSYNC_CLAIM:-${APP}}"
  trigger: {schedule: "0 * * * *"}
  restic: {repository: "${APP}-volsync-secret"}
""",
    "kubernetes/apps/apps/kustomization.yaml": """kind: Kustomization
namespace: apps
components: [../../components/common]
resources: [./notes/ks.yaml, ./photos/ks.yaml, ./vault/ks.yaml, ./odd/ks.yaml]
""",
    "kubernetes/apps/apps/notes/ks.yaml": """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: &app notes, namespace: apps}
spec:
  targetNamespace: apps
  path: ./kubernetes/apps/apps/notes/app
  components: [../../../../components/volsync]
  wait: true
  dependsOn: [{name: photos}, {name: volsync, namespace: volsync-system}]
  postBuild: {substitute: {APP: *app, VOLSYNC_CLAIM: notes-data, VOLSYNC_UID: "1000", VOLSYNC_GID: "1001"}}
  interval: 1h
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
""",
    "kubernetes/apps/apps/notes/app/kustomization.yaml": """kind: Kustomization
resources: [./deployment.yaml, ./secret.sops.yaml]
""",
    "kubernetes/apps/apps/notes/app/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: notes}\n",
    "kubernetes/apps/apps/photos/ks.yaml": """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: photos, namespace: apps}
spec:
  targetNamespace: media
  suspend: true
  path: ./kubernetes/apps/apps/photos/app
  interval: 1h
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
""",
    "kubernetes/apps/apps/photos/app/backup.yaml": """---
apiVersion: v1
kind: Secret
metadata: {name: photos-restic}
stringData: {RESTIC_REPOSITORY: "s3:https://127.10.0.30:9000/${BUCKET}/photos", RESTIC_PASSWORD: not-read}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: photos}
spec:
  sourcePVC: photos
  restic: {repository: photos-restic}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: photos-dst}
spec:
  trigger: {manual: once}
  restic: {repository: photos-restic, restoreAsOf: "2026-01-02T03:04:05Z", copyMethod: Direct}
""",
    "kubernetes/apps/apps/vault/ks.yaml": """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: vault, namespace: apps, labels: {substitution/disabled: "true"}}
spec:
  targetNamespace: apps
  path: ./kubernetes/apps/apps/vault/app
  interval: 1h
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
""",
    "kubernetes/apps/apps/vault/app/backup.yaml": """---
apiVersion: v1
kind: Secret
metadata: {name: vault-restic}
stringData: {RESTIC_REPOSITORY: "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"}
sops: {age: []}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: vault}
spec:
  sourcePVC: vault
  restic: {repository: vault-restic}
""",
    "kubernetes/apps/apps/odd/ks.yaml": """---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: odd, namespace: apps}
spec:
  targetNamespace: odd
  path: ./kubernetes/apps/apps/odd/app
  interval: 1h
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
""",
    "kubernetes/apps/apps/odd/app/all.yaml": """---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: wiki}
spec: {sourcePVC: wiki, kopia: {repository: wiki}}
---
apiVersion: kopiur.home-operations.com/v1alpha1
kind: SnapshotPolicy
metadata: {name: chat}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: postgres}
spec: {plugins: [{name: barman-cloud.cloudnative-pg.io, isWALArchiver: true}]}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: lonely}
spec: {restic: {repository: nobody}}
""",
    "kubernetes/apps/archive/ignored.txt": "not YAML\n",
}

SETTINGS = """# yaml-language-server: $schema=blackstart.schema.json
house:
  name: small
  id: "5f1d7c2a9e"
  simulated: true
  repository: .
  state: state/small
proxmox:
  hosts: [pve-1, pve-4]
  endpoints:
    - url: https://127.10.0.101:8006
      ca_file: ca.pem
    - url: https://127.10.0.104:8006
      fingerprint: "ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab"
  token:
    id: blackstart@pve!run
    secret: ["env:PROXMOX_TOKEN_SECRET", "op://home/proxmox/token"]
node_defaults:
  storage: local-lvm
  bridge: vmbr0
  cores: 4
  memory: 8GiB
  disks:
    - size: 20GiB
    - size: 50GiB
nodes:
  cp-1:
    host: pve-1
    vm_id: 8001
  w-1:
    host: pve-4
    vm_id: 8004
    cores: 2
    disks:
      - size: 20GiB
        storage: fast
        fate: create
image:
  schematic: "376567988ad3"
  storage: local
sops:
  age_key: file:age.key
backups:
  password: sops:secrets/restic.sops.yaml#password
  open_as:
    - seen: "/repository/{app}"
      open: "sftp:backup@127.10.0.40:/tank/{app}"
    - seen: "s3:*"
      environment:
        AWS_ACCESS_KEY_ID: env:KEY_ID
        AWS_SECRET_ACCESS_KEY: env:KEY
      ca_file: ca.pem
  defaults:
    data: required
    max_age: 36h
    min_bytes: 1MiB
  claims:
    media/photos:
      data: may-be-empty
      max_age: any
    apps/vault:
      repository: /repository/vault
      password: env:VAULT_PASSWORD
limits:
  boot: 1m
"""


A_CA = """\
-----BEGIN CERTIFICATE-----
MIHlMIGYoAMCAQICAQEwBQYDK2VwMBExDzANBgNVBAMMBmxhYiBDQTAgFw0yMDAx
MDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowETEPMA0GA1UEAwwGbGFiIENBMCow
BQYDK2VwAyEA/DkN939PK9HqxSrR9hKmWjc6sc//X3te9ECqq5buz7KjEzARMA8G
A1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA54dJCwM4n4jMGQ32st5aSqJKqORemTCh
FQOsOF+Nx8llpdVn7AJ8prn9/AJYKad4zVVde7K7xZlD+7LRgDLmBw==
-----END CERTIFICATE-----
"""


def write_repository(root: Path, settings: str = SETTINGS) -> Path:
    """Write the repository and its settings below `root`; answers the settings file."""
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (root / "ca.pem").write_text(A_CA, encoding="utf-8")
    file = root / "blackstart.yaml"
    file.write_text(settings, encoding="utf-8")
    return file
