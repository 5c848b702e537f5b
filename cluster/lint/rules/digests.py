"""Images by a tag alone, where what answers for the tag is a mirror inside the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.pods import Container, containers
from cluster.lint.rules.mirror_inside import mirrors, peers
from engine.text.words import number, some

NAME = "tag-behind-a-mirror"


def _find(given: Given) -> Iterator[Finding]:
    told = [program.told for program in peers(given)] + [setting.value for setting, _ in mirrors(given)]
    if not told:
        return
    loose: dict[str, Container] = {}
    for one in containers(given):
        if one.image and "@sha256:" not in one.image and "${" not in one.image and _has_tag(one.image):
            loose.setdefault(one.image, one)
    if loose:
        yield Finding(
            NAME, Weight.RISK, told[0],
            f"{number(len(loose), 'image')} by a tag alone behind {told[0]}: {some(sorted(loose), 4)}",
            loose[sorted(loose)[0]].declared_in,
            "a tag is looked up before it is pulled: a mirror of peers cannot do that without the registry outside, and where it "
            "does, it is with whatever a node happened to have",
            "write `tag@sha256:…` (Renovate does with `docker:pinDigests`)",
        )  # fmt: skip


def _has_tag(image: str) -> bool:
    """Whether Git names a whole image: a repository without a tag has the chart's, which nobody sees here."""
    return ":" in image.rpartition("/")[2]


RULE = Rule(NAME, "Which images can a mirror inside not answer for by itself?", _find)
