"""A generated home-ops repository in the shape of the community's template: as many Flux Kustomizations as are asked for.

Every application has a HelmRelease of the app-template with values of a usual length, its chart's source, an ExternalSecret, and
every third one a claim that the component backs up. Written for a measurement; nothing is ever applied from it.
"""

from __future__ import annotations

from pathlib import Path

APPS_OF_A_NAMESPACE = 12
BACKED_UP_EVERY = 3
_INFRASTRUCTURE = 2
"""Kustomizations that are no application's: those of the repository's own two trees."""
_FLUX = "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
_SOURCE = "  sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}\n"

SYNC = """apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: https://git.house.invalid/home-ops.git, ref: refs/heads/main, path: kubernetes/flux/cluster}
"""

TREES = f"""{_FLUX}metadata: {{name: cluster-meta, namespace: flux-system}}
spec:
  interval: 1h
  path: ./kubernetes/flux/meta
  prune: true
{_SOURCE}{_FLUX}metadata: {{name: cluster-apps, namespace: flux-system}}
spec:
  dependsOn: [{{name: cluster-meta}}]
  interval: 1h
  path: ./kubernetes/apps
  prune: true
{_SOURCE}"""

SETTINGS = """apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-settings, namespace: flux-system}
data: {TIMEZONE: Europe/Vienna}
"""

KUSTOMIZATION = """metadata: {{name: &app {name}, namespace: &namespace {space}}}
spec:
  commonMetadata: {{labels: {{app.kubernetes.io/name: *app}}}}
{components}  interval: 30m
  path: ./kubernetes/apps/{space}/{name}/app
  postBuild: {{substitute: {{APP: *app, VOLSYNC_CAPACITY: 5Gi}}}}
  prune: true
  retryInterval: 2m
{source}  targetNamespace: *namespace
  timeout: 5m
  wait: false
"""

RELEASE = """---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: &app {name}}}
spec:
  interval: 1h
  chartRef: {{kind: OCIRepository, name: {name}}}
  values:
    controllers:
      {name}:
        annotations: {{reloader.stakater.com/auto: "true"}}
        containers:
          app:
            image: {{repository: registry.house.invalid/{name}, tag: 1.2.3}}
            env: {{TZ: Europe/Vienna, PORT: &port 8080, LEVEL: info, METRICS: "true"}}
            envFrom: [{{secretRef: {{name: {name}-secret}}}}]
            probes:
              liveness: &probe
                enabled: true
                custom: true
                spec: {{httpGet: {{path: /healthz, port: *port}}, initialDelaySeconds: 0, periodSeconds: 10, failureThreshold: 3}}
              readiness: *probe
            securityContext: {{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
            resources: {{requests: {{cpu: 10m, memory: 64Mi}}, limits: {{memory: 512Mi}}}}
    defaultPodOptions:
      securityContext: {{runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, fsGroupChangePolicy: OnRootMismatch}}
    service: {{app: {{ports: {{http: {{port: *port}}}}}}}}
    route:
      app:
        hostnames: ["{name}.house.invalid"]
        parentRefs: [{{name: envoy-internal, namespace: network, sectionName: https}}]
    persistence:
      config: {{existingClaim: "{name}"}}
      tmp: {{type: emptyDir}}
"""

CHART = """---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: {name}}}
spec:
  interval: 15m
  layerSelector: {{mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}}
  ref: {{tag: 4.4.0}}
  url: oci://registry.house.invalid/charts/app-template
"""

SECRET = """---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: {name}}}
spec:
  secretStoreRef: {{kind: ClusterSecretStore, name: vault}}
  target:
    name: {name}-secret
    template: {{data: {{TOKEN: "{{{{ .TOKEN }}}}"}}}}
  dataFrom: [{{extract: {{key: {name}}}}}]
"""

COMPONENT = {
    "kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
    "resources: [claim.yaml, destination.yaml, secret.yaml, source.yaml]\n",
    "claim.yaml": """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "${APP}"}
spec:
  accessModes: [ReadWriteOnce]
  dataSourceRef: {kind: ReplicationDestination, apiGroup: volsync.backube, name: "${APP}-dst"}
  resources: {requests: {storage: "${VOLSYNC_CAPACITY:=2Gi}"}}
  storageClassName: "${VOLSYNC_STORAGECLASS:=ceph-block}"
""",
    "destination.yaml": """apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: "${APP}-dst"}
spec:
  trigger: {manual: restore-once}
  restic: {repository: "${APP}-volsync", copyMethod: Snapshot, capacity: "${VOLSYNC_CAPACITY:=2Gi}"}
""",
    "secret.yaml": """apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: "${APP}-volsync"}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: vault}
  target:
    name: "${APP}-volsync"
    template: {data: {RESTIC_REPOSITORY: "/repository/${APP}", RESTIC_PASSWORD: "{{ .RESTIC_PASSWORD }}"}}
  dataFrom: [{extract: {key: volsync}}]
""",
    "source.yaml": """apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: "${APP}"}
spec:
  sourcePVC: "${APP}"
  trigger: {schedule: "0 * * * *"}
  restic: {repository: "${APP}-volsync", copyMethod: Snapshot, retain: {hourly: 24, daily: 7}}
""",
}
_OWN = "kind: Kustomization\nresources: ["


def write(root: Path, kustomizations: int) -> tuple[str, ...]:
    """Write the repository into the folder `root`; the folders that its Kustomizations build, in order."""
    apps = [f"app-{number:03}" for number in range(kustomizations - _INFRASTRUCTURE)]
    spaces = [apps[at : at + APPS_OF_A_NAMESPACE] for at in range(0, len(apps), APPS_OF_A_NAMESPACE)]
    files = {"kubernetes/flux/instance.yaml": SYNC, "kubernetes/flux/cluster/ks.yaml": TREES}
    files["kubernetes/flux/cluster/kustomization.yaml"] = f"{_OWN}./ks.yaml]\n"
    files["kubernetes/flux/meta/kustomization.yaml"] = f"{_OWN}./settings.yaml]\n"
    files["kubernetes/flux/meta/settings.yaml"] = SETTINGS
    files["kubernetes/apps/kustomization.yaml"] = f"{_OWN}{', '.join(f'./space-{at:02}' for at in range(len(spaces)))}]\n"
    files |= {f"kubernetes/components/volsync/{name}": text for name, text in COMPONENT.items()}
    folders = ["kubernetes/flux/cluster", "kubernetes/flux/meta", "kubernetes/apps"]
    for at, names in enumerate(spaces):
        space = f"space-{at:02}"
        here = f"kubernetes/apps/{space}"
        files[f"{here}/kustomization.yaml"] = f"{_OWN}./namespace.yaml, {', '.join(f'./{name}/ks.yaml' for name in names)}]\n"
        files[f"{here}/namespace.yaml"] = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n"
        for name in names:
            files |= _app(here, space, name, backed_up=apps.index(name) % BACKED_UP_EVERY == 0)
            folders.append(f"{here}/{name}/app")
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tuple(folders)


def _app(here: str, space: str, name: str, *, backed_up: bool) -> dict[str, str]:
    components = "  components: [../../../../components/volsync]\n" if backed_up else ""
    own = KUSTOMIZATION.format(name=name, space=space, components=components, source=_SOURCE)
    return {
        f"{here}/{name}/ks.yaml": _FLUX + own,
        f"{here}/{name}/app/kustomization.yaml": f"{_OWN}./secret.yaml, ./release.yaml, ./chart.yaml]\n",
        f"{here}/{name}/app/release.yaml": RELEASE.format(name=name),
        f"{here}/{name}/app/chart.yaml": CHART.format(name=name),
        f"{here}/{name}/app/secret.yaml": SECRET.format(name=name),
    }
