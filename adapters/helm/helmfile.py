"""The helmfile program on a helmfile of the house: what each release is made of, its chart, its text, and its sync.

Values are only digested here, never kept or shown. Knows no API server: who calls sync hands over a kubeconfig.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from adapters.helm.hooks import hook_problem
from adapters.kubernetes.objects import Obj, dig, rows, text
from adapters.process import groups
from adapters.process.results import ProgramFailed, Runner
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from engine.text.digest import digest
from engine.text.jsontext import a_list, read
from engine.text.words import last_lines
from engine.waiting import Clock
from house.files.grammar import number_of
from house.files.yamlfile import YamlInvalid, load
from house.model import House, Release

# They live for a second: collecting rubbish as often as Go does by itself would take a fifth of it.
_ENVIRONMENT: Mapping[str, str | Secret] = {"HELMFILE_UPGRADE_NOTICE_DISABLED": "1", "GOGC": "400"}
_LOOK_S = 60.0
_CHART_S = 120.0
# The inputs are files of the clone, which a run wants clean: what was read a moment ago still holds.
_FRESH_S = 30.0
_PREFIX = "values-"


def _owner(pid: int) -> str:
    """A process as a folder's name tells it: by its number and when it started, so that a later one is not taken for it."""
    return f"{pid}@{groups.start_of(pid)}"


@dataclass(frozen=True)
class Wish:
    """What the helmfile wants of one release: chart and version as rendered, its entry as written, its values' digest."""

    chart: str
    version: str
    written: Obj
    values: str


class Helmfile:
    """The house's helmfile through its program; with `crds`, the one of which only the CRDs are installed. `age_key` resolves the
    house's key late: only a helmfile that opens what is encrypted is given it."""

    def __init__(
        self, runner: Runner, house: House, clock: Clock, age_key: Callable[[], Secret] | None = None, *, crds: bool = False
    ) -> None:
        self._runner, self._house, self._clock, self._age_key = runner, house, clock, age_key
        self._releases = house.crd_charts if crds else house.releases
        self._file = (house.crd_helmfile if crds else None) or house.helmfile
        self._lock = threading.Lock()
        self._folder = house.state_dir / "helm"
        self._known: dict[tuple[str, str], Wish] = {}
        self._read_at = float("-inf")

    def release(self, namespace: str, name: str) -> Release:
        """The house's release of this name. PermanentError when there is none."""
        for release in self._releases:
            if (release.namespace, release.name) == (namespace, name):
                return release
        raise PermanentError(f"{namespace}/{name} is no release of the helmfile", evidence=(str(self._file),))

    def digest(self, namespace: str, name: str) -> str:
        """Digest over everything that helmfile knows of the release: chart, version, values; and a local chart's files."""
        wish = self._wish(namespace, name)
        chart = self._local_chart(wish.chart)
        return digest(wish.chart, wish.version, wish.written, wish.values, _folder_digest(chart) if chart else "")

    def chart_problem(self, namespace: str, name: str) -> str:
        """Why there is no such chart, in helm's words; "" when there is. TransientError where its server could not be asked."""
        wish = self._wish(namespace, name)
        chart = self._local_chart(wish.chart)
        if chart is not None:
            return "" if (chart / "Chart.yaml").is_file() else f"there is no Chart.yaml in {chart}"
        try:
            self._runner.run(["helm", "show", "chart", *self._where(wish)], env=_ENVIRONMENT, timeout_s=_CHART_S)
        except ProgramFailed as error:
            return not_there(error, self._where(wish))
        return ""

    def hook_problem(self, namespace: str, name: str) -> str:
        """Which program that a hook of the release runs is not here, "" where each is."""
        return hook_problem(_raw(self._file), self._wish(namespace, name).written, self._file.parent)

    def plugins(self) -> frozenset[str]:
        """Those that helm lists with the variables that helmfile is given."""
        done = self._runner.run(["helm", "plugin", "list"], env=self._environment(), timeout_s=_LOOK_S)
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        return frozenset(line.split()[0] for line in lines[1:] if line.strip())

    def template(self, namespace: str, name: str, *flags: str) -> str:
        """The chart as helm alone renders it with the release's values, its `crds` folder included; no API server is asked.

        Not `helmfile template`: the house's own would run it through a post-renderer, a program that need not be here.
        PermanentError with helm's words when it cannot be rendered, TransientError where the chart's server could not be asked.
        """
        wish = self._wish(namespace, name)
        chart = self._local_chart(wish.chart)
        argv = ["helm", "template", name, *([str(chart)] if chart else self._where(wish)), "--namespace", namespace]
        argv += ["--include-crds", *flags]
        if self._house.cluster.kubernetes_version:
            argv += ["--kube-version", self._house.cluster.kubernetes_version]
        with self._values(namespace, name) as folder:
            values = folder / f"{namespace}_{name}"
            argv += ["--values", str(values)] if values.is_file() else []
            try:
                done = self._runner.run(argv, env=_ENVIRONMENT, cwd=self._file.parent, timeout_s=_CHART_S)
            except ProgramFailed as error:
                raise _not_rendered(error, self.release(namespace, name), self._where(wish)) from error
        return done.stdout.decode("utf-8", "replace")

    def sync(self, namespace: str, name: str, kubeconfig: Path) -> None:
        """helmfile sync of exactly this release; returns when helm has ended well.

        Raises TransientError for what may pass, ProgramFailed with helm's last lines for the rest.
        """
        release = self.release(namespace, name)
        argv = ["--kubeconfig", str(kubeconfig)]
        env = {**self._environment(), "KUBECONFIG": str(kubeconfig)}
        try:
            self._helmfile(
                namespace,
                name,
                "sync",
                "--skip-needs",
                globals_=argv,
                env=env,
                timeout_s=self._house.limits.release_s,
                # SIGTERM makes helm undo an atomic first install: it would take the CNI away.
                shielded=release.atomic,
            )
        except ProgramFailed as error:
            raise _translated(error, release) from error

    def _environment(self) -> Mapping[str, str | Secret]:
        """What the settings name, and the house's age key where the helmfile opens what is encrypted for it."""
        named = dict(self._house.helmfile_environment)
        opens = self._house.helmfile_opens_sops and not any(name.startswith("SOPS_AGE_KEY") for name in named)
        key = {"SOPS_AGE_KEY": self._age_key()} if opens and self._age_key is not None else {}
        return {**_ENVIRONMENT, **named, **key}

    def _helmfile(
        self,
        namespace: str,
        name: str,
        *command: str,
        timeout_s: float,
        globals_: Sequence[str] = (),
        env: Mapping[str, str | Secret] | None = None,
        shielded: bool = False,
    ) -> bytes:
        argv = ["helmfile", "--file", str(self._file), "--no-color", *globals_]
        if name:
            argv += ["--selector", f"name={name},namespace={namespace}"]
        given = self._environment() if env is None else env
        done = self._runner.run(
            [*argv, *command], env=given, cwd=self._file.parent, timeout_s=timeout_s, shielded=shielded
        )
        return done.stdout

    def _wish(self, namespace: str, name: str) -> Wish:
        found = self._wishes().get((namespace, name))
        if found is None:
            raise PermanentError(
                f"{namespace}/{name} is no release of the helmfile", evidence=(str(self._file),)
            )
        return found

    def _wishes(self) -> Mapping[tuple[str, str], Wish]:
        """Every release as helmfile reads it. Not `helmfile build`: that fetches every chart of a registry."""
        with self._lock:
            if self._clock.monotonic() - self._read_at > _FRESH_S:
                self._known = self._read()
                self._read_at = self._clock.monotonic()
            return self._known

    def _read(self) -> dict[tuple[str, str], Wish]:
        raw = _raw(self._file)
        listed = read(self._helmfile("", "", "list", "--output", "json", "--quiet", timeout_s=_LOOK_S) or b"[]", a_list)
        with self._values() as folder:
            return {
                (text(one, "namespace"), text(one, "name")): Wish(
                    chart=text(one, "chart"),
                    version=text(one, "version"),
                    written=_written(raw, text(one, "namespace"), text(one, "name")),
                    values=_file_digest(folder / f"{text(one, 'namespace')}_{text(one, 'name')}"),
                )
                for one in listed
            }

    @contextmanager
    def _values(self, namespace: str = "", name: str = "") -> Iterator[Path]:
        """A folder with the values of this release, or of all, as `namespace_name`; it is gone afterwards: they may be secret."""
        with self.scratch() as folder:
            where = f"{folder}/{{{{ .Release.Namespace }}}}_{{{{ .Release.Name }}}}"
            command = ("write-values", "--skip-deps", "--output-file-template", where)
            self._helmfile(namespace, name, *command, timeout_s=_LOOK_S)
            yield folder

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder in the state folder, gone afterwards; what killed runs left of theirs goes first."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._wipe_leftovers()
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=f"{_PREFIX}{_owner(os.getpid())}_") as folder:
            yield Path(folder)

    def _wipe_leftovers(self) -> None:
        """Remove what runs that were killed left. The folder of one that lives is not touched: it may be at it beside us."""
        for folder in self._folder.glob(f"{_PREFIX}*"):
            owner, _, _ = folder.name.removeprefix(_PREFIX).partition("_")
            pid = owner.partition("@")[0]
            if (number := number_of(pid)) is None or owner != _owner(number):
                shutil.rmtree(folder, ignore_errors=True)

    def _local_chart(self, chart: str) -> Path | None:
        """The folder of a chart that is one; None for a chart in a repository or registry."""
        if chart.startswith(("./", "../", "/")):
            return (self._file.parent / chart).resolve()
        folder = self._file.parent / chart
        return folder if "://" not in chart and folder.is_dir() else None

    def _where(self, wish: Wish) -> list[str]:
        """What helm needs to find a chart that is not local: an OCI address, or repository and name; and its version."""
        raw = _raw(self._file)
        plain = ["--plain-http"] if wish.written.get("plainHttp") or dig(raw, "helmDefaults", "plainHttp") else []
        version = ["--version", wish.version] if wish.version else []
        if wish.chart.startswith("oci://"):
            return [wish.chart, *plain, *version]
        repository, _, name = wish.chart.partition("/")
        for known in rows(raw, "repositories"):
            if text(known, "name") == repository:
                url = text(known, "url").rstrip("/")
                if known.get("oci"):
                    return [f"oci://{url}/{name}", *(["--plain-http"] if known.get("plainHttp") else plain), *version]
                authority = ["--ca-file", text(known, "caFile")] if text(known, "caFile") else []
                return [name, "--repo", url, *authority, *version]
        return [wish.chart, *plain, *version]


def _raw(helmfile: Path) -> Obj:
    """The helmfile as it is written, for what helmfile does not tell of it; empty when it is a template and no YAML."""
    try:
        documents = load(helmfile)
    except YamlInvalid:
        return {}
    joined: Obj = {}
    for document in documents:
        if isinstance(document.value, dict):
            joined |= document.value
    return joined


def _written(raw: Obj, namespace: str, name: str) -> Obj:
    releases = (r for r in rows(raw, "releases") if (text(r, "namespace"), text(r, "name")) == (namespace, name))
    return next(releases, {})


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _folder_digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = os.fsencode(path.relative_to(folder))
        total.update(hashlib.sha256(name).digest() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


_PASSING = (
    "context deadline exceeded",
    "timed out waiting",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "TLS handshake timeout",
    "the server is currently unable",
    "etcdserver:",
    "Internal error occurred",
    "no endpoints available",
)


# helm's, its registry client's and its repositories' words for: the server answered, and has no such chart or version.
_ABSENT = re.compile(
    r"\b404\b|not found|manifest unknown|name unknown|no chart (version|name) found|no cached repo found|"
    r"\b(401|403)\b|denied|unauthorized|improper constraint|invalid reference|no such file",
    re.IGNORECASE,
)
_CANNOT_ASK = re.compile(
    r"\b(408|429|50[0-9])\b|no such host|timeout|timed out|deadline exceeded|connection (refused|reset)|\bEOF\b|unreachable|"
    r"toomanyrequests",
    re.IGNORECASE,
)


def not_there(error: ProgramFailed, where: Sequence[str]) -> str:
    """helm's last words where they say that there is no such chart. Anything else was no answer: TransientError with them.

    `where` is how helm was told to find it.
    """
    said = error.finished.stderr_tail
    words = next(iter(last_lines(said)), error.what)
    if _ABSENT.search(words) and not _CANNOT_ASK.search(words):
        return words
    raise _no_answer(where, said[-3:]) from error


def _no_answer(where: Sequence[str], said: Sequence[str]) -> TransientError:
    """One that is the same for all charts of a server, but for helm's words and the first line to be tried by hand."""
    server = next((urlsplit(word).netloc for word in where if "://" in word), where[0])
    asked = shlex.join(["helm", "show", "chart", *where])
    hint = f"is it up, and reachable from here? What is deployed needs no chart. By hand: {asked}"
    return TransientError(f"{server} could not be asked for charts", evidence=tuple(dict.fromkeys(said)), hint=hint)


def _not_rendered(error: ProgramFailed, release: Release, where: Sequence[str]) -> PermanentError | TransientError:
    said = error.finished.stderr_tail
    # What it says last is often how to ask it for more.
    last = next((line for line in reversed(said) if line.startswith("Error:")), next(iter(last_lines(said)), error.what))
    if _CANNOT_ASK.search(last):
        return _no_answer(where, said[-3:])
    return PermanentError(f"{release.chart} {release.version} cannot be rendered: {last}", evidence=said[-5:])


def _translated(error: ProgramFailed, release: Release) -> PermanentError | TransientError:
    said = "\n".join(error.finished.stderr_tail)
    if "another operation (install/upgrade/rollback) is in progress" in said:
        return PermanentError(
            f"helm finds release {release.key} locked by an operation that is pending",
            evidence=error.finished.stderr_tail[-3:],
            hint="somebody else is at it, or died at it: the next run looks again and repairs what nobody holds",
        )
    if "Unauthorized" in said:
        return PermanentError(
            f"helm was shut out while it synced {release.key}: another run took this run's token away",
            evidence=error.finished.stderr_tail[-3:],
        )
    if any(part in said for part in _PASSING):
        return TransientError(f"helm did not get {release.key} done", evidence=error.finished.stderr_tail[-5:])
    return error
