"""Conditions on varchar columns as people write them, so that the server reads its own words once more unchanged; pure.

The server stores status IN ('a', 'b') as status::text = ANY (ARRAY['a'::character varying, ...]::text[]), and reads
that text as something else than it has: the text of a copy would differ from the original for ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from schema.model.objects import Table
from schema.model.sql_names import plain

_ITEM = r"E?'(?:[^']|'')*'::character varying"
_LIST = re.compile(
    rf'(?P<row>(?:new|old)\.)?(?P<column>"(?:[^"]|"")+"|[a-z_]\w*)::text (?P<operator>= ANY|<> ALL) '
    rf"\(ARRAY\[(?P<items>{_ITEM}(?:, {_ITEM})+)\]::text\[\]\)")


def with_in_lists(table: Table) -> Table:
    """Return the table with IN and NOT IN where its varchar columns are compared with a list of constants."""
    columns = {column.name for column in table.columns if column.type.startswith(("varchar", "character varying"))}
    if not columns:
        return table

    def text(sql: str) -> str:
        return _text(sql, columns)

    def maybe(sql: str | None) -> str | None:
        return None if sql is None else text(sql)

    security = table.row_security
    return replace(
        table, columns=tuple(replace(column, generated=maybe(column.generated)) for column in table.columns),
        checks=tuple(replace(check, expression=text(check.expression)) for check in table.checks),
        indexes=tuple(replace(index, columns=tuple(map(text, index.columns)), where=maybe(index.where))
                      for index in table.indexes),
        exclusions=tuple(replace(exclusion, elements=tuple(map(text, exclusion.elements)), where=maybe(exclusion.where))
                         for exclusion in table.exclusions),
        triggers=tuple(replace(trigger, when=maybe(trigger.when)) for trigger in table.triggers),
        row_security=security and replace(security, policies=tuple(
            replace(policy, using=maybe(policy.using), check=maybe(policy.check)) for policy in security.policies)))


def _text(sql: str, columns: Collection[str]) -> str:
    def rewritten(match: re.Match[str]) -> str:
        if plain(match["column"]) not in columns:
            return match[0]
        items = ", ".join(item.removesuffix("::character varying") for item in re.findall(_ITEM, match["items"]))
        return f"{match['row'] or ''}{match['column']} {'IN' if match['operator'] == '= ANY' else 'NOT IN'} ({items})"

    return _LIST.sub(rewritten, sql)
