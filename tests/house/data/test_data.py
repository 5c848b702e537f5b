"""Everything in Git that holds data is found, whatever declares it, and is backed up, accepted with a reason, or named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import SettingsInvalid
from house.data.cron import greatest_gap
from house.data.holders import holders
from house.data.joining import declared_data, schedules
from house.data.nouns import Keeps, Space
from house.files import yamlfile
from house.flux.rendered import Rendered, RenderedObject
from house.model import House
from house.values.databases import Database
from tests.house.reading import load, write_settings
from tests.house.small_house import SETTINGS, write_repository

HOUR = 3600.0
DAY = 24 * HOUR


def rendered(*texts: str, namespace: str = "tools") -> Rendered:
    """Objects as Flux would apply them, each written as YAML."""
    found = []
    for number, text in enumerate(texts, start=1):
        body: dict[str, Any] = yamlfile.value(text, "object")
        metadata = body.get("metadata", {})
        within = "" if body["kind"] == "PersistentVolume" else metadata.get("namespace", namespace)
        found.append(
            RenderedObject(
                body.get("apiVersion", "v1"), body["kind"], within, metadata.get("name", "x"), body, "flux/app", "a.yaml", number
            )
        )
    return Rendered(tuple(found))


def told(*texts: str) -> list[tuple[str, Keeps, str, str]]:
    return [(one.key, one.keeps, one.size, one.storage) for one in holders(rendered(*texts))[0]]


CLAIM = """kind: PersistentVolumeClaim
metadata: {name: films}
spec: {storageClassName: fast, resources: {requests: {storage: 2Ti}}}"""
PG = """apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg}
spec: {instances: 3, storage: {size: 20Gi, storageClass: local}}"""
SMB = """kind: PersistentVolume
metadata: {name: scans}
spec: {capacity: {storage: 2T}, csi: {driver: smb.csi.k8s.io, volumeAttributes: {source: //nas/scans}}}"""
SMB_CLAIM = "kind: PersistentVolumeClaim\nmetadata: {name: scans}\nspec: {volumeName: scans, resources: {requests: {storage: 2T}}}"


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ((CLAIM,), [("tools/films", Keeps.CLAIM, "2Ti", "fast")]),
        ((PG,), [("tools/pg", Keeps.DATABASE, "20Gi", "local")]),
        ((PG.replace("size: 20Gi, storageClass: local", "pvcTemplate: {resources: {requests: {storage: 9Gi}}}"),),
         [("tools/pg", Keeps.DATABASE, "9Gi", "")]),
        ((SMB, SMB_CLAIM), [("tools/scans", Keeps.SMB, "2T", "//nas/scans")]),
        ((SMB,), [("scans", Keeps.SMB, "2T", "//nas/scans")]),
        (("kind: PersistentVolume\nmetadata: {name: v}\nspec: {nfs: {server: nas, path: /tank/v}}",),
         [("v", Keeps.NFS, "", "nas:/tank/v")]),
        (("kind: PersistentVolume\nmetadata: {name: v}\n"
          "spec: {csi: {driver: nfs.csi.k8s.io, volumeAttributes: {server: n, share: /v}}}",),
         [("v", Keeps.NFS, "", "n:/v")]),
        (("kind: PersistentVolume\nmetadata: {name: v}\nspec: {local: {path: /mnt/v}}",), [("v", Keeps.HOST_PATH, "", "/mnt/v")]),
        (("kind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 2, volumeClaimTemplates: [{metadata: {name: data}, "
          "spec: {storageClassName: fast, resources: {requests: {storage: 5Gi}}}}]}",),
         [("tools/data-db", Keeps.TEMPLATE, "5Gi", "fast")]),
        (("kind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {volumes: ["
          "{name: films, nfs: {server: nas, path: /f}}, "
          "{name: etc, hostPath: {path: /etc/ssl}}, {name: mine, hostPath: {path: /mnt/mine}}, {name: tmp, emptyDir: {}}]}}}",),
         [("tools/web-films", Keeps.NFS, "", "nas:/f"), ("tools/web-mine", Keeps.HOST_PATH, "", "/mnt/mine")]),
        (("kind: CronJob\nmetadata: {name: copy}\nspec: {jobTemplate: {spec: {template: {spec: {volumes: "
          "[{name: to, nfs: {server: nas, path: /f}}]}}}}}",), [("tools/copy-to", Keeps.NFS, "", "nas:/f")]),
    ],
)  # fmt: skip
def test_every_kind_of_holder_is_found_once(texts: tuple[str, ...], found: list[tuple[str, Keeps, str, str]]) -> None:
    assert told(*texts) == found


@pytest.mark.parametrize(
    ("path", "holds"),
    [*((path, False) for path in (
        "/", "/opt/cni/bin", "/opt/cni/bin/", "//opt//cni/bin", "/var/lib/cni/networks", "/lib/modules", "/lib64", "/dev/dri",
        "/dev/", "/run/udev", "/var/lib/docker/containers", "/var/run/cilium", "/var/lib/rancher/k3s/agent/containerd",
        "/var/lib/kubelet/plugins", "/sbin",
     )),
     *((path, True) for path in (
        "/opt/app", "/opt/cniy", "/var/lib/rancher/k3s/storage", "/var/lib/rook", "/var/mnt/films", "/libs", "/var/lib", "/data",
        "/opt", "/var/lib/docker/volumes", "/dev/../srv/films", "/var/openebs/local",
     ))],
)  # fmt: skip
def test_a_folder_that_is_made_anew_with_its_machine_holds_nobody_s_data(path: str, holds: bool) -> None:
    volumes = f'[{{name: own, hostPath: {{path: "{path}"}}}}]'
    workload = f"kind: DaemonSet\nmetadata: {{name: agent}}\nspec: {{template: {{spec: {{volumes: {volumes}}}}}}}"
    assert told(workload) == ([("tools/agent-own", Keeps.HOST_PATH, "", path)] if holds else [])
    values = f'{{persistence: {{own: {{type: hostPath, hostPath: "{path}"}}}}}}'
    assert bool(told(release(values))) is holds


def release(values: str, chart: str = "chart: {spec: {chart: app-template}}", name: str = "web") -> str:
    return f"""apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}}}
spec: {{{chart}, values: {values}}}"""


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("{persistence: {config: {size: 1Gi, storageClass: fast}}}", [("tools/web", Keeps.CLAIM, "1Gi", "fast")]),
        ("{persistence: {a: {type: persistentVolumeClaim, size: 1Gi}, b: {size: 2Gi}}}",
         [("tools/web-a", Keeps.CLAIM, "1Gi", ""), ("tools/web-b", Keeps.CLAIM, "2Gi", "")]),
        ("{persistence: {a: {existingClaim: web}, b: {type: emptyDir}, c: {enabled: false, size: 1Gi}, d: {type: configMap}}}", []),
        ("{persistence: {films: {type: nfs, server: nas, path: /tank/films}}}",
         [("tools/web-films", Keeps.NFS, "", "nas:/tank/films")]),
        ("{persistence: {tun: {type: hostPath, hostPath: /dev/net/tun}, own: {type: hostPath, hostPath: /mnt/own}}}",
         [("tools/web-own", Keeps.HOST_PATH, "", "/mnt/own")]),
        ("{persistence: {films: {type: custom, volumeSpec: {nfs: {server: nas, path: /f}}}}}",
         [("tools/web-films", Keeps.NFS, "", "nas:/f")]),
        ("{controllers: {web: {statefulset: {volumeClaimTemplates: [{name: data, size: 3Gi, storageClass: fast}]}}}}",
         [("tools/data-web", Keeps.TEMPLATE, "3Gi", "fast")]),
    ],
)  # fmt: skip
def test_the_app_template_is_read_as_it_reads_its_values(values: str, found: list[tuple[str, Keeps, str, str]]) -> None:
    assert told(release(values)) == found
    by_reference = release(values, "chartRef: {kind: OCIRepository, name: mine}")
    repository = """apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: mine}
spec: {url: "oci://ghcr.io/bjw-s-labs/helm/app-template"}"""
    assert told(repository, by_reference) == found


def test_other_charts_are_counted_and_what_their_values_show_is_told() -> None:
    values = "{prometheus: {prometheusSpec: {storageSpec: {volumeClaimTemplate: {spec: {storageClassName: fast, "
    values += "resources: {requests: {storage: 50Gi}}}}}}}, grafana: {persistence: {enabled: true, size: 1Gi}}, "
    values += "x: {persistence: {}}}"
    found, closed = holders(rendered(release(values, "chart: {spec: {chart: kube-prometheus-stack}}", "kps")))
    assert [(one.key, one.keeps, one.size) for one in found] == [
        ("tools/kps.prometheus.prometheusSpec.storageSpec", Keeps.CHART, "50Gi"), ("tools/kps.grafana", Keeps.CHART, "1Gi"),
    ]  # fmt: skip
    assert closed == ("tools/kps",)


def test_what_any_engine_copies_is_not_without_a_backup() -> None:
    source = """apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: films}
spec: {sourcePVC: films, kopia: {}}"""
    kopiur = """apiVersion: kopiur.home-operations.com/v1alpha1
kind: SnapshotPolicy
metadata: {name: x}
spec: {sources: [{pvc: {name: films}}]}"""
    assert declared_data(rendered(CLAIM), (), (), {}).unprotected
    assert declared_data(rendered(CLAIM, source), (), (), {}).unprotected == ()
    assert declared_data(rendered(CLAIM, kopiur), (), (), {}).unprotected == ()
    assert declared_data(rendered(CLAIM), ("tools/films",), (), {}).unprotected == ()
    archived = Database("tools", "pg", "flux/app", archives=True, recovers=False, declared_in="a:1")
    assert declared_data(rendered(PG), (), (archived,), {}).unprotected == ()
    assert [one.holder.key for one in declared_data(rendered(PG), (), (), {}).unprotected] == ["tools/pg"]


@pytest.mark.parametrize(
    "other",
    [
        "apiVersion: kopiur.home-operations.com/v1alpha1\nkind: Restore\nmetadata: {name: r}\nspec: {target: {pvc: {name: films}}}",
        "apiVersion: kopiur.home-operations.com/v1alpha1\nkind: Repository\nmetadata: {name: r}\n"
        "spec: {backend: {filesystem: {pvc: {name: films}}}}",
        "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: r}\nspec: {sourcePVC: notes, restic: "
        "{moverVolumes: [{volumeSource: {persistentVolumeClaim: {claimName: films}}}]}}",
    ],
)
def test_what_only_names_a_claim_does_not_back_it_up(other: str) -> None:
    assert [one.holder.key for one in declared_data(rendered(CLAIM, other), (), (), {}).unprotected] == ["tools/films"]


STATEFUL = """kind: StatefulSet
metadata: {name: app}
spec: {MORE, volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 5Gi}}}}]}"""


@pytest.mark.parametrize(
    ("text", "audited", "bare"),
    [
        (STATEFUL.replace("MORE", "replicas: 1"), ["tools/data-app-0"], []),
        (STATEFUL.replace("MORE, ", ""), ["tools/data-app-0"], []),
        (STATEFUL.replace("MORE", "replicas: 3"), ["tools/data-app-1"], ["tools/data-app-0", "tools/data-app-2"]),
        (STATEFUL.replace("MORE", "replicas: 2, ordinals: {start: 1}"), ["tools/data-app-1", "tools/data-app-2"], []),
        (STATEFUL.replace("MORE", "replicas: 0"), [], ["tools/data-app"]),
        (STATEFUL.replace("MORE", "replicas: 2"), ["tools/data-apple-0"], ["tools/data-app"]),
        (release("{controllers: {web: {replicas: 2, statefulset: {volumeClaimTemplates: [{name: data, size: 3Gi}]}}}}"),
         ["tools/data-web-0"], ["tools/data-web-1"]),
    ],
)  # fmt: skip
def test_a_template_is_backed_up_where_each_of_its_claims_is(text: str, audited: list[str], bare: list[str]) -> None:
    data = declared_data(rendered(text), audited, (), {})
    assert [one.holder.key for one in data.unprotected] == bare
    assert ((Space.TEMPLATE, "tools/data-app") in data.protected) is (not bare)


def test_a_volume_kept_for_a_claim_is_that_claims() -> None:
    volume = "kind: PersistentVolume\nmetadata: {name: nas}\nspec: {nfs: {server: nas, path: /f}, claimRef: {CLAIM}}"
    its = volume.replace("CLAIM", "namespace: tools, name: films")
    assert declared_data(rendered(its, CLAIM), ("tools/films",), (), {}).unprotected == ()
    assert told(its, CLAIM) == [("tools/films", Keeps.NFS, "2Ti", "nas:/f")]
    others = volume.replace("CLAIM", "namespace: media, name: films")
    assert [one.holder.key for one in declared_data(rendered(others, CLAIM), ("tools/films",), (), {}).unprotected] == ["nas"]


def test_a_paused_source_is_said(tmp_path: Path) -> None:
    settings = write_repository(tmp_path, SETTINGS)
    (tmp_path / "kubernetes/apps/apps/odd/app/paused.yaml").write_text(
        "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: f}\n"
        "spec: {paused: true, sourcePVC: films, kopia: {repository: s}}\n"
    )
    assert [note for note in map(str, load(settings).notes) if "f is paused" in note]


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("0 * * * *", HOUR), ("*/15 * * * *", HOUR / 4), ("5,20 * * * *", 45 * 60.0), ("0 3 * * *", DAY), ("0 3 * * 0", 7 * DAY),
        ("0 3 * * sun", 7 * DAY), ("0 3 * * 7", 7 * DAY), ("0 */6 * * *", 6 * HOUR), ("0 8-18/5 * * *", 14 * HOUR),
        ("0 0 1 * *", 31 * DAY), ("0 0 1 jan *", 366 * DAY), ("0 0 1,15 * *", 17 * DAY), ("0 0 13 * fri", 7 * DAY),
        ("0 3 * * 1-5", 3 * DAY), ("@daily", DAY), ("@hourly", HOUR), ("@weekly", 7 * DAY), ("@every 90m", 1.5 * HOUR),
        ("", None), ("soon", None), ("61 * * * *", None), ("0 0 * *", None), ("0 0 30 2 *", None), ("*/0 * * * *", None),
        ("0 3 ? * mon", 7 * DAY), ("0 3 1 * ?", 31 * DAY), ("0 3 *,5 * mon", 7 * DAY),
        ("0 3 */2 * mon", 2 * DAY), ("0 3 */1 * mon", 7 * DAY),
        ("0 0 29 2 *", None), ("H * * * *", None), ("CRON_TZ=Europe/Berlin 0 3 * * *", DAY), ("TZ=UTC 0 * * * *", HOUR),
    ],
)  # fmt: skip
def test_the_greatest_gap_of_a_schedule(schedule: str, gap: float | None) -> None:
    found = greatest_gap(schedule)
    if schedule == "0 0 29 2 *":
        assert found is not None and 1460 * DAY < found < 1462 * DAY
        return
    assert found == (None if gap is None else pytest.approx(gap))


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("0 0 3 * * *", DAY), ("0 0 * * * *", HOUR), ("0 30 1 * * 0", 7 * DAY), ("*/30 * * * * *", 30.0), ("0 0 1 * *", DAY),
        ("0 */10 * * *", 600.0), ("@daily", DAY), ("@every 90m", 1.5 * HOUR), ("0 0 0 1 1 *", 366 * DAY), ("0 3 * *", None),
        ("61 0 3 * * *", None), ("", None), ("0 0 3 * * * *", None), ("0 0 3 ? * MON", 7 * DAY), ("0 0 3 ?/1 * MON", 7 * DAY),
    ],
)  # fmt: skip
def test_a_schedule_with_seconds_may_leave_its_weekday_out(schedule: str, gap: float | None) -> None:
    assert greatest_gap(schedule, seconds=True) == (None if gap is None else pytest.approx(gap))


def test_an_age_follows_the_schedule_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    house = load(write_repository(tmp_path, SETTINGS.replace("    max_age: 36h\n", "", 1)))
    ages = {claim.key: claim.requirement.max_age for claim in house.claims}
    assert ages == {"apps/notes-data": 3 * HOUR, "media/photos": 0.0, "apps/vault": 36 * HOUR}
    said = load(write_repository(tmp_path)).claims
    assert {claim.key: claim.requirement.max_age for claim in said}["apps/notes-data"] == 36 * HOUR


def test_of_two_sources_the_one_that_fires_more_often_counts() -> None:
    source = "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nspec: {sourcePVC: a, trigger: {schedule: \"%s\"}}"
    assert schedules(rendered(source % "0 3 * * *", source % "0 * * * *", source % "never")) == {"tools/a": 3 * HOUR}


def with_films(root: Path, more: str = "") -> Path:
    settings = write_repository(root, SETTINGS.replace("  claims:\n", f"{more}  claims:\n"))
    (root / "kubernetes/apps/apps/odd/app/films.yaml").write_text(CLAIM)
    return settings


def loaded(root: Path, more: str = "") -> House:
    return load(with_films(root, more))


def test_what_has_no_backup_is_known_of_the_house_with_its_reason(tmp_path: Path) -> None:
    assert [(one.holder.key, one.reason) for one in loaded(tmp_path).data.unprotected] == [("odd/films", "")]
    house = loaded(tmp_path, "  unprotected: {odd/films: bought on discs}\n")
    assert [(one.holder.key, one.reason) for one in house.data.unprotected] == [("odd/films", "bought on discs")]


CHART = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: NAME}\nspec: {chart: {spec: {chart: loki}}}\n"


def test_a_chart_that_nobody_looks_into_is_counted_until_a_person_has_looked(tmp_path: Path) -> None:
    said = "  not_followed: {HelmRelease odd/loki: it keeps nothing, HelmRelease odd/kps: ''}\n"
    settings = with_films(tmp_path)
    for name in ("loki", "kps"):
        (tmp_path / f"kubernetes/apps/apps/odd/app/{name}.yaml").write_text(CHART.replace("NAME", name))
    assert load(settings).data.charts == ("odd/kps", "odd/loki")
    settings.unlink()
    text = write_settings(tmp_path).file.read_text()
    assert "  # Claims of 2 charts not looked into (odd/kps, odd/loki).\n" in text
    assert '  #   "HelmRelease odd/loki": REASON  # a chart that is not rendered' in text
    with_films(tmp_path, said)
    assert load(settings).data.charts == ("odd/kps",)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("odd/flims: gone", "backups.unprotected.odd/flims: is nothing without a backup; the nearest known one is odd/films"),
        ("apps/notes-data: gone", "backups.unprotected.apps/notes-data: is backed up; take the line out"),
        ("odd/films: ''", "backups.unprotected.odd/films: is empty; write why it needs no backup"),
    ],
)
def test_a_name_that_fits_nothing_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        loaded(tmp_path, f"  unprotected: {{{entry}}}\n")
    assert [line.partition(": ")[2] for line in refused.value.evidence] == [says]


def test_first_settings_name_what_has_no_backup(tmp_path: Path) -> None:
    with_films(tmp_path).unlink()
    text = write_settings(tmp_path, lambda: "5f1d7c2a9e").file.read_text()
    assert "  # unprotected:\n  #   odd/films: REASON  # claim, 2Ti, fast, kubernetes/apps/apps/odd/app/films.yaml:1\n" in text


@pytest.mark.parametrize("odd", ["7", "true", "text", "{a: 1}", "[7]", "[null]", "[[a]]"])
def test_what_is_no_list_of_templates_is_no_claim_and_no_bug(odd: str) -> None:
    assert told(release(f"{{controllers: {{main: {{statefulset: {{volumeClaimTemplates: {odd}}}}}}}}}")) == []
