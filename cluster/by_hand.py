"""How a person does by hand what steps do through ports: secrets, backups, charts. Runs nothing, knows no step.

Secrets never stand in the text: it holds the commands that read them, and hands them on by environment or pipe, never as arguments.
"""

from __future__ import annotations

import json
import re
import shlex
from urllib.parse import quote, urlencode

from engine.text.lengths import duration
from house.model import BackedUpClaim, CrdForm, CrdSource, House, Release, SecretRef
from house.values.databases import DatabaseArchive

POLICIES_FILE = "hold-policies.json"
"""What the hold's policies are called beside a runbook."""
_VARIABLE = re.compile(r'"(\$[A-Z]+)"')
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def secret_by_hand(reference: SecretRef) -> str:
    """A command that prints the secret, each source tried in turn as a run tries them."""
    return " || ".join(map(_source, reference.sources)) or "cat THE_SECRET"


def restic_by_hand(claim: BackedUpClaim, words: str) -> str:
    """A restic command on the claim's repository as it is opened from here; it makes no lock of its own."""
    secrets = [("RESTIC_PASSWORD", claim.password), *claim.environment]
    given = " ".join(f'{name}="$({secret_by_hand(reference)})"' for name, reference in secrets)
    ca_file = f" --cacert {shlex.quote(claim.ca_file)}" if claim.ca_file else ""
    return f"{given} restic -r {shlex.quote(claim.open_as or claim.mover_repository or 'REPOSITORY')}{ca_file} --no-lock {words}"


def record_by_hand(keys: dict[str, str | None]) -> str:
    """A command that writes these keys into the hold's record (None takes one out); `$NAME` alone is the shell's variable."""
    return f"kubectl -n blackstart patch configmap hold --type merge -p {json_by_hand({'data': keys})}"


def json_by_hand(value: object) -> str:
    """JSON as one word of a shell; a text that is `$NAME` alone becomes what the variable holds."""
    return _VARIABLE.sub('"\'"\\1"\'"', shlex.quote(json.dumps(value)))


def helmfile_by_hand(house: House, program: str = "helmfile") -> str:
    """The program's name, behind the variables that helmfile is given."""
    return " ".join((*(f"{name}={shlex.quote(value)}" for name, value in house.helmfile_environment), program))


def rendered_by_hand(house: House, chart: Release) -> str:
    """A command that prints one chart of the CRD helmfile as it is rendered; the text in the file's own order."""
    one = f"--selector name={chart.name},namespace={chart.namespace}"
    return f"{helmfile_by_hand(house)} --quiet -f {house.crd_helmfile} template {one} --include-crds --no-hooks"


def crds_by_hand(house: House, chart: Release, *flags: str) -> str:
    """A command that applies the custom resource definitions of one chart, and nothing else of it."""
    return f"{rendered_by_hand(house, chart)} | {_only_crds(*flags)}"


def trusting(ca_file: str) -> str:
    """curl's option for a server whose certificate a CA of the house's own has signed; "" where the machine knows the CA."""
    return f" --cacert {shlex.quote(ca_file)}" if ca_file else ""


def manifest_by_hand(source: CrdSource) -> str:
    """A command that prints the manifest of one entry of `bootstrap.crds`, and fails where it is not what its checksum is of."""
    place = shlex.quote(source.place)
    if source.form is CrdForm.FOLDER:
        return f"kubectl kustomize {place}"
    if source.form is CrdForm.FILE:
        same = f"echo {shlex.quote(f'{source.sha256}  {source.place}')} | sha256sum --check --quiet && " if source.sha256 else ""
        return f"{same}cat {place}"
    # Into a file first: what is piped on before its checksum is known has been believed already.
    fetched = f'FILE="$(mktemp)" && curl -sSfL{trusting(source.ca_file)} -o "$FILE" {place}'
    return f'{fetched} && echo "{source.sha256}  $FILE" | sha256sum --check --quiet && cat "$FILE"'


def definitions_by_hand(source: CrdSource, *flags: str) -> str:
    """A command that applies the custom resource definitions of one entry of `bootstrap.crds`."""
    return f"{manifest_by_hand(source)} | {_only_crds(*flags)}"


def _only_crds(*flags: str) -> str:
    """Applies the definitions of what is piped in, and nothing else of it. awk, since it is everywhere."""
    only = r"""awk -v RS='\n---\n' '/(^|\n)kind: CustomResourceDefinition/ {print "---"; print}'"""
    put = " ".join(("kubectl apply --server-side --field-manager=blackstart", *flags, "-f -"))
    return f"{only} | {put}"


def archive_by_hand(archive: DatabaseArchive) -> str:
    """A command that lists the base backups of a database's archive; curl signs it, and reads the keys from a pipe."""
    place = re.fullmatch(r"s3:(https?://[^/]+)/([^/]+)/?(.*)", archive.place)
    if place is None:
        return f"echo {shlex.quote(f'{archive.key}: {archive.note or archive.place}')}"
    given = dict(archive.environment)
    keys = [secret_by_hand(given.get(name, SecretRef((f"env:{name}",)))) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    user = f"""<(printf 'user = "%s:%s"' "$({keys[0]})" "$({keys[1]})")"""
    # In the order and spelling in which a signature is made: older curls (7.88) sign a query as it stands.
    query = urlencode({"delimiter": "/", "list-type": 2, "prefix": f"{place[3].strip('/')}/base/"}, quote_via=quote, safe="")
    url = shlex.quote(f"{place[1]}/{place[2]}?{query}")
    curl = f"curl -sSf{trusting(archive.ca_file)}"
    young = f", the newest not older than {duration(archive.max_age)}" if archive.max_age else ""
    return f"{curl} --aws-sigv4 aws:amz:us-east-1:s3 --config {user} {url}   # one prefix for each base backup{young}"


def _source(source: str) -> str:
    kind, _, rest = source.partition(":")
    if kind == "env":
        return f"printenv {rest}"
    if kind == "file":
        return f"cat {shlex.quote(rest)}"
    if kind == "sops":
        file, _, key = rest.partition("#")
        path = "".join(f"[{match[2]}]" if match[2] else f'["{match[1]}"]' for match in _PART.finditer(key))
        decoded = " | base64 -d" if key.startswith("data.") else ""  # a Secret's data, as the resolver reads it
        return f"sops --decrypt --extract {shlex.quote(path)} {shlex.quote(file)}{decoded}"
    return f"op read {shlex.quote(source)}"
