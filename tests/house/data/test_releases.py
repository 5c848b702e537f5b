"""Values of HelmReleases as helm-controller puts them together, what the app-template makes of them, and what nobody can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from house.data.holders import holders
from house.data.joining import declared_data
from house.data.nouns import Keeps
from house.data.releases import Releases
from tests.house.data.test_data import rendered
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

APP = "chart: {spec: {chart: app-template}}"


def release(values: str = "{}", sources: str = "[]", chart: str = APP) -> str:
    return (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\n"
        f"spec: {{{chart}, values: {values}, valuesFrom: {sources}}}"
    )


def config(name: str, text: str, key: str = "values.yaml", kind: str = "ConfigMap") -> str:
    part = "data" if kind == "ConfigMap" else "stringData"
    return f'apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{part}: {{"{key}": {text!r}}}'


def at(key: str, target: str, more: str = "optional: false") -> str:
    return f"[{{kind: ConfigMap, name: one, valuesKey: {key}, targetPath: '{target}', {more}}}]"


ONE, TWO = config("one", "{a: 1, deep: {x: one, y: one}}"), config("two", "{a: 2, deep: {y: two}}")
REFERENCE = "{kind: ConfigMap, name: one}"


def values_of(*texts: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    found = rendered(*texts)
    merged = Releases(found).values(next(one for one in found.objects if one.kind == "HelmRelease"))
    return merged.values, merged.unseen


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ((ONE, TWO, release("{}", f"[{REFERENCE}, {{kind: ConfigMap, name: two}}]")), {"a": 2, "deep": {"x": "one", "y": "two"}}),
        ((ONE, TWO, release("{}", f"[{{kind: ConfigMap, name: two}}, {REFERENCE}]")), {"a": 1, "deep": {"x": "one", "y": "one"}}),
        ((ONE, release("{deep: {y: own}, b: 3}", f"[{REFERENCE}]")), {"a": 1, "b": 3, "deep": {"x": "one", "y": "own"}}),
        ((ONE, release("{deep: null}", f"[{REFERENCE}]")), {"a": 1, "deep": None}),
        ((config("one", "{a: 1}", "other.yml"), release("{}", "[{kind: ConfigMap, name: one, valuesKey: other.yml}]")), {"a": 1}),
        ((config("one", "12", "size"), release("{deep: {y: own}}", at("size", r"deep.x"))),
         {"deep": {"x": 12, "y": "own"}}),
        ((config("one", "true", "v"), release("{deep: {x: own}}", at("v", r"deep.x"))),
         {"deep": {"x": True}}),
        ((config("one", "'12'", "v"), release("{}", at("v", r"x"))), {"x": "12"}),
        ((config("one", "null", "v"), release("{}", at("v", r"x"))), {"x": None}),
        ((config("one", "t", "v"), release("{}", at("v", r"a\.b.c"))),
         {"a.b": {"c": "t"}}),
        ((config("one", "t", "v"), release("{l: [a, b]}", at("v", r"l[1]"))),
         {"l": ["a", "t"]}),
        ((config("one", "a,b={c}", "v"), release("{}", at("v", r"x", "literal: true"))),
         {"x": "a,b={c}"}),
        ((config("one", "{a: 1}", kind="Secret"), release("{}", "[{kind: Secret, name: one}]")), {"a": 1}),
        ((ONE, release("{}", "[{kind: ConfigMap, name: one, valuesKey: none, optional: true}]")), {}),
        ((config("one", ""), release("{a: 1}", f"[{REFERENCE}]")), {"a": 1}),
        ((release("null", "null"),), {}),
    ],
)  # fmt: skip
def test_what_git_shows_is_merged_in_the_order_of_flux(texts: tuple[str, ...], values: dict[str, Any]) -> None:
    assert values_of(*texts) == (values, ())


SOPS = "apiVersion: v1\nkind: Secret\nmetadata: {name: one}\nstringData: {values.yaml: ENC}\nsops: {mac: x}"


@pytest.mark.parametrize(
    ("texts", "unseen"),
    [
        ((release("{a: 1}", f"[{REFERENCE}]"),), "ConfigMap one"),
        ((release("{a: 1}", "[{kind: Secret, name: one}]"),), "Secret one"),
        ((release("{a: 1}", "[{kind: Secret, name: one, optional: true}]"),), "Secret one"),
        ((SOPS, release("{a: 1}", "[{kind: Secret, name: one}]")), "Secret one"),
        ((ONE, release("{a: 1}", "[{kind: ConfigMap, name: one, valuesKey: none}]")), "ConfigMap one"),
        ((ONE, release("{a: 1}", "[{kind: Secret, name: one}]")), "Secret one"),
        ((ONE.replace("name: one", "name: one, namespace: other"), release("{a: 1}", f"[{REFERENCE}]")), "ConfigMap one"),
        ((config("one", "{a: [}"), release("{a: 1}", f"[{REFERENCE}]")), "ConfigMap one"),
        ((config("one", "[a, b]"), release("{a: 1}", f"[{REFERENCE}]")), "ConfigMap one"),
        ((config("one", "a,b=c", "v"), release("{a: 1}", at("v", r"x"))),
         "ConfigMap one"),
        ((ONE, release("{a: 1}", "[{kind: Bucket, name: one}]")), "Bucket one"),
    ],
)
def test_what_git_does_not_show_is_named_and_the_rest_is_read(texts: tuple[str, ...], unseen: str) -> None:
    assert values_of(*texts) == ({"a": 1}, (unseen,))


def test_claims_out_of_a_config_map_are_rows_and_an_unseen_source_is_a_chart_not_looked_into() -> None:
    shown = config("one", "{persistence: {config: {size: 5Gi}}}")
    found, closed = holders(rendered(shown, release("{}", f"[{REFERENCE}]")))
    assert ([(one.key, one.size) for one in found], closed) == ([("tools/web", "5Gi")], ())
    found, closed = holders(rendered(release("{persistence: {config: {size: 1Gi}}}", "[{kind: Secret, name: hidden}]")))
    assert ([(one.key, one.size) for one in found], closed) == ([("tools/web", "1Gi")], ("tools/web",))
    _, closed = holders(rendered(release("{}", f"[{REFERENCE}]", "chart: {spec: {chart: loki}}")))
    assert closed == ("tools/web",)


CLAIM = "apiVersion: v1, kind: PersistentVolumeClaim"
SIZE = "resources: {requests: {storage: 3Gi}}"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (f"{{films: {{{CLAIM}, spec: {{spec: {{{SIZE}}}}}}}}}", [("tools/web", Keeps.CLAIM, "3Gi")]),
        (f"{{films: {{{CLAIM}, spec: {{{SIZE}}}}}}}", [("tools/web", Keeps.CLAIM, "3Gi")]),
        (f"{{films: {{manifest: {{{CLAIM}, spec: {{{SIZE}}}}}}}}}", [("tools/web", Keeps.CLAIM, "3Gi")]),
        (f"{{films: {{manifest: {{{CLAIM}, metadata: {{namespace: media}}, spec: {{{SIZE}}}}}}}}}",
         [("media/web", Keeps.CLAIM, "3Gi")]),
        (f"{{films: {{{CLAIM}, forceRename: mine, spec: {{spec: {{{SIZE}}}}}}}}}", [("tools/mine", Keeps.CLAIM, "3Gi")]),
        (f"{{films: {{{CLAIM}, forceRename: '{{{{ .Release.Name }}}}-films', spec: {{spec: {{{SIZE}}}}}}}}}",
         [("tools/web-films", Keeps.CLAIM, "3Gi")]),
        (f"{{a: {{{CLAIM}, spec: {{spec: {{{SIZE}}}}}}}, b: {{{CLAIM}, suffix: two, spec: {{spec: {{{SIZE}}}}}}}}}",
         [("tools/web-a", Keeps.CLAIM, "3Gi"), ("tools/web-two", Keeps.CLAIM, "3Gi")]),
        (f"{{films: {{enabled: false, {CLAIM}, spec: {{spec: {{{SIZE}}}}}}}}}", []),
        ("{v: {apiVersion: v1, kind: PersistentVolume, spec: {spec: {nfs: {server: nas, path: /f}}}}}", [("web", Keeps.NFS, "")]),
        ("{pg: {apiVersion: postgresql.cnpg.io/v1, kind: Cluster, spec: {spec: {storage: {size: 9Gi}}}}}",
         [("tools/web", Keeps.DATABASE, "9Gi")]),
        ("{a: null, b: text, c: {}}", []),
        ("null", []),
    ],
)  # fmt: skip
def test_raw_resources_of_the_app_template_are_declared_objects(raw: str, found: list[tuple[str, Keeps, str]]) -> None:
    holding, closed = holders(rendered(release(f"{{rawResources: {raw}}}")))
    assert ([(one.key, one.keeps, one.size) for one in holding], closed) == (found, ())
    by_map = (config("one", f"{{rawResources: {raw}}}"), release("{}", f"[{REFERENCE}]"))
    assert [(one.key, one.keeps, one.size) for one in holders(rendered(*by_map))[0]] == found


def test_a_raw_resource_whose_name_only_the_chart_knows_leaves_the_chart_not_looked_into() -> None:
    raw = f"{{films: {{{CLAIM}, forceRename: '{{{{ include \"x\" . }}}}', spec: {{spec: {{{SIZE}}}}}}}}}"
    assert holders(rendered(release(f"{{rawResources: {raw}}}"))) == ((), ("tools/web",))


def test_other_charts_have_no_raw_resources() -> None:
    raw = f"{{rawResources: {{films: {{{CLAIM}, spec: {{{SIZE}}}}}}}}}"
    assert holders(rendered(release(raw, chart="chart: {spec: {chart: loki}}"))) == ((), ("tools/web",))


def test_what_a_raw_source_copies_has_a_backup_and_is_a_maker_that_is_not_followed(tmp_path: Path) -> None:
    source = "{apiVersion: volsync.backube/v1alpha1, kind: ReplicationSource, spec: {spec: {sourcePVC: films, restic: {x: y}}}}"
    raw = f"{{a: {{{CLAIM}, forceRename: films, spec: {{spec: {{{SIZE}}}}}}}, b: {source}}}"
    text = release(f"{{rawResources: {raw}}}")
    assert declared_data(rendered(text), (), (), {}).unprotected == ()
    settings = write_repository(tmp_path, SETTINGS)
    (tmp_path / "kubernetes/apps/apps/odd/app/web.yaml").write_text(text)
    assert [(one.subject, one.makes_backups) for one in load(settings).not_followed] == [("HelmRelease odd/web", True)]


def test_a_raw_database_and_a_raw_kustomization_are_known_of_the_house(tmp_path: Path) -> None:
    store = "backup: {barmanObjectStore: {destinationPath: s3://bucket}}"
    raw = f"{{pg: {{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, forceRename: raw, spec: {{spec: {{{store}}}}}}}, "
    raw += "ks: {apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, forceRename: more, spec: {spec: {path: ./x}}}}"
    settings = write_repository(tmp_path, SETTINGS)
    (tmp_path / "kubernetes/apps/apps/odd/app/web.yaml").write_text(release(f"{{rawResources: {raw}}}"))
    house = load(settings)
    (database,) = [one for one in house.databases if one.name == "raw"]
    assert (database.key, database.archives, database.flux_app) == ("odd/raw", True, "apps/odd")
    assert [one.place for one in house.archives if one.key == "odd/raw"] == ["s3:https://s3.amazonaws.com/bucket/raw"]
    assert [one.subject for one in house.not_followed] == ["Kustomization odd/more"]


def test_a_generated_map_of_values_is_found_by_the_name_that_kustomize_gives_it(tmp_path: Path) -> None:
    settings = write_repository(tmp_path, SETTINGS)
    folder = tmp_path / "kubernetes/apps/apps/odd/app"
    text = "configMapGenerator: [{name: shown, files: [values.yaml=./helm/values.yaml]}]\nconfigurations: [./helm/names.yaml]\n"
    names = sorted(one.name for one in folder.glob("*.yaml") if one.name != "kustomization.yaml")
    (folder / "kustomization.yaml").write_text(f"resources: [{', '.join(f'./{name}' for name in (*names, 'web.yaml'))}]\n{text}")
    (folder / "helm").mkdir()
    (folder / "helm/values.yaml").write_text("persistence: {config: {size: 7Gi}}\n")
    reference = "{kind: ConfigMap, version: v1, fieldSpecs: [{path: spec/valuesFrom/name, kind: HelmRelease}]}"
    (folder / "helm/names.yaml").write_text(f"nameReference: [{reference}]\n")
    (folder / "web.yaml").write_text(release("{}", "[{kind: ConfigMap, name: shown}]"))
    house = load(settings)
    assert [(one.key, one.size) for one in house.data.holders if one.name == "web"] == [("odd/web", "7Gi")]
    assert house.data.charts == ()
