"""A CronJob that drills inside the cluster, as manifests to be reviewed and committed. Installs nothing.

It sees its cluster as long as that lives, and never its loss: a dead man's switch outside, or a timer on another machine, does.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.kit.secrets import of_backups
from console.schedule.rights import ACCOUNT, EVERYWHERE, kept_to, rights
from console.schedule.units import BLIND_TO, CURL, OWN, PING, Every, Job, name_of
from engine.errors import SettingsInvalid
from house.model import House

HOUSE, CHECKOUT_THERE, SECRETS = PurePosixPath("/house"), PurePosixPath("/blackstart"), PurePosixPath("/secrets")


@dataclass(frozen=True)
class CronJob:
    """What is to be run, how often, from which image (built from the Containerfile), for which house."""

    house: House
    every: Every
    image: str
    checkout: Path

    @property
    def name(self) -> str:
        """What its objects are called."""
        return name_of(self.house, Job.DRILL)

    @property
    def file(self) -> str:
        """The file of the manifests."""
        return f"{self.name}-cronjob.yaml"

    @property
    def settings(self) -> PurePosixPath:
        """Where the settings lie in the pod: in the clone. Raises SettingsInvalid for settings that are not in the repository."""
        return HOUSE / self._in_repository(self.house.settings_file, "the settings")

    @property
    def state(self) -> PurePosixPath:
        """Where the pod's state folder is: it keeps evidence from run to run, so a claim is mounted there."""
        state = self.house.state_dir.absolute()
        for top, there in ((self.house.root, HOUSE), (self.checkout, CHECKOUT_THERE)):
            if state.is_relative_to(top.absolute()):
                return there / state.relative_to(top.absolute())
        return PurePosixPath(state)

    @property
    def schedule(self) -> str:
        """Five fields of cron's: a minute and hour of the night, and a day, that are this house's own."""
        drawn = int(hashlib.sha256(f"{self.house.id} drill".encode()).hexdigest(), 16)
        minute, hour, day = drawn % 60, 1 + drawn // 60 % 4, drawn // 240 % 7
        date = 1 + drawn // 240 % 28 if self.every is Every.MONTHLY else "*"
        return f"{minute} {hour} {date} * {day if self.every is Every.WEEKLY else '*'}"

    @property
    def late_s(self) -> int:
        """For so long a start that was missed is caught up with: until the next one is due."""
        return int(self.every.seconds) - 3600

    @property
    def delay_s(self) -> int:
        """The most by which a start is put off at random besides."""
        return 3600 if self.every is Every.DAILY else 4 * 3600

    def kept_files(self) -> tuple[tuple[str, PurePosixPath], ...]:
        """The files that people keep and a drill reads: the key in the Secret, and the place in the clone. Raises
        SettingsInvalid."""
        found: dict[str, PurePosixPath] = {}
        for path in self._sources("file:"):
            inside = self._in_repository(Path(path), "a file of a secret")
            found.setdefault("file-" + hashlib.sha256(str(inside).encode()).hexdigest()[:8], HOUSE / inside)
        return tuple(found.items())

    def variables(self) -> tuple[str, ...]:
        """Names of the variables that its secrets come from."""
        return (PING, *sorted(set(self._sources("env:"))))

    def _sources(self, kind: str) -> list[str]:
        """What follows this in every source of the secrets that a drill reads."""
        refs = (self.house.age_key, *(ref for _, ref in of_backups(self.house)), *self.house.messages.to)
        return [source.removeprefix(kind) for ref in refs for source in ref.sources if source.startswith(kind)]

    def _in_repository(self, path: Path, what: str) -> PurePosixPath:
        path, root = path.absolute(), self.house.root.absolute()
        if not path.is_relative_to(root):
            raise SettingsInvalid(
                f"--as cronjob: {what} ({path}) lies outside of the repository, which is all that the pod clones",
                hint="right would be a place inside of it (of a secret a file that Git ignores, or `env:`), or --as systemd",
            )
        return PurePosixPath(path.relative_to(root))


def manifests(of: CronJob) -> str:
    """All of it in one file, with what must be known of it on top. Raises SettingsInvalid."""
    allowed = rights(of.house)
    spaces = {right.namespace: [one for one in allowed if one.namespace == right.namespace] for right in allowed}
    return _rendered(
        of=of, verb=Job.DRILL.verb, spaces=spaces, everywhere=EVERYWHERE, own=OWN, account=ACCOUNT, kept=kept_to(),
        secrets=SECRETS, ping=PING, curl=CURL, endpoint=of.house.cluster.endpoint, url=of.house.flux.url,
        branch=of.house.flux.branch, house_at=HOUSE, checkout=CHECKOUT_THERE, blind_to=BLIND_TO,
    )  # fmt: skip


def installing(of: CronJob, folder: Path) -> tuple[str, ...]:
    """What a person types to install it, in bash: its own printf keeps what a variable holds out of every argument and history."""
    keys = [f'--from-file={name}=<(printf %s "${name}")' for name in of.variables()]
    keys += [f"--from-file={key}={shlex.quote(str(of.house.root / place.relative_to(HOUSE)))}" for key, place in of.kept_files()]
    if of.house.flux.url.startswith("ssh:"):
        keys += ["--from-file=deploy-key=FILE", "--from-file=known-hosts=FILE"]  # what the pod clones with
    return (
        f"podman build -t {of.image} -f Containerfile .   # in this checkout; then push it to where the cluster pulls from",
        f"kubectl create namespace {OWN}",
        f"kubectl -n {OWN} create secret generic {of.name} {' '.join(keys)}   # each set here; or the same by SOPS, in Git",
        f"kubectl apply -f {folder / of.file}   # or commit it",
        f"kubectl -n {OWN} create job --from=cronjob/{of.name} {of.name}-now   # the first one, to see that it works",
    )


def _rendered(**words: object) -> str:
    return _templates().get_template("cronjob.yaml.j2").render(**words)


@cache
def _templates() -> Environment:
    made = Environment(  # noqa: S701 - YAML, each word of it as JSON
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["sh"] = lambda word: shlex.quote(str(word))
    return made
