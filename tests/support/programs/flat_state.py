"""A stack's state as releases before the components wrote it: every resource directly under the stack."""

from __future__ import annotations

import json
from typing import Any

from infra.components import PACKAGE


def flattened(exported: str) -> str:
    """Return an exported state without components, as text: their resources under the stack, by their former URNs."""
    state = json.loads(exported)
    resources: list[dict[str, Any]] = state["deployment"]["resources"]
    components = {resource["urn"] for resource in resources if resource["type"].startswith(PACKAGE)}
    (stack,) = (resource["urn"] for resource in resources if resource["type"] == "pulumi:pulumi:Stack")
    renamed: dict[str, str] = {}
    for resource in resources:
        if resource.get("parent") in components:
            head, project, _, name = resource["urn"].split("::")
            renamed[resource["urn"]] = "::".join((head, project, resource["type"], name))
            resource["parent"] = stack
    state["deployment"]["resources"] = [resource for resource in resources if resource["urn"] not in components]
    text = json.dumps(state)
    for urn, former in renamed.items():
        text = text.replace(json.dumps(urn), json.dumps(former))
    return text
