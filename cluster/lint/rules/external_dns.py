"""external-dns that takes away the records of what it does not see: in a rebuilt cluster, of everything that is not back yet.

Source: external-dns itself deletes with `--policy=sync`, which is what it does where it is not told; its chart says upsert-only
where its values do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.pods import containers
from cluster.lint.programs import Program
from house.files.shapes import sequence

NAME = "external-dns-deletes"
CHART = "external-dns"


def _find(given: Given) -> Iterator[Finding]:
    for program in given.charts(CHART):
        policy = _of_program(program)
        if policy.unknown:
            yield _unknown(program.told, program.declared_in, ", ".join(program.unseen))
        elif policy.deletes:
            yield _deletes(program.told, program.declared_in, policy, _patch(program, policy))
    for one in containers(given):
        name = one.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        if name == CHART and not any(program.told == one.owner and program.chart == CHART for program in given.programs):
            policy = _of_words(one.words, default="sync")
            if policy.unknown:
                yield _unknown(one.owner, one.declared_in)
            elif policy.deletes:
                yield _deletes(one.owner, one.declared_in, policy, "args:\n  - --policy=upsert-only")


@dataclass(frozen=True)
class _Policy:
    """What one may do: `deletes` records; `of_others`, as nothing marks which are its own; `by_argument` rather than by a value.

    `dry`: it changes nothing at all. `unknown`: what it may do stands somewhere else.
    """

    deletes: bool
    of_others: bool = False
    by_argument: bool = False
    dry: bool = False
    unknown: bool = False


def _of_program(program: Program) -> _Policy:
    values = program.values
    by_words = _of_words(_extra(program), default="")
    if values.get("dryRun") is True or by_words.dry:
        return _Policy(deletes=False, dry=True)
    of_others = values.get("registry") == "noop" or by_words.of_others
    if by_words.by_argument:
        return replace(by_words, of_others=of_others)
    policy = str(values.get("policy") or "upsert-only")
    return _Policy(policy == "sync", of_others, unknown="${" in policy or ("policy" not in values and bool(program.unseen)))


def _extra(program: Program) -> tuple[str, ...]:
    """Arguments beside those of the chart, as `--name=value`: a list in either notation, or a mapping."""
    extra = program.values.get("extraArgs")
    if isinstance(extra, dict):
        return tuple(f"--{key}={value}" for key, value in extra.items())
    return tuple("\n".join(map(str, sequence(extra))).replace("--policy\n", "--policy=").split("\n")) if extra else ()


def _of_words(words: tuple[str, ...], default: str) -> _Policy:
    """What arguments say, and where they say nothing of a policy the default."""
    text = " ".join(words).replace("--policy ", "--policy=")
    policies = [part.removeprefix("--policy=") for part in text.split() if part.startswith("--policy=")]
    dry = any(part in ("--dry-run", "--dry-run=true") for part in text.split())
    policy = policies[-1] if policies else default
    return _Policy(policy == "sync" and not dry, "--registry=noop" in text, bool(policies), dry, "${" in policy and not dry)


def _deletes(told: str, where: str, policy: _Policy, patch: str) -> Finding:
    others = ", and of records that were never its own, for its registry is noop" if policy.of_others else ""
    return Finding(
        NAME, Weight.RISK, told, f"{told} deletes DNS records of what it does not see (policy sync){others}", where,
        "in a rebuilt cluster the applications are not there yet: it takes their records away at the provider, where no hold "
        "reaches, and who asked meanwhile remembers that there is none",
        "let it only add and change until everything is back, then take the line out again", patch, beyond_admission=True,
    )  # fmt: skip


def _unknown(told: str, where: str, unseen: str = "") -> Finding:
    return Finding(
        NAME, Weight.UNKNOWN, told, f"whether {told} deletes DNS records is not in Git: its policy is in {unseen or 'a variable'}",
        where, "with policy sync it takes away the records of every application that is not back yet",
        "write policy upsert-only where Git shows it", beyond_admission=True,
    )  # fmt: skip


def _patch(program: Program, policy: _Policy) -> str:
    """For Git, and what does the same at once in a cluster whose Flux does not take it back."""
    at, _, name = program.key.partition("/")
    lines = ["# in its HelmRelease, for as long as anything is held"]
    if policy.by_argument:
        kept = [item for item in _extra(program) if not item.startswith("--policy=")] + ["--policy=upsert-only"]
        lines += ["spec:", "  values:", "    extraArgs:", *(f"      - {json.dumps(item)}" for item in kept)]
        change: object = {"extraArgs": kept}
    else:
        lines += ["spec:", "  values:", "    policy: upsert-only"]
        change = {"policy": "upsert-only"}
    if program.kustomization:
        words = json.dumps({"spec": {"values": change}}, separators=(",", ":"))
        space, _, app = program.kustomization.partition("/")
        lines += [
            "# or at once, while Flux lets it be:",
            f"# flux suspend kustomization -n {space} {app}",
            f"# kubectl -n {at} patch helmrelease {name} --type merge -p '{words}'",
        ]
    return "\n".join(lines)


RULE = Rule(NAME, "Which external-dns takes records away while applications are missing?", _find)
