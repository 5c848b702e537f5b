"""Which images a house's nodes can pull: those that its repository and its charts name."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from lab.parts.knobs import PodsOf
from lab.parts.kube import Object
from lab.parts.pods.images import Images, shell
from lab.parts.pods.registry import NamedImages, is_reference, without_tag
from lab.parts.volsync import VOLSYNC


@pytest.fixture
def named(tmp_path: Path) -> NamedImages:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "one.yaml").write_text("image: ghcr.io/house/one:1.2\n")
    (tmp_path / "apps" / "two.yaml").write_text("image: {repository: ghcr.io/house/two, tag: v3}\n")
    (tmp_path / "apps" / "notes.txt").write_text("ghcr.io/house/three")
    text = b"image: {{ .Values.registry }}/chart/four\n# quay.io/chart/four\n"
    with tarfile.open(tmp_path / "four-1.0.0.tgz", "w:gz") as chart:
        member = tarfile.TarInfo("four/templates/deployment.yaml")
        member.size = len(text)
        chart.addfile(member, io.BytesIO(text))
    return NamedImages(tmp_path)


@pytest.mark.parametrize(
    ("image", "there"),
    [
        ("ghcr.io/house/one:1.2", True),
        ("ghcr.io/house/one@sha256:" + "ab" * 32, True),
        ("ghcr.io/house/two:v3", True),
        ("quay.io/chart/four:1", True),
        ("ghcr.io/house/three:1", False),
        ("ghcr.io/house/nowhere:1", False),
    ],
)
def test_an_image_is_there_when_a_manifest_or_a_chart_names_it(named: NamedImages, image: str, there: bool) -> None:
    assert named(image) is there


def test_names_are_compared_without_what_nobody_writes() -> None:
    assert without_tag("docker.io/library/redis:8") == without_tag("redis") == "redis"
    assert without_tag("host:5000/a/b:1@sha256:" + "0" * 64) == "host:5000/a/b"


@pytest.mark.parametrize("image", ["", "house/Upper:1", "a b", "one//two", "x:", "a/-b"])
def test_what_is_no_reference_is_told_from_what_is_not_there(image: str) -> None:
    assert not is_reference(image)


@pytest.mark.parametrize("image", ["redis", "lab/sample-app:1", "host:5000/a/b_c:V.1-x", "quay.io/a.b/c--d@sha256:" + "0" * 64])
def test_a_reference(image: str) -> None:
    assert is_reference(image)


def pod(image: str, **annotations: str) -> Object:
    labels = {"app": "one", "of": "both"}
    meta = {"namespace": "here", "labels": labels, "annotations": annotations}
    return {"metadata": meta, "spec": {"containers": [{"image": image}]}}


def test_a_kubelet_refuses_what_cannot_be_pulled_and_keeps_static_pods() -> None:
    images = Images({"busybox": shell()}, lambda image: image == "ghcr.io/house/one:1")
    others = (PodsOf("elsewhere", (("app", "one"),)), PodsOf("here", (("app", "one"), ("of", "none"))))
    none: tuple[PodsOf, ...] = ()
    for unpulled in (none, others):
        assert images.refusal(pod("busybox:1.37"), unpulled) is None
        assert images.refusal(pod("ghcr.io/house/one:1"), unpulled) is None
    for image, unpulled, reason in (
        ("ghcr.io/house/two:1", (), "ErrImagePull"),
        ("ghcr.io/house/one:1", (*others, PodsOf("here", (("app", "one"),))), "ErrImagePull"),
        ("Not An Image", (), "InvalidImageName"),
    ):
        refused = images.refusal(pod(image), unpulled)
        assert refused is not None
        assert (refused.reason, image in refused.message) == (reason, True)
    assert images.refusal(pod("registry.k8s.io/kube-apiserver:v1", **{"kubernetes.io/config.mirror": "x"})) is None


def test_only_what_runs_in_a_pods_sandbox_is_said_to_run_beside_it() -> None:
    images = Images({"busybox": shell(), "volsync": VOLSYNC})
    always = [{"image": image, "restartPolicy": "Always"} for image in ("busybox:1.37", "volsync:1", "ghcr.io/house/one:1")]
    said = {}
    for main in ("busybox", "volsync", "ghcr.io/house/one:1"):
        beside = images.beside({"spec": {"initContainers": [*always, {"image": "busybox"}], "containers": [{"image": main}]}})
        said[main] = [container["image"] for container, _ in beside]
    assert said == {"busybox": ["busybox:1.37"], "volsync": [], "ghcr.io/house/one:1": []}
