"""The shape of an admission policy of ours and of its binding, as the API has them. Knows no rule of the hold."""

from __future__ import annotations

import re
from typing import Any

from adapters.hold.record import NAMESPACE, RECORD

Obj = dict[str, Any]

PREFIX = "blackstart-hold-"
TRIAL = "blackstart/trial"
"""The annotation of what a refusal is tried with: the denial then says by which version of the record it was judged."""
VERSION_TOLD = re.compile(r"\(judged by version (\w+) of the record\)")
_VERSION = (
    f"object.metadata.?annotations[?'{TRIAL}'].hasValue()"
    " ? ' (judged by version ' + params.metadata.resourceVersion + ' of the record)' : ''"
)


def policy(
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
    tried: bool = False,
) -> Obj:
    """One policy. `validations` holds (expression, message for the case that messageExpression fails, messageExpression).

    `tried`: its denials of what bears TRIAL end with the record's version, in the form of VERSION_TOLD.
    """
    if tried:
        variables = [*variables, ("version", _VERSION)]
        validations = [(asked, words, f"({told}) + variables.version") for asked, words, told in validations]
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


def binding(policy: Obj, missing: str = "Deny") -> Obj:
    """Its binding; `missing`: what becomes of a request while the record is not there."""
    name = policy["metadata"]["name"]
    spec: Obj = {"policyName": name, "validationActions": ["Deny"]}
    if "paramKind" in policy["spec"]:
        spec["paramRef"] = {"name": RECORD, "namespace": NAMESPACE, "parameterNotFoundAction": missing}
    return {"metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "blackstart"}}, "spec": spec}


