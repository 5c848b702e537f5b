"""The parts `rehearsal` and `objectives` of blackstart.yaml as typed sections, and what of them does not fit the repository."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from house.files.problems import Problem, Steps, dotted, nearest_or_all
from house.files.typed import kind_of
from house.files.yamlfile import Document
from house.settings.section import Section
from house.settings.section import what as _what
from house.settings.values import HttpsUrl, PathText, Wait, wrong
from house.settings.variables import VariableName, VariableValue
from house.values.rehearsing import (
    IMAGES,
    PROBE_S,
    ClaimProbe,
    Mirror,
    Objective,
    Objectives,
    Preset,
    Prices,
    Rehearsal,
)

_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]{0,254}")
_PRESETS = [preset.value for preset in Preset]


def preset_of(value: object) -> Preset:
    """A preset by its name."""
    if value not in _PRESETS:
        raise wrong("is no probe that is known here", f"write one of {', '.join(_PRESETS)}")
    return Preset(value)


def inside_of(value: str) -> str:
    """A path within the volume, seen from its root."""
    parts = PurePosixPath(value).parts
    if not value.strip() or not value.isprintable() or value.startswith("/") or ".." in parts:
        raise wrong("is no path within the volume", "write it seen from the volume's root, as in data/notes.db")
    return value


def image_of(value: object) -> str:
    """An image as a kubelet pulls it."""
    if not isinstance(value, str) or _IMAGE.fullmatch(value) is None:
        raise wrong(f"is {kind_of(value)}, and no image", "write it with its registry and tag, as in docker.io/library/postgres:17")
    return value


_Preset = Annotated[Preset, BeforeValidator(preset_of), WithJsonSchema({"type": "string", "enum": _PRESETS})]
_Inside = Annotated[str, AfterValidator(inside_of)]
_Image = Annotated[str, BeforeValidator(image_of), WithJsonSchema({"type": "string", "pattern": f"^{_IMAGE.pattern}$"})]
_Page = Annotated[str, Field(pattern=r"^/[!-~]*$")]
_At = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$")]
_Word = Annotated[str, Field(min_length=1)]


class ProbeSection(Section):
    """One probe of a claim's restored data."""

    preset: _Preset = _what("what is done: files, sqlite, postgres, home-assistant, http or command", "sqlite")
    image: _Image | None = _what("the image that it runs in", "docker.io/library/postgres:17", None)
    paths: list[_Inside] = _what("what it is about, seen from the volume's root", ["data/notes.db"], [])
    command: list[_Word] = _what("the command, word by word; the data are at /data", ["check", "/data"], [])
    limit: Wait = _what("how long it may take", "30m", PROBE_S)
    port: int | None = Field(default=None, description="the port that the application answers at", examples=[8080], ge=1, le=65535)
    page: _Page = _what("the page that it is asked for", "/health", "/")
    at: _At = _what("where the application has its data", "/config", "/data")
    environment: dict[VariableName, VariableValue] = _what("its variables, no secret among them", {"TZ": "UTC"}, {})

    @model_validator(mode="after")
    def _fits(self) -> ProbeSection:
        if self.preset is Preset.COMMAND and not (self.image and self.command):
            raise wrong("a command needs an image and its words", "write image: and command: [WORD, …]")
        asks = self.preset is Preset.HTTP
        if asks and not (self.image and self.port):
            raise wrong("http needs the application's image and port", "write image: and port:")
        if not asks and self.model_fields_set & {"port", "page", "at", "environment"}:
            raise wrong(f"{self.preset.value} takes no port, page, at and environment", "leave them out, or write preset: http")
        if self.preset not in (Preset.COMMAND, Preset.HTTP) and self.command:
            raise wrong(f"{self.preset.value} takes no command", "leave it out, or write preset: command")
        if self.at == "/tmp":  # noqa: S108 - the pod's own
            raise wrong("at is where the pod keeps what it needs itself", "name the folder that the application has its data in")
        if asks and self.paths:
            raise wrong("http takes no paths", "say by at: where the application has its data")
        if self.preset is Preset.COMMAND and self.paths:
            raise wrong("a command takes no paths", "name them among its words; the data are at /data")
        if self.preset is Preset.POSTGRES and not self.image:
            raise wrong("postgres needs the image of the version that wrote the data", "write image: docker.io/library/postgres:17")
        if self.preset in (Preset.POSTGRES, Preset.HOME_ASSISTANT) and len(self.paths) > 1:
            raise wrong(f"{self.preset.value} is about one folder", "name one, and each other in a probe of its own")
        return self


Missed = Literal["fail", "warn"]
_Registry = Annotated[str, Field(pattern=r"^(\*|[a-z0-9.-]+(:[0-9]+)?)$")]


class ObjectiveSection(Section):
    """What is expected of one claim; what it does not say of its data's age, and of what a miss is, the section above says."""

    rto: Wait | None = _what("how long until it is back, in a drill of it", "20m", None)
    rpo: Wait | None = _what("how old its data may be", "24h", None)
    missed: Missed | None = _what("what a missed one is: fail or warn", "fail", None)


_Price = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
_Store = Annotated[str, Field(min_length=1)]


class EgressSection(Section):
    """What is paid for what leaves the stores."""

    per_gb: _Price | None = _what("the price of a GB (10^9 bytes) that leaves a store", 0.007, None)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = _what("its currency", "USD")
    stores: dict[_Store, _Price] = _what(
        "stores with another price, by how the address begins that a mover sees", {"s3:https://nas.lan": 0}, {}
    )


class ObjectivesSection(Section):
    """What is expected of a recovery, which drills measure."""

    rto: Wait | None = _what("how long until every required claim is back", "4h", None)
    rpo: Wait | None = _what("how old the data of each claim may be", "36h", None)
    missed: Missed = _what("what a missed one is: fail or warn", "fail", "warn")
    claims: dict[str, ObjectiveSection] = _what("claims that differ, as namespace/claim", {"apps/notes": {"rto": "20m"}}, {})
    egress: EgressSection | None = _what("what is paid for what leaves the stores", {"per_gb": 0.007, "currency": "USD"}, None)


class RegistrySection(Section):
    """What serves images in place of one registry."""

    url: HttpsUrl = _what("where its images are pulled from", "https://mirror.lan:5000")
    ca_file: PathText | None = _what("the file of the CA that signed its certificate", "mirror-ca.pem", None)


class RehearsalSection(Section):
    """What a rehearsal demands of restored data besides every byte, and whom it asks for images."""

    probe: dict[str, list[ProbeSection]] = _what(
        "what each claim's restored data must stand, as namespace/claim", {"apps/notes": [{"preset": "sqlite"}]}, {}
    )
    registries: dict[_Registry, RegistrySection] = _what(
        "what machines pull images from in place of a registry, * for every other", {"docker.io": {"url": "https://mirror.lan"}}, {}
    )


def rehearsal_of(section: RehearsalSection, objectives: ObjectivesSection, path: Callable[[str], str]) -> Rehearsal:
    """As values; `path` makes a path absolute from where the settings lie."""
    probes = {key: tuple(_probe(one) for one in probes) for key, probes in section.probe.items() if probes}
    mirrors = tuple(
        (host, Mirror(one.url.rstrip("/"), path(one.ca_file) if one.ca_file is not None else ""))
        for host, one in section.registries.items()
    )
    return Rehearsal(probes, _objectives(objectives), mirrors)


def _objectives(section: ObjectivesSection) -> Objectives:
    whole = Objective(section.rto or 0.0, section.rpo or 0.0, section.missed == "fail")
    claims = {
        key: Objective(one.rto or 0.0, one.rpo or whole.rpo, (one.missed or section.missed) == "fail")
        for key, one in section.claims.items()
    }
    paid = section.egress
    return Objectives(whole, claims, Prices(paid.per_gb, paid.currency, paid.stores) if paid is not None else Prices())


def _probe(section: ProbeSection) -> ClaimProbe:
    image = section.image or IMAGES.get(section.preset, "")
    return ClaimProbe(
        section.preset, image, tuple(section.paths), tuple(section.command), section.limit, section.port or 0, section.page,
        section.at, tuple(section.environment.items()),
    )  # fmt: skip


def check_rehearsal(
    document: Document, section: RehearsalSection | None, objectives: ObjectivesSection | None, claims: Iterable[str]
) -> Iterator[Problem]:
    """What of them does not fit the repository, whose backed-up claims are these (`namespace/claim`)."""
    known = sorted(claims)
    named: list[tuple[Steps, str]] = [(("rehearsal", "probe", key), key) for key in (section.probe if section is not None else ())]
    named += [(("objectives", "claims", key), key) for key in (objectives.claims if objectives is not None else ())]
    for where, key in named:
        if key not in known:
            told = "is no claim that VolSync backs up with restic"
            yield Problem(document.name, document.line(where), dotted(where), told, nearest_or_all(key, known))
