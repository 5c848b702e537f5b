"""Small houses in the shapes of the community, each in a few files and with what it declares counted by hand."""

from __future__ import annotations

from tests.houses.rows import Row

Files = dict[str, str]
ENTRY = "kubernetes/flux"
APP = "kubernetes/apps/diary"
_FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"


def _ks(name: str, spec: str) -> str:
    return f"{_FLUX}metadata: {{name: {name}, namespace: flux-system}}\nspec:\n{spec}"


def _source(name: str = "diary", labels: str = "") -> str:
    head = f"apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {{name: '{name}'{labels}}}\n"
    return f"{head}spec: {{sourcePVC: '{name}', restic: {{repository: '{name}-restic'}}}}\n"


_USUAL: Files = {
    "kubernetes/components/volsync/kustomization.yaml": "kind: Component\nresources: [source.yaml]\n",
    "kubernetes/components/volsync/source.yaml": _source("${CLAIM:-${APP}}"),
    f"{APP}/kustomization.yaml": "resources: []\n",
}
_SPEC = f"  targetNamespace: home\n  path: ./{APP}\n  components: [../../components/volsync]\n"
_SUBSTITUTE = "  postBuild: {substitute: {APP: diary}}\n"
_PATCH = "- {op: replace, path: /spec/sourcePVC, value: diary-data}"

SHAPES: dict[str, tuple[Files, set[Row]]] = {
    "a component with variables": (
        _USUAL | {f"{ENTRY}/diary.yaml": _ks("diary", _SPEC + _SUBSTITUTE)},
        {("restic", "home", "diary", "diary-restic")},
    ),
    "a patch in the folder of what a component brings": (
        _USUAL
        | {
            f"{ENTRY}/diary.yaml": _ks("diary", _SPEC + _SUBSTITUTE),
            f"{APP}/kustomization.yaml": f'patches: [{{target: {{kind: ReplicationSource}}, patch: "{_PATCH}"}}]\n',
        },
        {("restic", "home", "diary-data", "diary-restic")},
    ),
    "a patch of the Flux Kustomization": (
        _USUAL
        | {
            f"{ENTRY}/diary.yaml": _ks(
                "diary", f'{_SPEC}{_SUBSTITUTE}  patches: [{{target: {{kind: ReplicationSource}}, patch: "{_PATCH}"}}]\n'
            )
        },
        {("restic", "home", "diary-data", "diary-restic")},
    ),
    "children whose names and paths are their parent's variables": (
        {
            f"{ENTRY}/sites.yaml": "---\n".join(
                _ks(site, f"  path: ./kubernetes/site\n  postBuild: {{substitute: {{SITE: {site}}}}}\n")
                for site in ("attic", "cellar")
            ),
            "kubernetes/site/ks.yaml": _ks('"${SITE}-db"', "  path: ./kubernetes/sites/${SITE}\n  targetNamespace: ${SITE}\n"),
            "kubernetes/sites/attic/source.yaml": _source("attic"),
            "kubernetes/sites/cellar/source.yaml": _source("cellar"),
        },
        {("restic", "attic", "attic", "attic-restic"), ("restic", "cellar", "cellar", "cellar-restic")},
    ),
    "commonLabels, a prefix and no kustomization below": (
        {
            f"{ENTRY}/diary.yaml": _ks("diary", f"  path: ./{APP}\n  namePrefix: my-\n"),
            f"{APP}/kustomization.yaml": "commonLabels: {app: diary}\nnamespace: home\nresources: [source.yaml]\n",
            f"{APP}/source.yaml": _source(),
        },
        {("restic", "home", "diary", "diary-restic")},
    ),
    "variables out of a generator that a later Kustomization makes": (
        _USUAL
        | {
            f"{ENTRY}/a.yaml": _ks(
                "diary", f"{_SPEC}  postBuild: {{substitute: {{APP: diary}}, substituteFrom: [{{kind: ConfigMap, name: names}}]}}\n"
            ),
            f"{ENTRY}/b.yaml": _ks("vars", "  path: kubernetes/vars\n  targetNamespace: flux-system\n"),
            "kubernetes/vars/kustomization.yaml": "generatorOptions: {disableNameSuffixHash: true}\n"
            "configMapGenerator: [{name: names, literals: [CLAIM=diary-data]}]\n",
        },
        {("restic", "home", "diary-data", "diary-data-restic")},
    ),
    "an object that is not to be substituted": (
        {
            f"{ENTRY}/diary.yaml": _ks("diary", f"  targetNamespace: home\n  path: ./{APP}\n{_SUBSTITUTE}"),
            f"{APP}/source.yaml": _source(labels=", annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}"),
        },
        {("restic", "home", "diary", "diary-restic")},
    ),
    "another repository's source": (
        _USUAL
        | {
            f"{ENTRY}/diary.yaml": _ks("diary", _SPEC + _SUBSTITUTE),
            f"{ENTRY}/vendor.yaml": _ks("vendor", "  path: ./\n  sourceRef: {kind: GitRepository, name: vendor}\n"),
        },
        {("restic", "home", "diary", "diary-restic")},
    ),
}
