"""The hold's admission policies and their bindings, as data (architecture §7). Knows no HTTP and no claim of the house.

They are made once, before VolSync starts, and never edited for a lift: all state is in the record (`adapters/hold/record.py`),
a ConfigMap that every policy takes as its parameter. They refuse what movers are made of, never what Flux applies.
"""

from __future__ import annotations

from adapters.hold.cel import (
    CONTROLLERS,
    DATA,
    DESTINATIONS,
    FREE,
    HELD_OF_CLAIMS,
    MOUNTED,
    RESTORE,
    SOURCES,
    STRICT,
    UNDECLARED,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_SOURCES,
    free,
)
from adapters.hold.record import CANARY, NAMESPACE, RECORD
from adapters.hold.results import ARCHIVES_UNRECOVERED
from adapters.hold.shape import Obj, binding, policy

# Selected by label, never by matchConditions: with the record missing a policy refuses all that it selects, and
# matchConditions do not count then. CREATE only: on UPDATE, a Kustomization with `force` would delete and re-make.
# VolSync's fork for kopia labels what it makes, and owns it, as VolSync itself does.
_MADE_BY_VOLSYNC = {"matchLabels": {"app.kubernetes.io/created-by": "volsync"}}
_MADE_BY_KOPIUR = {"matchLabels": {"app.kubernetes.io/managed-by": "kopiur"}}

_COMMON = [("d", DATA), ("strict", STRICT), ("rs", SOURCES)]
_OF_SOURCES = [*_COMMON, ("strangers", UNKNOWN_SOURCES)]

_JOBS = policy(
    "jobs",
    tried=True,
    group="batch",
    versions=["v1"],
    resource="jobs",
    object_selector=_MADE_BY_VOLSYNC,
    variables=[
        *_COMMON,
        ("rd", DESTINATIONS),
        ("strangers", f"{UNKNOWN_SOURCES} + {UNKNOWN_DESTINATIONS}"),
        ("claims", f"{MOUNTED} + variables.rs.filter(r, r in variables.d).map(r, variables.d[r])"),
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
            f"variables.rs.size() > 0 || variables.claims.all(c, {free('c')})",
            f"A Job would write into a held claim; lift it with: {RESTORE}",
            f"(variables.rd.size() > 0 ? 'this restore' : 'this Job') + ' would write into a held claim (' + {HELD_OF_CLAIMS}"
            f" + '); lift it with: {RESTORE}'",
        ),
        UNDECLARED,
        (
            f"variables.rs.size() == 0 || variables.claims.all(c, {free('c')})",
            f"The hold refuses a backup of a claim that is not released; lift it with: {RESTORE}",
            f"'the hold refuses a backup of ' + {HELD_OF_CLAIMS} + ', which is not released; lift it with: {RESTORE}'",
        ),
    ],
)

_STATE_OF_KEY = "variables.d[?('state.' + variables.key)].orValue('released')"
_IMAGE_OF_KEY = "variables.d[?('image.' + variables.key)].orValue('-')"
_IMAGE_WANTED = "object.spec.?dataSourceRef.?name.orValue('')"

_CLAIMS = policy(
    "claims",
    tried=True,
    group="",
    versions=["v1"],
    resource="persistentvolumeclaims",
    object_selector=_MADE_BY_VOLSYNC,
    variables=[
        *_OF_SOURCES,
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
            f"variables.key == '' || {_STATE_OF_KEY} in {FREE}"
            f" || {_STATE_OF_KEY} == 'proven' && {_IMAGE_WANTED} == {_IMAGE_OF_KEY}",
            f"The hold fills a claim only from the image that was proven; lift it with: {RESTORE}",
            f"'claim ' + variables.key + ' is ' + {_STATE_OF_KEY} + ': the hold fills it only from the image that was proven ('"
            f" + {_IMAGE_OF_KEY} + '), and this would come from ' + {_IMAGE_WANTED} + '; lift it with: {RESTORE}'",
        ),
        UNDECLARED,
        (
            f"variables.rs.size() == 0 || variables.claims.all(c, {free('c')})",
            f"The hold refuses a copy of a claim that is not released; lift it with: {RESTORE}",
            f"'the hold refuses a copy of ' + {HELD_OF_CLAIMS} + ', which is not released; lift it with: {RESTORE}'",
        ),
    ],
)

_SNAPSHOTS = policy(
    "snapshots",
    tried=True,
    group="snapshot.storage.k8s.io",
    versions=["*"],
    resource="volumesnapshots",
    object_selector=_MADE_BY_VOLSYNC,
    variables=[
        *_OF_SOURCES,
        ("claim", "object.spec.source.?persistentVolumeClaimName.orValue('')"),
    ],
    validations=[
        UNDECLARED,
        (
            f"variables.rs.size() == 0 || {free('variables.claim')}",
            f"The hold refuses a snapshot for a backup of a claim that is not released; lift it with: {RESTORE}",
            "'the hold refuses a snapshot for a backup of ' + variables.claim + ', which is not released;"
            f" lift it with: {RESTORE}'",
        ),
    ],
)

_KOPIUR = policy(
    "kopiur",
    tried=True,
    group="batch",
    versions=["v1"],
    resource="jobs",
    object_selector=_MADE_BY_KOPIUR,
    variables=[
        ("d", DATA),
        ("strict", STRICT),
        ("claims", MOUNTED),
        # Its other Jobs look after repositories, and touch no claim.
        (
            "movers",
            f"{CONTROLLERS} && o.apiVersion.contains('kopiur') && o.kind in ['Snapshot', 'Restore']).map(o, o.name)",
        ),
        (
            "names",
            "variables.claims + (object.metadata.labels[?'kopiur.home-operations.com/config'].hasValue()"
            " ? [object.metadata.labels['kopiur.home-operations.com/config']] : []) + variables.movers",
        ),
        (
            "strangers",
            "variables.movers.size() > 0 && !variables.names.exists(n, ('state.' + request.namespace + '.' + n) in variables.d)"
            " ? variables.names.map(n, request.namespace + '/' + n) : []",
        ),
    ],
    validations=[
        (
            f"variables.claims.all(c, {free('c')})",
            f"A Job of kopiur would use a held claim; lift it with: {RESTORE}",
            f"'this Job of kopiur would use a held claim (' + {HELD_OF_CLAIMS} + '); lift it with: {RESTORE}'",
        ),
        UNDECLARED,
    ],
)

_RELEASE = "invoke dr.release CLAIM --unproven --reason TEXT"
_HELD_BEFORE = (
    f"k.startsWith('state.') && k != 'state.{NAMESPACE}.{CANARY}' && variables.before[k] in ['held', 'proven']"
)

_RECORD = policy(
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

_NAMESPACE = policy(
    "namespace",
    group="",
    versions=["v1"],
    resource="namespaces",
    operations=["DELETE"],
    resource_names=[NAMESPACE],
    # Nothing can save the record in a namespace that is going.
    variables=[("before", DATA)],
    validations=[
        (
            f"!variables.before.exists(k, {_HELD_BEFORE})",
            f"The namespace holds the record, and claims are held; lift each with: {_RELEASE}",
            f"'claims are held: ' + variables.before.map(k, k).filter(k, {_HELD_BEFORE}).join(', ')"
            f" + '; lift each with: {_RELEASE}'",
        ),
    ],
)

DATABASES = policy(
    "databases",
    group="postgresql.cnpg.io",
    versions=["*"],
    resource="clusters",
    variables=[
        ("d", DATA),
        (
            "archives",
            # As house/data/archives.py judges what Git declares: what is null or empty is not there.
            "(object.spec.?backup.orValue(null) != null && object.spec.backup.?barmanObjectStore.orValue(null) != null"
            " && size(object.spec.backup.barmanObjectStore) > 0)"
            " || (object.spec.?plugins.orValue(null) != null && object.spec.plugins.exists(p, p != null"
            " && p.?isWALArchiver.orValue(false) == true && p.?enabled.orValue(true) != false))",
        ),
        (
            "recovers",
            "object.spec.?bootstrap.orValue(null) != null && object.spec.bootstrap.?recovery.orValue(null) != null"
            " && size(object.spec.bootstrap.recovery) > 0",
        ),
    ],
    validations=[
        (
            # Here the failing Kustomization is wanted: an empty database that archives would overwrite a good archive.
            "!variables.archives || variables.recovers"
            " || variables.d[?('cnpg.' + request.namespace + '.' + object.metadata.name)].orValue('')"
            " == 'accepted-empty'",
            f"This database would archive over its own backups; lift it with: {_RELEASE}",
            f"'database ' + request.namespace + '/' + object.metadata.name + '{ARCHIVES_UNRECOVERED}:"
            " it would come up empty beside its own backups; lift it with: invoke dr.release '"
            " + request.namespace + '/' + object.metadata.name + ' --unproven --reason TEXT'",
        ),
    ],
)

POLICIES: tuple[Obj, ...] = (_JOBS, _CLAIMS, _SNAPSHOTS, _KOPIUR, _RECORD, _NAMESPACE, DATABASES)
BINDINGS: tuple[Obj, ...] = tuple(
    # Once the record is gone its namespace may go too.
    binding(one, "Allow" if one is _NAMESPACE else "Deny")
    for one in POLICIES
)
