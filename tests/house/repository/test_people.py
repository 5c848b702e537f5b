"""What people write and few readers know: inherited releases, cards behind a bond, post-quantum recipients, and variables
that a helmfile requires."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.course import course
from cluster.by_hand import helmfile_by_hand
from engine.errors import SettingsInvalid
from house.repository.guarding import short
from house.repository.helmfiles.helmfile import read_crd_helmfile, read_helmfile
from house.repository.helmfiles.needs import opens_sops, plugins, required
from house.repository.talconfigs.talconfig import read_talconfig
from tests.house.reading import load, read_repository, write_settings
from tests.house.small_house import FILES, SETTINGS, write_repository

URL = '{{ (fromYaml (readFile (printf "../charts/%s/%s.yaml" .Release.Namespace .Release.Name))).spec.url }}'
TAG = '{{ (fromYaml (readFile (printf "../charts/%s/%s.yaml" .Release.Namespace .Release.Name))).spec.ref.tag }}'
TEMPLATES = f"templates: {{default: {{chart: '{URL}', version: '{TAG}'}}}}\n"
SOURCE = "kind: OCIRepository\nspec: {url: oci://charts.invalid/cilium, ref: {tag: 1.19.4}}\n"
CILIUM = "{name: cilium, namespace: kube-system%s}"


def house(root: Path, text: str, name: str = "apps.yaml", **more: str) -> Path:
    files = {f"bootstrap/helmfile/{name}": text, "bootstrap/charts/kube-system/cilium.yaml": SOURCE, **more}
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (TEMPLATES + "releases: [" + CILIUM % ", inherit: [{template: default}]" + "]\n", ""),
        (TEMPLATES + "defaultInherit: default\nreleases: [" + CILIUM % "" + "]\n", ""),
        ("bases: [base.yaml]\ndefaultInherit: [{template: default}]\nreleases: [" + CILIUM % "" + "]\n", TEMPLATES),
        ("bases: [base.yaml]\nreleases: [" + CILIUM % ", inherit: [{template: default}]" + "]\n", TEMPLATES),
        ("templates: {default: {chart: 'oci://charts.invalid/{{ .Release.Name }}', version: 1.19.4}}\n"
         "releases: [" + CILIUM % ", inherit: [{template: default}]" + "]\n", ""),
    ],
    ids=["inherit", "defaultInherit", "defaultInherit of a base", "inherit of a base", "the release's name"],
)  # fmt: skip
def test_what_a_release_inherits_is_its_own(tmp_path: Path, text: str, base: str) -> None:
    root = house(tmp_path, text, **{"bootstrap/helmfile/base.yaml": base})
    (cilium,), problems = read_helmfile(root)
    assert (cilium.chart, cilium.version, problems) == ("oci://charts.invalid/cilium", "1.19.4", ())


OF_TEMPLATE = """templates:
  default:
    chart: '{{ (fromYaml (tpl (readFile "WHERE/release.yaml.gotmpl") .)).chart }}'
    version: '{{ (fromYaml (tpl (readFile "WHERE/release.yaml.gotmpl") .)).version }}'
"""
TEMPLATE = """{{- $oci := fromYaml (readFile (printf "UP/charts/%s/%s.yaml" .Release.Namespace .Release.Name)) -}}
chart: {{ $oci.spec.url }}
version: {{ $oci.spec.ref.tag }}
"""


@pytest.mark.parametrize(
    ("base", "where", "up"),
    [("base.yaml", "./made", ".."), ("made/base.yaml", ".", "../..")],
    ids=["beside it", "in its own folder"],
)
def test_a_template_of_both_is_rendered(tmp_path: Path, base: str, where: str, up: str) -> None:
    files = {
        f"bootstrap/helmfile/{base}": OF_TEMPLATE.replace("WHERE", where),
        "bootstrap/helmfile/made/release.yaml.gotmpl": TEMPLATE.replace("UP", up),
    }
    text = f"bases: [{base}]\ndefaultInherit: default\nreleases: [{CILIUM % ''}]\n"
    (cilium,), problems = read_helmfile(house(tmp_path, text, **files))
    assert (cilium.chart, cilium.version, problems) == ("oci://charts.invalid/cilium", "1.19.4", ())


@pytest.mark.parametrize(
    ("labels", "word"),
    [("", 'index .Release.Labels "part" | default .Release.Name'),
     (", labels: {part: cilium}", 'index .Release.Labels "part" | default .Release.Name'),
     (", labels: {part: cilium}", ".Release.Labels.part"),
     ("", '.Release.Labels.part | default "cilium"')],
)  # fmt: skip
def test_a_template_may_go_by_a_label_of_the_release(tmp_path: Path, labels: str, word: str) -> None:
    name = "cilium" if not labels else "cilium-crds"
    template = TEMPLATE.replace("UP", "..").replace(".Release.Name)", "$part)")
    files = {
        "bootstrap/helmfile/base.yaml": OF_TEMPLATE.replace("WHERE", "./made"),
        "bootstrap/helmfile/made/release.yaml.gotmpl": f"{{{{- $part := {word} -}}}}\n{template}",
    }
    text = f"bases: [base.yaml]\ndefaultInherit: default\nreleases: [{{name: {name}, namespace: kube-system{labels}}}]\n"
    (cilium,), problems = read_helmfile(house(tmp_path, text, **files))
    assert (cilium.chart, cilium.version, problems) == ("oci://charts.invalid/cilium", "1.19.4", ())


@pytest.mark.parametrize("word", ['index .Release.Labels "part"', ".Release.Labels.part", ".Release.Chart", "$part"])
def test_a_word_that_is_none_makes_a_template_that_is_told(tmp_path: Path, word: str) -> None:
    template = TEMPLATE.replace("UP", "..").replace(".Release.Name)", "$part)")
    files = {
        "bootstrap/helmfile/base.yaml": OF_TEMPLATE.replace("WHERE", "./made"),
        "bootstrap/helmfile/made/release.yaml.gotmpl": f"{{{{- $part := {word} -}}}}\n{template}",
    }
    text = f"bases: [base.yaml]\ndefaultInherit: default\nreleases: [{CILIUM % ''}]\n"
    _, problems = read_helmfile(house(tmp_path, text, **files))
    assert [one.path for one in problems] == ["releases[0].chart", "releases[0].version"]


def test_a_template_that_does_more_is_told(tmp_path: Path) -> None:
    files = {
        "bootstrap/helmfile/base.yaml": OF_TEMPLATE.replace("WHERE", "./made"),
        "bootstrap/helmfile/made/release.yaml.gotmpl": "{{- if .x }}" + TEMPLATE + "{{ end }}",
    }
    text = f"bases: [base.yaml]\ndefaultInherit: default\nreleases: [{CILIUM % ''}]\n"
    _, problems = read_helmfile(house(tmp_path, text, **files))
    assert [one.path for one in problems] == ["releases[0].chart", "releases[0].version"]


def test_what_the_release_says_itself_goes_before(tmp_path: Path) -> None:
    own = CILIUM % ", inherit: [{template: default}], version: 1.20.0"
    (cilium,), problems = read_helmfile(house(tmp_path, f"{TEMPLATES}releases: [{own}]\n"))
    assert (cilium.version, problems) == ("1.20.0", ())


@pytest.mark.parametrize(
    "chart",
    ["{{ .Values.chart }}", '{{ (fromYaml (readFile "../../../outside.yaml")).spec.url }}', "{{ fromYaml .x }}",
     '{{ (fromYaml (readFile (printf "../charts/%s/%s.yaml" .Release.Name))).spec.url }}'],
)  # fmt: skip
def test_what_is_no_more_than_a_template_is_told_at_its_release(tmp_path: Path, chart: str) -> None:
    (tmp_path / "outside.yaml").write_text(SOURCE)
    text = f"templates: {{default: {{chart: '{chart}', version: 1.0.0}}}}\ndefaultInherit: default\nreleases: [{CILIUM % ''}]\n"
    _, problems = read_helmfile(house(tmp_path / "house", text))
    assert [str(one) for one in problems] == [
        "bootstrap/helmfile/apps.yaml:3: releases[0].chart: is a template, which is not read; write the value out"
    ]


def test_definitions_beside_it_inherit_as_well(tmp_path: Path) -> None:
    text = f"{TEMPLATES}defaultInherit: default\nreleases: [{CILIUM % ''}]\n"
    (cilium,), problems = read_crd_helmfile(house(tmp_path, text, "crds.yaml"))
    assert (cilium.chart, problems) == ("oci://charts.invalid/cilium", ())


@pytest.mark.parametrize("key", ["hardwareAddr", "permanentAddr"])
def test_a_card_behind_a_bond_is_the_nodes(tmp_path: Path, key: str) -> None:
    (tmp_path / "talos").mkdir()
    lone = 'deviceSelector: {hardwareAddr: "BC:24:11:00:00:01"}'
    bond = f'interface: bond0\n        bond: {{deviceSelectors: [{{{key}: "BC:24:11:00:00:01"}}, {{{key}: "BC:24:11:00:00:02"}}]}}'
    text = FILES["talos/talconfig.yaml"]
    assert lone in text
    (tmp_path / "talos/talconfig.yaml").write_text(text.replace(lone, bond))
    (tmp_path / "talos/talenv.yaml").write_text(FILES["talos/talenv.yaml"])
    talconfig, _ = read_talconfig(tmp_path)
    assert talconfig is not None and talconfig.nodes[0].mac == "bc:24:11:00:00:01"


POST_QUANTUM = "age1pq1" + "q" * 1952
USUAL = "age1" + "q" * 58


def test_a_post_quantum_recipient_is_one_of_several(tmp_path: Path) -> None:
    file = write_repository(tmp_path, SETTINGS.replace("  age_key: file:age.key\n", "  age_key: file:age.key\n  recipient: WHO\n"))
    (tmp_path / ".sops.yaml").write_text(f"creation_rules: [{{age: '{USUAL},{POST_QUANTUM}'}}]\n")
    text = file.read_text()
    file.write_text(text.replace("WHO", POST_QUANTUM))
    assert load(file).age_recipient == POST_QUANTUM
    file.write_text(text.replace("WHO", POST_QUANTUM[:-1]))
    with pytest.raises(SettingsInvalid) as refused:
        load(file)
    assert "sops.recipient" in " ".join(refused.value.evidence)
    file.write_text(text.replace("  recipient: WHO\n", ""))
    with pytest.raises(SettingsInvalid) as refused:
        load(file)
    (told,) = refused.value.evidence
    assert short(POST_QUANTUM) in told and len(told) < 300


VALUES = '# {{ requiredEnv "NOT_THIS" }}\nroot: {{ requiredEnv "ROOT_DIR" }}/x\nof: {{ requiredEnv "CLUSTER" }}\n'


def asking(root: Path, more: str = "") -> Path:
    """A house whose helmfile cannot do without two variables; `more` is what the settings' bootstrap says."""
    section = f"bootstrap:\n  environment: {more}\n" if more else ""
    file = write_repository(root, f"{SETTINGS}{section}")
    helmfile = root / "bootstrap/helmfile.yaml"
    version = "chart: cilium/cilium, version: 1.10"
    helmfile.write_text(helmfile.read_text().replace(version, f"{version}, values: [v.gotmpl]"))
    (root / "bootstrap/v.gotmpl").write_text(VALUES)
    return file


def test_what_a_helmfile_requires_of_the_environment_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(asking(tmp_path, "{CLUSTER: main}"))
    (told,) = refused.value.evidence
    assert "bootstrap.environment: bootstrap/v.gotmpl:2 needs ROOT_DIR (requiredEnv), and a run hands on nothing" in told


@pytest.mark.parametrize("based", [False, True], ids=["its own", "a base's"])
def test_what_values_of_the_environment_require_is_told_too(tmp_path: Path, based: bool) -> None:
    named = "environments: {default: {values: [../env/all.yaml.gotmpl]}}\n"
    root = house(tmp_path, f"{'bases: [base.yaml]' if based else named}\n---\nreleases: []\n", **{
        "bootstrap/env/all.yaml.gotmpl": 'zone: {{ requiredEnv "ZONE" }}\n', "bootstrap/helmfile/base.yaml": named,
    })  # fmt: skip
    assert required(root) == {"ZONE": "bootstrap/env/all.yaml.gotmpl:1"}


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("releases: [{name: a, values: [{password: 'ref+sops://a.yaml#/b'}]}]\n", True),
        ("releases: [{name: a, secrets: [a.yaml]}]\n", True),
        ("environments: {default: {secrets: [a.yaml]}}\n---\nreleases: []\n", True),
        ("releases: [{name: a, values: [values.yaml]}]\n", True),
        ("templates: {t: {secrets: [a.yaml]}}\nreleases: [{name: a, inherit: [{template: t}]}]\n", True),
        ("templates: {t: {values: [values.yaml]}}\nreleases: [{name: a, inherit: [{template: t}]}]\n", True),
        ("bases: [secret.yaml]\n---\nreleases: [{name: a}]\n", True),
        ("bases: [refers.yaml]\n---\nreleases: [{name: a}]\n", True),
        ("bases: [other.yaml]\n---\nreleases: [{name: a}]\n", False),
        ("releases: [{name: a, values: [other.yaml], secrets: []}]\n", False),
    ],
)
def test_a_helmfile_that_opens_what_sops_encrypted_is_known(text: str, opens: bool, tmp_path: Path) -> None:
    files = {
        "values.yaml": "key: ref+sops://a.yaml#/b\n", "other.yaml": "key: ref\n",
        "secret.yaml": "environments: {default: {secrets: [a.yaml]}}\n", "refers.yaml": "templates: {t: {values: [values.yaml]}}\n",
    }  # fmt: skip
    assert opens_sops(house(tmp_path, text, **{f"bootstrap/helmfile/{name}": body for name, body in files.items()})) is opens


def test_it_is_handed_on_as_the_settings_say_it(tmp_path: Path) -> None:
    made = load(asking(tmp_path, "{CLUSTER: main, ROOT_DIR: ./kubernetes}"))
    assert made.helmfile_environment == (("CLUSTER", "main"), ("ROOT_DIR", str(tmp_path / "kubernetes")))
    assert helmfile_by_hand(made) == f"CLUSTER=main ROOT_DIR={tmp_path}/kubernetes helmfile"
    assert course(made, {}).steps and all(
        "CLUSTER=main" in step.by_hand() for step in course(made, {}).steps if str(step.id).startswith("helm.sync-release/")
    )


@pytest.mark.parametrize("value", ["op://vault/item/field", "{}", "1", '"a\\nb"'])
def test_no_secret_and_no_number_is_handed_on(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(asking(tmp_path, f"{{CLUSTER: {value}, ROOT_DIR: .}}"))
    assert any("bootstrap.environment.CLUSTER" in line for line in refused.value.evidence)


def test_a_first_file_asks_for_them(tmp_path: Path) -> None:
    asking(tmp_path).unlink()
    text = write_settings(tmp_path).file.read_text()
    assert "bootstrap:\n  # Variables that helmfile is given" in text
    assert "    CLUSTER: FILL_IN  # bootstrap/v.gotmpl:3 needs it (requiredEnv)\n" in text


def test_an_ssh_key_among_the_recipients_is_not_offered_as_our_own(tmp_path: Path) -> None:
    write_repository(tmp_path).unlink()
    file = tmp_path / ".sops.yaml"
    file.write_text(file.read_text().replace("age: [age1", "age: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnnA anna@desk', age1"))
    found = read_repository(tmp_path)
    assert [one[:4] for one in found.age_recipients] == ["age1"]
    assert "recipient:" not in write_settings(tmp_path).file.read_text()


@pytest.mark.parametrize(
    ("text", "base", "needs"),
    [
        ("releases: [" + CILIUM % ", secrets: [./x.sops.yaml]" + "]\n", "", {"secrets": "bootstrap/helmfile/apps.yaml: `secrets`"}),
        ("environments: {default: {secrets: [./x.sops.yaml]}}\n", "", {"secrets": "bootstrap/helmfile/apps.yaml: `secrets`"}),
        ("bases: [base.yaml]\n", "templates: {default: {secrets: [x]}}\n", {"secrets": "bootstrap/helmfile/apps.yaml: `secrets`"}),
        ("repositories: [{name: a, url: 'git+https://git.invalid/a@charts'}]\n", "",
         {"helm-git": "bootstrap/helmfile/apps.yaml: git+https://git.invalid/a@charts"}),
        ("repositories: [{name: a, url: 's3://bucket/charts'}]\n", "", {"s3": "bootstrap/helmfile/apps.yaml: s3://bucket/charts"}),
        ("repositories: [{name: a, url: 'https://charts.invalid'}]\nreleases: [" + CILIUM % ", values: [a.yaml]" + "]\n", "", {}),
    ],
    ids=["a release's secrets", "an environment's", "a base's", "charts in Git", "charts in a bucket", "none"],
)  # fmt: skip
def test_plugins_that_helm_needs_are_told_by_what_asks_for_them(
    tmp_path: Path, text: str, base: str, needs: dict[str, str]
) -> None:
    root = house(tmp_path, text, **{"bootstrap/helmfile/base.yaml": base})
    assert plugins(root) == needs


def test_what_a_helmfile_needs_is_known_of_the_house_that_is_loaded(tmp_path: Path) -> None:
    file = write_repository(tmp_path)
    plain = load(file)
    helmfile = tmp_path / "bootstrap/helmfile.yaml"
    version = "chart: cilium/cilium, version: 1.10"
    helmfile.write_text(helmfile.read_text().replace(version, f"{version}, secrets: [x.sops.yaml]"))
    (tmp_path / "bootstrap/x.sops.yaml").write_text("key: encrypted\n")
    made = load(file)
    assert [(one.helmfile_opens_sops, one.helm_plugins) for one in (plain, made)] == [
        (False, ()), (True, (("secrets", "bootstrap/helmfile.yaml: `secrets`"),)),
    ]  # fmt: skip
    assert [any(check.id == "preflight.helm-plugins" for check in course(one, {}).checks) for one in (plain, made)] == [False, True]
