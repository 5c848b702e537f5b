"""What the simulated machines do with pods and claims, and what their knobs change."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from lab.parts.knobs import Knobs, PodsOf
from lab.parts.kube import CLAIMS, CONTENTS, EVENTS, JOBS, PODS, SNAPSHOTS, Object
from lab.parts.objects.manifests import SNAPSHOT_CLASS
from lab.parts.pods.images import APPLICATION_IMAGE
from lab.parts.pods.podwork import EXIT_CODE, START_SECONDS
from lab.parts.programs import find
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, listing

pytestmark = pytest.mark.programs


@pytest.fixture
def knobs(bench: Bench) -> Iterator[Knobs]:
    """The cluster's knobs, turned back afterwards."""
    before = dict(vars(bench.cluster.knobs))
    yield bench.cluster.knobs
    vars(bench.cluster.knobs).update(before)


@pytest.fixture
def space(bench: Bench) -> str:
    return bench.namespace()


def application(space: str, *arguments: str) -> Object:
    return objects.pod(space, "app", "data", image=APPLICATION_IMAGE, arguments=("/data", *arguments))


def log(bench: Bench, space: str, pod: str) -> str:
    return bench.kube.text(f"/api/v1/namespaces/{space}/pods/{pod}/log")


def waiting(bench: Bench, space: str, pod: str) -> str:
    """Why the pod's container waits."""
    statuses = bench.status(PODS, space, pod).get("containerStatuses") or [{}]
    return str(statuses[0].get("state", {}).get("waiting", {}).get("reason", ""))


def kubectl(bench: Bench, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """The real one, with the administrator's certificate."""
    access = bench.cluster.services.access
    who = (f"--client-certificate={access.certificate}", f"--client-key={access.key}")
    argv = [str(find("kubectl")), f"--server={access.server}", f"--certificate-authority={access.authority}", *who, *words]
    return subprocess.run(argv, input=given, capture_output=True, text=True, timeout=60, check=False)


def test_kubectl_enters_a_container_as_its_user_where_it_is_and_hears_how_that_ended(bench: Bench, space: str) -> None:
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    made = objects.pod(space, "app", "data", image="busybox", arguments=("-c", "sleep 300"))
    made["spec"]["securityContext"] = {"runAsUser": 1000, "fsGroup": 1000}
    bench.kube.apply(PODS, made)
    bench.kube.apply(PODS, objects.pod(space, "idle"))
    bench.wait_ready(space, "app")
    bench.wait_ready(space, "idle")
    script = "cat > /data/given; cat /data/given; id -u; echo $HOSTNAME; exit 7"
    inside = ("exec", "-i", "-n", space, "app", "--", "sh", "-c", script)
    done = kubectl(bench, *inside, given="a line\n")
    assert (done.returncode, done.stdout) == (7, f"a line\n{1000 if os.geteuid() == 0 else 0}\napp\n"), done.stderr
    assert (bench.wait_bound(space, "data") / "given").read_text() == "a line\n"
    refused = kubectl(bench, "exec", "-n", space, "idle", "--", "true")
    assert "nothing runs in pod idle that could be entered" in refused.stderr, refused.stderr


def test_the_application_writes_defaults_into_an_empty_volume_only(bench: Bench, space: str) -> None:
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    bench.kube.apply(PODS, application(space, "3"))
    volume = bench.wait_bound(space, "data")
    bench.wait_ready(space, "app")
    bench.until(lambda: "wrote its defaults and 3 files" in log(bench, space, "app"), "the defaults")
    content = listing(volume)
    bench.kube.delete(PODS, application(space))
    bench.until(lambda: bench.kube.get(PODS, "app", space) is None, "the pod's end")
    bench.kube.apply(PODS, application(space, "3"))
    bench.wait_ready(space, "app")
    bench.until(lambda: "found its data" in log(bench, space, "app"), "the second start")
    assert listing(volume) == content


def test_a_kubelet_that_restarts_takes_its_pods_over(bench: Bench, space: str) -> None:
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    bench.kube.apply(PODS, application(space))
    bench.wait_ready(space, "app")
    before = bench.cluster.supervisor.running()
    bench.cluster.services.restart_kubelet("cp-1")
    bench.kube.apply(PODS, objects.pod(space, "after"))
    bench.wait_ready(space, "after")
    assert bench.cluster.supervisor.running() == before
    bench.kube.delete(PODS, application(space))
    bench.until(lambda: bench.cluster.supervisor.running() != before, "the end of a pod that was taken over")


def test_a_killed_process_is_started_again_and_counted(bench: Bench, space: str) -> None:
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    bench.kube.apply(PODS, application(space))
    bench.wait_ready(space, "app")
    (name,) = [n for n in bench.cluster.supervisor.running() if space in n]
    bench.cluster.supervisor.stop(name, 0.0)

    def restarts() -> int:
        return int(bench.status(PODS, space, "app")["containerStatuses"][0]["restartCount"])

    bench.until(lambda: restarts() == 1 and name in bench.cluster.supervisor.running(), "the restart")


def test_a_job_of_an_unknown_image_ends_as_its_pod_says(bench: Bench, space: str) -> None:
    for name, code in (("good", "0"), ("bad", "4")):
        pod = objects.pod(space, name)
        pod["spec"]["restartPolicy"] = "Never"
        template = {"metadata": {"annotations": {EXIT_CODE: code, START_SECONDS: "0"}}, "spec": pod["spec"]}
        meta = {"name": name, "namespace": space}
        spec = {"template": template, "backoffLimit": 0}
        bench.kube.apply(JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec})
    bench.until(lambda: bench.status(JOBS, space, "good").get("succeeded") == 1, "the good job")
    bench.until(lambda: bench.status(JOBS, space, "bad").get("failed") == 1, "the bad job")


def test_pods_that_cannot_start_say_why(bench: Bench, space: str, knobs: Knobs) -> None:
    knobs.unpulled = {PodsOf(space, (("app", "lost"),))}
    for name in ("lost", "found"):
        pod = objects.pod(space, name, image="lab/nowhere:1")
        pod["metadata"]["labels"] = {"app": name, "of": "both"}
        bench.kube.apply(PODS, pod)
    keyless = objects.pod(space, "keyless", image=APPLICATION_IMAGE)
    keyless["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "absent"}}]
    bench.kube.apply(PODS, keyless)
    bench.until(lambda: waiting(bench, space, "lost") == "ImagePullBackOff", "the missing image")
    bench.until(lambda: waiting(bench, space, "keyless") == "CreateContainerConfigError", "the missing Secret")
    told = [e["message"] for e in bench.kube.list(EVENTS, space) if e["involvedObject"]["name"] == "lost"]
    why = 'failed to pull and unpack image "lab/nowhere:1": failed to resolve image: lab/nowhere:1: not found'
    assert told == [f"Error: ErrImagePull: {why}"]
    bench.wait_ready(space, "found")  # of the same image: what one workload lost is lost for it alone
    knobs.unpulled = set()
    bench.wait_ready(space, "lost")


def test_a_job_that_the_lab_does_not_run_says_that_its_success_is_assumed(bench: Bench, space: str) -> None:
    hook = objects.pod(space, "hook", image="example.invalid/hook:1")
    hook["spec"]["restartPolicy"] = "Never"
    bench.kube.apply(PODS, hook)
    bench.until(lambda: bench.phase(PODS, space, "hook") == "Succeeded", "the hook")
    said = "the lab does not run example.invalid/hook:1: this pod did nothing, and its success is assumed"
    assert log(bench, space, "hook").strip() == said
    assert [e["message"] for e in bench.kube.list(EVENTS, space) if e["reason"] == "SuccessAssumed"] == [said]
    assert f"{space}/hook: example.invalid/hook:1" in bench.cluster.assumed


def test_without_a_scheduler_pods_stay_pending(bench: Bench, space: str, knobs: Knobs) -> None:
    knobs.scheduler_off = True
    bench.kube.apply(PODS, objects.pod(space, "app"))
    bench.until(lambda: bench.phase(PODS, space, "app") == "Pending", "the pod")
    assert "nodeName" not in (bench.kube.get(PODS, "app", space) or {})["spec"]
    knobs.scheduler_off = False
    bench.wait_ready(space, "app")


def test_a_pod_waits_for_its_claim_and_the_claim_for_its_storage(bench: Bench, space: str, knobs: Knobs) -> None:
    knobs.provision_delay_s = 30.0
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    bench.kube.apply(PODS, objects.pod(space, "app", "data"))

    def annotations() -> Object:
        found: Object = (bench.kube.get(CLAIMS, "data", space) or {})["metadata"].get("annotations", {})
        return found

    bench.until(lambda: "volume.kubernetes.io/selected-node" in annotations(), "the node's choice")
    assert bench.phase(CLAIMS, space, "data") == "Pending"
    assert bench.phase(PODS, space, "app") == "Pending"
    knobs.provision_delay_s = 0.0
    bench.wait_bound(space, "data")
    bench.wait_ready(space, "app")


def snapshot(space: str, name: str, of: str) -> Object:
    spec = {"volumeSnapshotClassName": SNAPSHOT_CLASS, "source": {"persistentVolumeClaimName": of}}
    meta = {"name": name, "namespace": space}
    return {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": meta, "spec": spec}


def test_a_snapshot_keeps_what_was_there_and_goes_with_its_object(bench: Bench, space: str, knobs: Knobs) -> None:
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    bench.kube.apply(PODS, objects.pod(space, "app", "data"))
    volume = bench.wait_bound(space, "data")
    (volume / "word").write_text("then")
    knobs.snapshots_fail = True
    bench.kube.apply(SNAPSHOTS, snapshot(space, "image", "data"))
    bench.until(lambda: "error" in bench.status(SNAPSHOTS, space, "image"), "the failing snapshot")
    knobs.snapshots_fail = False
    bench.until(lambda: bench.status(SNAPSHOTS, space, "image").get("readyToUse") is True, "the snapshot")
    (volume / "word").write_text("now")
    copy = objects.claim(space, "copy")
    copy["spec"]["dataSourceRef"] = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "image"}
    bench.kube.apply(CLAIMS, copy)
    bench.kube.apply(PODS, objects.pod(space, "reader", "copy"))
    assert (bench.wait_bound(space, "copy") / "word").read_text() == "then"
    before = len(list(bench.cluster.disks.snapshots.iterdir()))
    bench.kube.delete(SNAPSHOTS, snapshot(space, "image", "data"))
    bench.until(lambda: len(list(bench.cluster.disks.snapshots.iterdir())) == before - 1, "the snapshot's end")
    bench.until(
        lambda: not any(c["metadata"].get("deletionTimestamp") for c in bench.kube.list(CONTENTS)), "its content's end"
    )


def test_a_deleted_claim_takes_its_volume_along(bench: Bench, space: str) -> None:
    bench.kube.apply(CLAIMS, objects.claim(space, "data"))
    bench.kube.apply(PODS, objects.pod(space, "app", "data"))
    volume = bench.wait_bound(space, "data")
    bench.kube.delete(CLAIMS, objects.claim(space, "data"))
    bench.wait_ready(space, "app")
    assert volume.exists()  # a claim in use is only marked
    bench.kube.delete(PODS, objects.pod(space, "app", "data"))
    bench.until(lambda: not volume.exists(), "the volume's end")
