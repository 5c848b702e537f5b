"""The hold's policies and bindings as one document that kubectl applies: for a person, without this tool. Knows no client."""

from __future__ import annotations

import json

from adapters.hold.policies import BINDINGS, POLICIES

API = "admissionregistration.k8s.io/v1"


def manifests() -> str:
    """JSON of a List: what `hold.install` applies, the record aside."""
    items = [{"apiVersion": API, "kind": "ValidatingAdmissionPolicy", **policy} for policy in POLICIES]
    items += [{"apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding", **binding} for binding in BINDINGS]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2) + "\n"
