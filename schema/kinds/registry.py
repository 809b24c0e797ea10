"""Every kind of object that can be declared: an entry here registers it (docs/schema/add-a-kind.md)."""

from __future__ import annotations

from collections.abc import Mapping

from schema.kinds import (
    aggregate_function,
    collation,
    composite_type,
    continuous_aggregate,
    domain,
    enum,
    extension,
    function,
    job,
    materialized_view,
    namespace,
    sequence,
    statistics,
    table,
    view,
)
from schema.kinds.kind import Kind
from schema.model.objects import Object

# In the order in which undeclared objects are dropped: those that depend on others first.
KINDS: tuple[Kind, ...] = (
    job.KIND, statistics.KIND, view.KIND, materialized_view.KIND, continuous_aggregate.KIND, table.KIND,
    aggregate_function.KIND, function.KIND, domain.KIND, composite_type.KIND, sequence.KIND, enum.KIND,
    collation.KIND, extension.KIND, namespace.KIND)

_BY_CLASS: Mapping[type[Object], Kind] = {kind.declaration: kind for kind in KINDS}


def of(declared: Object | type[Object]) -> Kind:
    """The kind of an object, or of a class of objects."""
    return _BY_CLASS[declared if isinstance(declared, type) else type(declared)]
