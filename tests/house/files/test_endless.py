"""Repositories that would be read for ever, or end in a traceback: links, circles, doubling, odd names. Each is told, and soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.flux.substitution import substitute
from tests.house.reading import load
from tests.house.small_house import write_repository

APP = "kubernetes/apps/apps/odd/app"
SOON_S = 5.0


def told(settings: Path) -> tuple[str, ...]:
    """Every line that a person reads: of the refusal, or the notes."""
    began = time.process_time()
    try:
        lines = load(settings).notes
    except SettingsInvalid as error:
        assert error.exit_code == 10
        lines = error.evidence
    assert time.process_time() - began < SOON_S
    return lines


@pytest.mark.parametrize(
    ("links", "says"),
    [
        ({f"{APP}/a": "."}, f"{APP}/a: is a link to no file, which Flux passes over"),
        ({f"{APP}/a": "b", f"{APP}/b": "a"}, f"{APP}/a: is a link to no file, which Flux passes over"),
        ({f"{APP}/a": "a"}, f"{APP}/a: is a link to no file, which Flux passes over"),
        ({f"{APP}/a.yaml": "a.yaml"}, f"{APP}/a.yaml: is a link to no file"),
        ({f"{APP}/a.yaml": "/etc/hostname"}, "./a.yaml lies outside the repository; keep resources inside it"),
        ({f"{APP}/a": "/etc"}, f"{APP}/a: is a link to no file, which Flux passes over"),
    ],
)
def test_links_that_lead_in_a_circle_or_out_of_the_repository_are_told(
    links: dict[str, str], says: str, tmp_path: Path
) -> None:
    settings = write_repository(tmp_path)
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert any(says in line for line in told(settings)), told(settings)


@pytest.mark.parametrize("name", ["talos/talconfig.yaml", "bootstrap/helmfile.yaml", ".sops.yaml", "talos/patches/kubelet.yaml"])
def test_a_file_that_is_a_link_to_itself_is_no_traceback(name: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(Path(name).name)
    told(settings)


@pytest.mark.parametrize("key", ["patches", "resources", "components", "generators"])
def test_a_kustomization_that_names_a_link_in_a_circle_is_no_traceback(key: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    (tmp_path / APP / "loop.yaml").symlink_to("loop.yaml")
    entry = "{path: loop.yaml}" if key == "patches" else "loop.yaml"
    (tmp_path / APP / "kustomization.yaml").write_text(f"resources: [all.yaml]\n{key}: [{entry}]\n".replace(
        "resources: [all.yaml]\nresources", "resources"
    ))
    told(settings)


@pytest.mark.parametrize("part", ["resources", "components"])
def test_folders_that_name_each_other_twice_are_not_built(part: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    for level in range(30):
        folder = tmp_path / APP / f"l{level}"
        folder.mkdir()
        below = f"[../l{level + 1}, ../l{level + 1}/.]" if level < 29 else "[]"
        (folder / "kustomization.yaml").write_text(f"kind: Component\n{part}: {below}\n")
    (tmp_path / APP / "kustomization.yaml").write_text(f"{part}: [l0]\n")
    assert any("name each other thousands of times; let each be named once" in line for line in told(settings))


def test_kustomizations_that_make_each_other_without_end_are_told(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    text = "---\n".join(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: '${{N:=n}}{side}', namespace: apps}}\n"
        f"spec: {{path: ./{APP}, targetNamespace: odd, postBuild: {{substitute: {{N: '${{N:=n}}{side}'}}}}}}\n"
        for side in "ab"
    )
    (tmp_path / APP / "more.yaml").write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        load(settings)
    lines = caught.value.evidence
    assert any("Kustomizations build" in line and "they make each other without end" in line for line in lines), lines


@pytest.mark.parametrize("bad", ["wiki one", "wiki*", "wiki[1]", "wiki?", "Wiki", "-wiki", "wi_ki", "w" * 254, "wi/ki"])
@pytest.mark.parametrize("field", ["claim", "source", "namespace", "kustomization"])
def test_a_name_that_kubernetes_does_not_take_is_refused_where_it_stands(bad: str, field: str, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    named = {"claim": "wiki", "source": "wiki", "namespace": "odd", "kustomization": "wiki"} | {field: bad}
    (tmp_path / APP / "more.yaml").write_text(
        f"""---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {{name: '{named["source"]}x'}}
spec: {{sourcePVC: '{named["claim"]}', restic: {{repository: wiki}}}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: '{named["kustomization"]}', namespace: apps}}
spec: {{path: ./kubernetes/apps/apps/gone, targetNamespace: '{named["namespace"]}'}}
"""
    )
    with pytest.raises(SettingsInvalid) as caught:
        load(settings)
    assert any("is not a n" in line for line in caught.value.evidence), caught.value.evidence


@pytest.mark.parametrize(
    "text",
    [
        "${A:=" * 300 + "}" * 300,
        "${A:=" * 200_000,
        "${A//x/" * 30 + "xx" + "}" * 30,
        "${B//x/${B//x/${B//x/${B//x/xx}}}}",
        "${B##*x*x*x*y}",
        "${B:" + "9" * 5000 + "}",
        "${B:²}",
    ],
)
def test_a_substitution_ends(text: str) -> None:
    began = time.process_time()
    substitute(text, {"A": "x" * 40, "B": "x" * 40_000})
    assert time.process_time() - began < SOON_S
