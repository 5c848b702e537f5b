"""The settings' `bootstrap` section joined with its files: definitions and Secrets that are put into the cluster first.

Of an encrypted manifest it reads what sops leaves open, names and keys, and makes a reference of each value. Decrypts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from house.files import yamlfile
from house.files.authority import ca_amiss
from house.files.paths import is_file, is_folder, no_file
from house.files.problems import Problem, dotted
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document, YamlInvalid
from house.model import BootstrapSecret, CrdForm, CrdSource, FluxSource, SecretForm, SecretRef
from house.settings.sections import BootstrapSecretSection, BootstrapSection, CrdsEntrySection
from house.settings.values import reference_of

AGE_SECRET = "sops-age"  # noqa: S105 - a Secret's usual name, where Git names none
AGE_KEY = "age.agekey"
"""The key of the Secret that holds the age key: kustomize-controller takes only names that end so."""
DEPLOY_KEY = "deploy-key"
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_VALUES = ("data", "stringData")
_ENCRYPTED = "ENC["
_TEMPLATE = re.compile(r"\{\{\s*(op://[^}]+?)\s*\}\}")
_VERSION = re.compile(r"(?:^|/)(?:refs/tags/)?(v?\d+\.\d+(?:\.\d+)?[\w.+-]*)(?:/|$)")
Located = Callable[[str], str]
Reference = Callable[[SecretRef], SecretRef]


@dataclass(frozen=True)
class Brought:
    """What is put into the cluster first, and what is wrong with the section that says so."""

    crd_sources: tuple[CrdSource, ...]
    secrets: tuple[BootstrapSecret, ...]
    problems: tuple[Problem, ...]

    @property
    def namespaces(self) -> frozenset[str]:
        """Where the Secrets go."""
        return frozenset(secret.namespace for secret in self.secrets)


def brought(document: Document, section: BootstrapSection, located: Located, secret: Reference) -> Brought:
    """The section's entries; `located` makes paths absolute, `secret` the paths inside references."""
    problems: list[Problem] = []
    sources: dict[str, CrdSource] = {}
    for index, crds in enumerate(section.crds):
        where = ("bootstrap", "crds", index)
        source = _crd_source(crds, located)
        for what, better in _place_problems(source):
            problems.append(_problem(document, (*where, source.form.value), what, better))
        if crds.ca_file and (wrong := ca_amiss(Path(located(crds.ca_file)))) is not None:
            problems.append(_problem(document, (*where, "ca_file"), *wrong))
        if source.key in sources:
            problems.append(_problem(document, where, f"is called {source.key} like another", "give it a name of its own"))
        sources[source.key] = source
    found: dict[str, BootstrapSecret] = {}
    for index, entry in enumerate(section.secrets):
        where = ("bootstrap", "secrets", index)
        try:
            ours = list(_secrets(entry, located, secret))
        except _Wrong as wrong:
            problems.append(_problem(document, where, wrong.what, wrong.better))
            continue
        for one in ours:
            if one.key in found:
                problems.append(_problem(document, where, f"makes {one.key} a second time", "keep one of the two"))
            found[one.key] = one
    return Brought(tuple(sources.values()), tuple(found.values()), tuple(problems))


def with_flux_keys(
    secrets: tuple[BootstrapSecret, ...], flux: FluxSource, age_key: SecretRef, decryption: tuple[str, ...]
) -> tuple[BootstrapSecret, ...]:
    """All Secrets in the order in which they are put: the age key in Flux's namespace and wherever else `decryption` (by
    `namespace/name`) has it, the deploy key where the settings name one, and the others. What the settings make is theirs."""
    made = {secret.key for secret in secrets}
    at_flux = any(key.startswith(f"{flux.namespace}/") for key in decryption)
    keys = decryption if at_flux else (f"{flux.namespace}/{AGE_SECRET}", *decryption)
    ours = [BootstrapSecret(namespace, name, ((AGE_KEY, age_key),)) for namespace, _, name in (key.partition("/") for key in keys)]
    if flux.deploy_key is not None:
        ours.append(BootstrapSecret(flux.namespace, DEPLOY_KEY, ((DEPLOY_KEY, flux.deploy_key),), SecretForm.DEPLOY_KEY))
    return (*(secret for secret in ours if secret.key not in made), *secrets)


class _Wrong(Exception):
    """What is wrong with an entry, and what would be right."""

    def __init__(self, what: str, better: str) -> None:
        super().__init__(what)
        self.what, self.better = what, better


def _problem(document: Document, where: tuple[str | int, ...], what: str, better: str) -> Problem:
    return Problem(document.name, document.line(where), dotted(where), what, better)


def _crd_source(entry: CrdsEntrySection, located: Located) -> CrdSource:
    if entry.url is not None:
        form, place, key = CrdForm.URL, entry.url, entry.name or crds_name(entry.url)
    else:
        named = entry.file or entry.folder or ""
        form, place = (CrdForm.FILE if entry.file is not None else CrdForm.FOLDER), located(named)
        key = entry.name or _plain(Path(named).stem if entry.file is not None else Path(place).name)
    version = entry.version or (version_in(entry.url) if entry.url is not None else "")
    return CrdSource(key, form, place, version, entry.sha256 or "", located(entry.ca_file) if entry.ca_file else "")


def crds_name(url: str) -> str:
    """What an entry of this URL is called: the repository's name, where the URL is of one, and the file's."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    stem = _plain(Path(parts[-1]).stem) if parts else "crds"
    host = urlsplit(url).hostname or ""
    named = _plain(parts[1]) if host.endswith(("github.com", "githubusercontent.com")) and len(parts) > 2 else _plain(host)
    return f"{named}/{stem}"


def version_in(url: str) -> str:
    """The version that a URL's path shows, "" for none."""
    found = _VERSION.search(urlsplit(url).path)
    return found[1] if found else ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.") or "crds"


def _place_problems(source: CrdSource) -> Iterator[tuple[str, str]]:
    path = Path(source.place)
    if source.form is CrdForm.FILE and (told := no_file(path)):
        yield told, "name the manifest's file, seen from this file"
    if source.form is CrdForm.FOLDER and not any(is_file(path / name) for name in KUSTOMIZATIONS):
        yield "holds no kustomization.yaml", "name a kustomize folder, or each file with `file:`"


def _secrets(entry: BootstrapSecretSection, located: Located, secret: Reference) -> Iterator[BootstrapSecret]:
    if entry.keys is not None:
        keys = tuple((key, secret(reference)) for key, reference in entry.keys.items())
        yield BootstrapSecret(entry.namespace or "", entry.name or "", keys)
    elif entry.file is not None:
        yield from _manifest(Path(located(entry.file)), entry.namespace or "")
    else:
        yield from _folder(Path(located(entry.folder or "")), entry.namespace or "")


def _folder(folder: Path, namespace: str) -> Iterator[BootstrapSecret]:
    """The manifests that a kustomization lists. Whatever else it does to them would be lost, and is refused."""
    file = next((folder / name for name in KUSTOMIZATIONS if is_file(folder / name)), None)
    if file is None:
        raise _Wrong(f"{folder.name} holds no kustomization.yaml", "name a kustomize folder, or each manifest with `file:`")
    for document in _documents(file):
        body = mapping(document.value)
        more = sorted(set(body) - {"apiVersion", "kind", "resources", "namespace"})
        if more:
            raise _Wrong(f"{folder.name} uses {', '.join(more)}, which is not followed for Secrets", "write them with `keys:`")
        for name in sequence(body.get("resources")):
            path = (folder / str(name)).resolve()
            within = str(body.get("namespace") or namespace)
            yield from _folder(path, within) if is_folder(path) else _manifest(path, within, strict=False)


def _manifest(file: Path, namespace: str, *, strict: bool = True) -> Iterator[BootstrapSecret]:
    """Every Secret of one manifest. `strict`: what is no Secret is refused, not passed over."""
    if told := no_file(file):
        raise _Wrong(f"{file.name} {told}", "name the manifest's file, seen from this file")
    documents = [document for document in _documents(file) if document.value is not None]
    for document in documents:
        body = mapping(document.value)
        if body.get("kind") != "Secret":
            if strict and body.get("kind") != "Namespace":
                raise _Wrong(f"{file.name} holds what is no Secret", "keep Secrets alone in it")
            continue
        if len(documents) > 1 and "sops" in body:
            raise _Wrong(f"{file.name} holds several encrypted documents", "keep each Secret in a file of its own")
        yield _from_manifest(file, body, namespace)


def _from_manifest(file: Path, body: dict[str, Any], namespace: str) -> BootstrapSecret:
    metadata = mapping(body.get("metadata"))
    name, within = str(metadata.get("name") or ""), str(metadata.get("namespace") or namespace)
    if not name or _ENCRYPTED in f"{name}{within}{body.get('type')}":
        better = "encrypt values only: encrypted_regex ^(data|stringData)$"
        raise _Wrong(f"{file.name} does not show the Secret's name, namespace and type", better)
    if not within:
        raise _Wrong(f"{file.name} does not say the Secret's namespace", "add namespace to this entry")
    keys: dict[str, SecretRef] = {}
    for part in _VALUES:
        for key, value in mapping(body.get(part)).items():
            keys[str(key)] = _value(file, part, str(key), value, encrypted="sops" in body)
    if not keys:
        raise _Wrong(f"{file.name} gives {name} no key", "a Secret needs data or stringData")
    return BootstrapSecret(within, name, tuple(keys.items()), type=str(body.get("type") or "Opaque"))


def _value(file: Path, part: str, key: str, value: Any, *, encrypted: bool) -> SecretRef:
    """Where one value is: in the encrypted file, or in the 1Password item that a template of `op inject` names."""
    if encrypted:
        return SecretRef((f"sops:{file}#{part}.{key}",))
    text = str(value or "").strip()
    named = _TEMPLATE.fullmatch(text)
    try:
        return reference_of(named[1] if named else text)
    except ValueError:
        what = f"{file.name} is not encrypted, and {part}.{key} is no reference (its text is not shown)"
        raise _Wrong(what, "encrypt it with sops, or write the Secret with `keys:`") from None


def _documents(file: Path) -> tuple[Document, ...]:
    try:
        return tuple(yamlfile.load(file, file.name))
    except YamlInvalid as error:
        raise _Wrong(f"{file.name} cannot be read: {error.problem.what}", "mend it") from None
