"""The hold's admission policies and their bindings, as data (architecture §7). Knows no HTTP and no claim of the house.

They are made once, before VolSync starts, and never edited for a lift: all state is in the record (`adapters/hold/record.py`),
a ConfigMap that every policy takes as its parameter. They refuse what VolSync makes, never what Flux applies.
"""

from __future__ import annotations

from typing import Any

from adapters.hold.record import CANARY, NAMESPACE, RECORD

Obj = dict[str, Any]

PREFIX = "blackstart-hold-"
RESTORE = "invoke dr.restore"

# Selected by label, never by matchConditions: with the record missing a policy refuses all that it selects, and
# matchConditions do not count then. CREATE only: on UPDATE, a Kustomization with `force` would delete and re-make.
_MADE_BY_VOLSYNC = {"matchLabels": {"app.kubernetes.io/created-by": "volsync"}}
_FREE = "['released', 'accepted-empty']"

_DATA = "params.?data.orValue({})"
_OWNERS = (
    "object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false)"
    " && o.apiVersion.startsWith('volsync.backube/') && o.kind == '{kind}').map(o, '{field}.' + request.namespace + '.' + o.name)"
)
_SOURCES = _OWNERS.format(kind="ReplicationSource", field="rs")
_DESTINATIONS = _OWNERS.format(kind="ReplicationDestination", field="rd")
# A source that the record does not know is refused only while its namespace still has a claim that is held.
_KNOWN = (
    "variables.rs.all(r, r in variables.d || !variables.d.exists(k,"
    " k.startsWith('state.' + request.namespace + '.') && variables.d[k] in ['held', 'proven']))"
)


def _free(claim: str) -> str:
    """The claim named by the CEL expression `claim` is not held (a claim that the record does not know is free)."""
    return f"variables.d[?('state.' + request.namespace + '.' + {claim})].orValue('released') in {_FREE}"


_HELD_OF_CLAIMS = f"variables.claims.filter(c, !({_free('c')})).join(', ')"


def _policy(
    name: str,
    *,
    group: str,
    versions: list[str],
    resource: str,
    variables: list[tuple[str, str]],
    validations: list[tuple[str, str, str]],
    operations: list[str] | None = None,
    object_selector: Obj | None = None,
    namespace_selector: Obj | None = None,
    resource_names: list[str] | None = None,
    parameter: bool = True,
) -> Obj:
    """One policy. `validations` holds (expression, message for the case that messageExpression fails, messageExpression)."""
    rule: Obj = {
        "apiGroups": [group],
        "apiVersions": versions,
        "operations": operations or ["CREATE"],
        "resources": [resource],
        "scope": "*",
    }
    if resource_names:
        rule["resourceNames"] = resource_names
    constraints: Obj = {"matchPolicy": "Equivalent", "resourceRules": [rule]}
    constraints["objectSelector"] = object_selector or {}
    constraints["namespaceSelector"] = namespace_selector or {}
    spec: Obj = {
        "failurePolicy": "Fail",
        "matchConstraints": constraints,
        "variables": [{"name": n, "expression": e} for n, e in variables],
        "validations": [
            {"expression": e, "message": m, "messageExpression": x, "reason": "Forbidden"} for e, m, x in validations
        ],
    }
    if parameter:
        spec["paramKind"] = {"apiVersion": "v1", "kind": "ConfigMap"}
    return {"metadata": {"name": PREFIX + name, "labels": {"app.kubernetes.io/managed-by": "blackstart"}}, "spec": spec}


def _binding(policy: Obj, missing: str = "Deny") -> Obj:
    """Its binding; `missing`: what becomes of a request while the record is not there."""
    name = policy["metadata"]["name"]
    spec: Obj = {"policyName": name, "validationActions": ["Deny"]}
    if "paramKind" in policy["spec"]:
        spec["paramRef"] = {"name": RECORD, "namespace": NAMESPACE, "parameterNotFoundAction": missing}
    return {"metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "blackstart"}}, "spec": spec}


_UNKNOWN_SOURCE = (
    _KNOWN,
    f"This namespace has a held claim, and the record does not know this source; lift it with: {RESTORE}",
    "'namespace ' + request.namespace + ' has a held claim, and the record of the hold does not know '"
    f" + variables.rs.join(', ') + '; lift it with: {RESTORE}'",
)

_JOBS = _policy(
    "jobs",
    group="batch",
    versions=["v1"],
    resource="jobs",
    object_selector=_MADE_BY_VOLSYNC,
    variables=[
        ("d", _DATA),
        ("rs", _SOURCES),
        ("rd", _DESTINATIONS),
        (
            "claims",
            "object.spec.template.spec.?volumes.orValue([]).filter(v, has(v.persistentVolumeClaim))"
            ".map(v, v.persistentVolumeClaim.claimName)"
            " + variables.rs.filter(r, r in variables.d).map(r, variables.d[r])",
        ),
        (
            "env",
            "object.spec.template.spec.containers.map(c, c.?env.orValue([])"
            ".filter(e, e.name in ['RESTORE_AS_OF', 'SELECT_PREVIOUS']).map(e, e.name + '=' + e.?value.orValue('')))",
        ),
    ],
    validations=[
        (
            # A destination without restoreAsOf gives an empty RESTORE_AS_OF, so the empty pin must match nothing.
            "variables.rd.all(r, !(r in variables.d) || variables.d[r] != '' && variables.env.exists(l,"
            " ('RESTORE_AS_OF=' + variables.d[r]) in l && 'SELECT_PREVIOUS=0' in l))",
            f"The hold admits a restore only of the pinned restore point; lift it with: {RESTORE}",
            "'the hold admits only the pinned restore point ('"
            " + variables.rd.filter(r, r in variables.d).map(r, variables.d[r] == '' ? 'not pinned yet' : variables.d[r])"
            ".join(', ') + ', previous 0); lift it with: " + RESTORE + "'",
        ),
        (
            # Whoever made it, and with the right pin too: what a claim comes back from is an image, never a mover inside of it.
            f"variables.rs.size() > 0 || variables.claims.all(c, {_free('c')})",
            f"A Job would write into a held claim; lift it with: {RESTORE}",
            f"(variables.rd.size() > 0 ? 'this restore' : 'this Job') + ' would write into a held claim (' + {_HELD_OF_CLAIMS}"
            f" + '); lift it with: {RESTORE}'",
        ),
        _UNKNOWN_SOURCE,
        (
            f"variables.rs.size() == 0 || variables.claims.all(c, {_free('c')})",
            f"The hold refuses a backup of a claim that is not released; lift it with: {RESTORE}",
            f"'the hold refuses a backup of ' + {_HELD_OF_CLAIMS} + ', which is not released; lift it with: {RESTORE}'",
        ),
    ],
)

_STATE_OF_KEY = "variables.d[?('state.' + variables.key)].orValue('released')"
_IMAGE_OF_KEY = "variables.d[?('image.' + variables.key)].orValue('-')"
_IMAGE_WANTED = "object.spec.?dataSourceRef.?name.orValue('')"

_CLAIMS = _policy(
    "claims",
    group="",
    versions=["v1"],
    resource="persistentvolumeclaims",
    object_selector=_MADE_BY_VOLSYNC,
    variables=[
        ("d", _DATA),
        ("rs", _SOURCES),
        (
            "key",
            "object.metadata.?labels[?'volsync.backube/populator-pvc-for'].hasValue()"
            " ? request.namespace + '.' + object.metadata.labels['volsync.backube/populator-pvc-for'] : ''",
        ),
        (
            "claims",
            "(object.spec.?dataSourceRef.?kind.orValue('') == 'PersistentVolumeClaim'"
            " ? [object.spec.dataSourceRef.name] : [])"
            " + variables.rs.filter(r, r in variables.d).map(r, variables.d[r])",
        ),
    ],
    validations=[
        (
            f"variables.key == '' || {_STATE_OF_KEY} in {_FREE}"
            f" || {_STATE_OF_KEY} == 'proven' && {_IMAGE_WANTED} == {_IMAGE_OF_KEY}",
            f"The hold fills a claim only from the image that was proven; lift it with: {RESTORE}",
            f"'claim ' + variables.key + ' is ' + {_STATE_OF_KEY} + ': the hold fills it only from the image that was proven ('"
            f" + {_IMAGE_OF_KEY} + '), and this would come from ' + {_IMAGE_WANTED} + '; lift it with: {RESTORE}'",
        ),
        _UNKNOWN_SOURCE,
        (
            f"variables.rs.size() == 0 || variables.claims.all(c, {_free('c')})",
            f"The hold refuses a copy of a claim that is not released; lift it with: {RESTORE}",
            f"'the hold refuses a copy of ' + {_HELD_OF_CLAIMS} + ', which is not released; lift it with: {RESTORE}'",
        ),
    ],
)

_SNAPSHOTS = _policy(
    "snapshots",
    group="snapshot.storage.k8s.io",
    versions=["*"],
    resource="volumesnapshots",
    object_selector=_MADE_BY_VOLSYNC,
    variables=[
        ("d", _DATA),
        ("rs", _SOURCES),
        ("claim", "object.spec.source.?persistentVolumeClaimName.orValue('')"),
    ],
    validations=[
        _UNKNOWN_SOURCE,
        (
            f"variables.rs.size() == 0 || {_free('variables.claim')}",
            f"The hold refuses a snapshot for a backup of a claim that is not released; lift it with: {RESTORE}",
            "'the hold refuses a snapshot for a backup of ' + variables.claim + ', which is not released;"
            f" lift it with: {RESTORE}'",
        ),
    ],
)

_RELEASE = "invoke dr.release CLAIM --unproven --reason TEXT"
_HELD_BEFORE = (
    f"k.startsWith('state.') && k != 'state.{NAMESPACE}.{CANARY}' && variables.before[k] in ['held', 'proven']"
)

_RECORD = _policy(
    "record",
    group="",
    versions=["v1"],
    resource="configmaps",
    # No resourceNames here: a namespace's deletion deletes its collection, and such a request names no object.
    operations=["UPDATE", "DELETE"],
    namespace_selector={"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
    parameter=False,
    variables=[("before", f"oldObject.metadata.name == '{RECORD}' ? oldObject.?data.orValue({{}}) : {{}}")],
    validations=[
        (
            f"request.operation != 'DELETE' || !variables.before.exists(k, {_HELD_BEFORE})",
            f"The record still holds claims; lift each with: {_RELEASE}",
            f"'the record still holds ' + variables.before.map(k, k).filter(k, {_HELD_BEFORE}).join(', ')"
            f" + '; lift each with: {_RELEASE}'",
        ),
        (
            "request.operation == 'DELETE' || variables.before.all(k, !k.startsWith('state.') || k in object.?data.orValue({}))",
            f"The record may not lose a claim; lift it with: {_RELEASE}",
            "'the record may not lose ' + variables.before.map(k, k).filter(k, k.startsWith('state.')"
            f" && !(k in object.?data.orValue({{}}))).join(', ') + '; lift it with: {_RELEASE}'",
        ),
    ],
)

_NAMESPACE = _policy(
    "namespace",
    group="",
    versions=["v1"],
    resource="namespaces",
    operations=["DELETE"],
    resource_names=[NAMESPACE],
    # Nothing can save the record in a namespace that is going.
    variables=[("before", _DATA)],
    validations=[
        (
            f"!variables.before.exists(k, {_HELD_BEFORE})",
            f"The namespace holds the record, and claims are held; lift each with: {_RELEASE}",
            f"'claims are held: ' + variables.before.map(k, k).filter(k, {_HELD_BEFORE}).join(', ')"
            f" + '; lift each with: {_RELEASE}'",
        ),
    ],
)

_DATABASES = _policy(
    "databases",
    group="postgresql.cnpg.io",
    versions=["*"],
    resource="clusters",
    variables=[
        ("d", _DATA),
        (
            "archives",
            "object.spec.?backup.?barmanObjectStore.hasValue()"
            " || object.spec.?plugins.orValue([]).exists(p, p.?isWALArchiver.orValue(false))",
        ),
    ],
    validations=[
        (
            # Here the failing Kustomization is wanted: an empty database that archives would overwrite a good archive.
            "!variables.archives || object.spec.?bootstrap.?recovery.hasValue()"
            " || variables.d[?('cnpg.' + request.namespace + '.' + object.metadata.name)].orValue('')"
            " == 'accepted-empty'",
            f"This database would archive over its own backups; lift it with: {_RELEASE}",
            "'database ' + request.namespace + '/' + object.metadata.name + ' archives and has no bootstrap.recovery:"
            " it would come up empty beside its own backups; lift it with: invoke dr.release '"
            " + request.namespace + '/' + object.metadata.name + ' --unproven --reason TEXT'",
        ),
    ],
)

POLICIES: tuple[Obj, ...] = (_JOBS, _CLAIMS, _SNAPSHOTS, _RECORD, _NAMESPACE, _DATABASES)
BINDINGS: tuple[Obj, ...] = tuple(
    # Once the record is gone its namespace may go too.
    _binding(policy, "Allow" if policy is _NAMESPACE else "Deny")
    for policy in POLICIES
)
