"""What the hold's policies ask, as CEL expressions over the variables `d` (the record) and those named here. Knows no HTTP.

CEL has no functions of one's own: what several policies ask stands here once, as text.
"""

from __future__ import annotations

from adapters.hold.record import CANARY, NAMESPACE, PHASE, REBUILT

RESTORE = "invoke dr.restore"
BOOTSTRAP = "invoke cluster.bootstrap"

DATA = "params.?data.orValue({})"
FREE = "['released', 'accepted-empty']"
_HELD = "['held', 'proven']"

CONTROLLERS = "object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false)"
_OWNERS = (
    CONTROLLERS + " && o.apiVersion.startsWith('volsync.backube/') && o.kind == '{kind}')"
    ".map(o, '{field}.' + request.namespace + '.' + o.name)"
)
SOURCES = _OWNERS.format(kind="ReplicationSource", field="rs")
DESTINATIONS = _OWNERS.format(kind="ReplicationDestination", field="rd")

_REBUILT = f"variables.d[?'{PHASE}'].orValue('') == '{REBUILT}'"
STRICT = (
    f"variables.d.exists(k, k.startsWith('state.') && variables.d[k] in {_HELD}"
    " && (k.startsWith('state.' + request.namespace + '.')"
    f" || {_REBUILT} && k != 'state.{NAMESPACE}.{CANARY}'))"
)
"""Whether movers of what nobody declared are refused here: a claim of this namespace is held, or any, of a cluster made anew."""

UNKNOWN_SOURCES = "variables.rs.filter(r, !(r in variables.d)).map(r, r.substring(3).replace('.', '/', 1))"
UNKNOWN_DESTINATIONS = (
    "variables.rd.filter(r, !(r in variables.d) && !(('dst' + r.substring(2)) in variables.d))"
    ".map(r, r.substring(3).replace('.', '/', 1))"
)

MOUNTED = (
    "object.spec.template.spec.?volumes.orValue([]).filter(v, has(v.persistentVolumeClaim))"
    ".map(v, v.persistentVolumeClaim.claimName)"
)


def free(claim: str) -> str:
    """The claim named by the CEL expression `claim` is not held (a claim that the record does not know is free)."""
    return f"variables.d[?('state.' + request.namespace + '.' + {claim})].orValue('released') in {FREE}"


HELD_OF_CLAIMS = f"variables.claims.filter(c, !({free('c')})).join(', ')"

UNDECLARED = (
    "!variables.strict || variables.strangers.size() == 0",
    f"Claims are held, and nobody declared this mover; declare it in Git and run {BOOTSTRAP}, or let it go by invoke dr.release",
    f"({_REBUILT} ? 'nobody declared ' + variables.strangers.join(', ') + ', and this cluster was made anew: while any claim is"
    f" held nothing of it is moved; name it in Git and run {BOOTSTRAP}'"
    " : 'namespace ' + request.namespace + ' has a held claim, and the record of the hold does not know '"
    f" + variables.strangers.join(', ') + '; lift it with: {RESTORE}')"
    " + ', or let it go as it is: invoke dr.release ' + variables.strangers[0] + ' --unproven --reason TEXT'",
)
"""A validation for policies with the variables `strict` and `strangers` (`namespace/name` of what the record does not know)."""
