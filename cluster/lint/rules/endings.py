"""Certificates in files that the settings name and in Git whose end is near: what trusts them then trusts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.certificates import certificates_in, ends_at
from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given, texts_of
from engine.files.content import content_of
from engine.text.words import number

NAME = "credential-ends"
SOON_S = 60 * 86400.0


def _find(given: Given) -> Iterator[Finding]:
    seen: set[str] = set()
    for what, text, where in (*_named(given), *_in_git(given)):
        for pem in certificates_in(text):
            end = ends_at(pem)
            if end is not None and pem not in seen and end - given.now < SOON_S:
                seen.add(pem)
                yield _finding(what, end, given.now, where)


def _named(given: Given) -> Iterator[tuple[str, str, str]]:
    """Each CA file of the settings: what it is of, its text, its place."""
    house = given.house
    files = [("the CA of Proxmox", one.ca_file, given.said_at("proxmox", "endpoints", index, "ca_file"))
             for index, one in enumerate(house.proxmox.endpoints)]  # fmt: skip
    files.append(("the CA of the image", house.image.ca_file, given.said_at("image", "ca_file")))
    files += [(f"the CA of NAS {one.name}", one.ca_file, given.said_at("nas", one.name, "ca_file")) for one in house.nas]
    stores = [one.ca_file for whole in (*house.claims, *house.kopia) for one in whole.sources]
    stores += [archive.ca_file for archive in house.archives]
    files += [("the CA of backups", file, given.said_at("backups")) for file in stores]
    files += [(f"the CA of definitions {one.key}", one.ca_file, given.said_at("bootstrap", "crds")) for one in house.crd_sources]
    for what, file, where in dict.fromkeys(files):
        if file:
            try:
                yield what, content_of(Path(file)).decode("utf-8", "replace"), where
            except OSError:
                continue  # the loader says what is not there


def _in_git(given: Given) -> Iterator[tuple[str, str, str]]:
    for one in given.objects("", "ConfigMap", "Secret"):
        for text in texts_of([one.body.get("data"), one.body.get("stringData")]):
            yield f"a certificate in {one.kind} {one.namespace}/{one.name}", text, one.declared_in


def _finding(what: str, end: float, now: float, where: str) -> Finding:
    days = int((end - now) // 86400)
    told = f"{what} ended {number(-days, 'day')} ago" if days < 0 else f"{what} ends in {number(days, 'day')}"
    return Finding(
        NAME, Weight.RISK, what, told, where,
        "in the night in which it is needed nothing that shows it is believed, and there is no other way in",
        "make it anew and put it where this one is",
    )  # fmt: skip


RULE = Rule(NAME, "Which credentials end soon, as far as files show it?", _find)
