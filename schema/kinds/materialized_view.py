"""Materialized views: created again, with all that hangs on them, where their query changes; all else in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.catalog.readers import materialized_views
from schema.errors import UnsafeChangeError
from schema.kinds import comment, index, index_targets, rights, view
from schema.kinds.kind import Drop, Kind, ServerWords
from schema.model.change import renames
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Removed, Sort, Step, Transaction, split_allowed
from schema.model.live.views import LiveMaterializedView
from schema.model.names import ident, repeated
from schema.model.objects import Index, MaterializedView, ViewColumn, qualified
from schema.model.table_options import bare_index, targets

MaterializedDiff = Diff[MaterializedView, LiveMaterializedView]
COMPUTED = "ACCESS EXCLUSIVE while its query runs: nobody reads it meanwhile"
ON_INDEXES = "SHARE while it is built: it is read, and not refreshed, meanwhile"


def creation(declared: MaterializedView) -> Iterable[tuple[str, str]]:
    """Return (part, SQL) that create it with its indexes in an empty schema, without rows."""
    yield declared.full_name, definition(replace(declared, with_data=False, tablespace=None, options=()))
    yield from ((one.name, index.definition(declared, one)) for one in declared.indexes)


def canonicalise(declared: MaterializedView, scratch: LiveMaterializedView) -> MaterializedView:
    """Return the declaration with query and indexes as the server spelled them, and options as it would."""
    created = {one.name: one for one in scratch.object.indexes}
    pairs = (option.partition("=") for option in declared.options)
    options = tuple(f"{name.strip().lower()} = {value.strip()}" for name, _, value in pairs)
    indexes = tuple(replace(created[one.name], comment=one.comment, statistics=targets(one.statistics))
                    for one in declared.indexes)
    return replace(declared, query=scratch.object.query, options=options, indexes=indexes)


def settle(canonical: MaterializedView, live: MaterializedView | None) -> MaterializedView:
    """Return the declaration with options in the live order, and filled where the live one is: `with_data` tells only
    how it begins."""
    if live is None:
        return canonical
    options = live.options if sorted(canonical.options) == sorted(live.options) else canonical.options
    return replace(canonical, options=options, with_data=canonical.with_data or live.with_data)


def definition(declared: MaterializedView) -> str:
    """CREATE MATERIALIZED VIEW as SQL."""
    words = [f"USING {ident(declared.method)}"] if declared.method else []
    words += [f"WITH ({', '.join(declared.options)})"] if declared.options else []
    words += [f"TABLESPACE {ident(declared.tablespace)}"] if declared.tablespace else []
    head = " ".join(["CREATE MATERIALIZED VIEW", ident(declared.full_name), *words])
    query = declared.query.strip().rstrip(";")
    return f"{head} AS\n{query}{'' if declared.with_data else chr(10) + 'WITH NO DATA'}"


def steps(diff: MaterializedDiff) -> tuple[list[Step], list[str]]:
    """Create it, create it again where its query differs, change all else in place; no step where it is as declared."""
    declared, name = diff.declared, diff.name
    on = f"MATERIALIZED VIEW {ident(name)}"
    if diff.live is None:
        steps = [Step(Action.CREATE, name, definition(declared), "the materialized view does not exist",
                      transaction=Transaction.OWN, heavy=declared.with_data)]
        live = MaterializedView(name, "")
        warnings: list[str] = []
    else:
        live = diff.live.object
        steps = [renames.step("MATERIALIZED VIEW", diff.context.former_name, declared)] \
            if diff.context.former_name else []
        undeclared, warnings = _undeclared(diff)
        steps += undeclared
        if must_be_recreated(diff.canonical, diff.live):
            steps.append(_again(diff))
            names = (diff.context.scratch or diff.live).columns
            live = replace(live, comment=declared.comment, indexes=declared.indexes,
                           columns=tuple(column for column in live.columns if column.name in names))
            diff = replace(diff, canonical=replace(diff.canonical, indexes=declared.indexes))
        else:
            steps += _storage(diff, live)
    steps += _index_steps(diff, live)
    comments = [comment.step(on, name, declared.comment, live.comment), *_column_comments(declared, live)]
    return [*steps, *(step for step in comments if step)], warnings


def must_be_recreated(canonical: MaterializedView, live: LiveMaterializedView | None) -> bool:
    """Whether only another one will do: the query differs, or how rows are kept."""
    return live is not None and (canonical.query, canonical.method) != (live.object.query, live.object.method)


def _again(diff: MaterializedDiff) -> Step:
    """Drop it and create it as declared, with what the live one has beside, in one transaction."""
    declared, live = diff.declared, diff.present
    if live.settings:
        raise UnsafeChangeError(f"{diff.name}: its query changes, so it has to be dropped and created again, and would "
                                f"lose {', '.join(live.settings)}; reset that first, and set it again afterwards")
    before, after = view.around(diff.name, diff.context.dependants, "it has to be dropped and created again",
                                view.as_declared)
    columns = (diff.context.scratch or live).columns
    names = {one.name for one in declared.indexes}
    kept = [one for one in live.object.indexes if one.name not in names and Hazard.DROPS_INDEX not in diff.allowed]
    comments = [comment.step(f"MATERIALIZED VIEW {ident(diff.name)}", "", declared.comment, None),
                *(comment.step(_index_on(declared, one), "", one.comment, None)
                  for one in (*declared.indexes, *kept)),
                *_column_comments(replace(declared, columns=tuple(
                    column for column in live.object.columns if column.name in columns)), MaterializedView("", ""))]
    filled = replace(declared, with_data=live.object.with_data or declared.with_data)
    statements = [*before, f"DROP MATERIALIZED VIEW {ident(diff.name)}", definition(filled),
                  *(index.definition(declared, one) for one in (*declared.indexes, *kept)),
                  *(sql for one in (*declared.indexes, *kept) if (sql := _targets(declared, one, ()))),
                  *(step.sql for step in comments if step),
                  *rights.restore("MATERIALIZED VIEW", ident(diff.name), live.rights, columns), *after]
    hazards = (Hazard.REWRITES_TABLE,) if live.object.with_data else ()
    return Step(Action.REPLACE, diff.name, ";\n".join(statements),
                "its query differs, so it is created again with its indexes and grants", hazards,
                cost=COMPUTED, heavy=filled.with_data, drops=view.dropped_names(diff.context.dependants),
                removes=(Removed(Sort.RELATION, diff.name),))


def _storage(diff: MaterializedDiff, live: MaterializedView) -> list[Step]:
    """Options and tablespace made the declared ones, and the rows computed where there are none and should be."""
    canonical, alter = diff.canonical, f"ALTER MATERIALIZED VIEW {ident(diff.name)}"
    before, after = (dict(option.split(" = ", 1) for option in one.options) for one in (live, canonical))
    steps = []
    changed = [f"{name} = {value}" for name, value in after.items() if before.get(name) != value]
    gone = [name for name in before if name not in after]
    changes = [f"{alter} SET ({', '.join(changed)})"] if changed else []
    changes += [f"{alter} RESET ({', '.join(gone)})"] if gone else []
    if changes:
        steps.append(Step(Action.ALTER, diff.name, "; ".join(changes),
                          f"its options are {', '.join(live.options) or 'the default ones'}"))
    if canonical.tablespace != live.tablespace:
        place = ident(canonical.tablespace or "pg_default")
        steps.append(Step(Action.ALTER, diff.name, f"{alter} SET TABLESPACE {place}",
                          f"it is in {live.tablespace or 'the default tablespace'}", (Hazard.REWRITES_TABLE,),
                          Transaction.OWN, heavy=True))
    if canonical.with_data and not live.with_data:
        steps.append(Step(Action.COMPUTE, diff.name, f"REFRESH MATERIALIZED VIEW {ident(diff.name)}",
                          "it has never been computed", transaction=Transaction.OWN, cost=COMPUTED, heavy=True))
    return steps


def _index_steps(diff: MaterializedDiff, live: MaterializedView) -> list[Step]:
    """Create the indexes that are missing; where one differs, build the new one first, then exchange them."""
    present = {one.name: one for one in live.indexes}
    steps = []
    for declared, canonical in zip(diff.declared.indexes, diff.canonical.indexes, strict=True):
        where, before = f"{diff.name}.{declared.name}", present.get(declared.name)
        live_comment = before.comment if before else None
        if before is None:
            steps.append(Step(Action.CREATE, where, index.definition(diff.declared, declared),
                              "the index does not exist", transaction=Transaction.OWN, cost=ON_INDEXES))
        elif bare_index(canonical) != bare_index(before):
            new = replace(declared, name=index.new_name(declared.name))
            old = ident(qualified(diff.declared.schema, declared.name))
            swap = (f"{index.definition(diff.declared, new)}; DROP INDEX {old}; ALTER INDEX "
                    f"{ident(qualified(diff.declared.schema, new.name))} RENAME TO {ident(declared.name)}")
            steps.append(Step(Action.REPLACE, where, swap, f"it is {index.definition(diff.declared, before)}",
                              transaction=Transaction.OWN, cost=ON_INDEXES))
            live_comment, before = None, None
        if sql := _targets(diff.declared, canonical, before.statistics if before else ()):
            steps.append(Step(Action.ALTER, where, sql, "its statistics targets differ", cost=index_targets.COST))
        comment_step = comment.step(_index_on(diff.declared, declared), where, declared.comment, live_comment)
        steps += [comment_step] if comment_step else []
    return steps


def _undeclared(diff: MaterializedDiff) -> tuple[list[Step], list[str]]:
    names = {one.name for one in diff.canonical.indexes}
    return split_allowed([
        Step(Action.DROP, f"{diff.name}.{one.name}", f"DROP INDEX {ident(qualified(diff.declared.schema, one.name))}",
             "nobody declares the index", (Hazard.DROPS_INDEX,))
        for one in diff.present.object.indexes if one.name not in names], diff.allowed)


def _column_comments(declared: MaterializedView, live: MaterializedView) -> Iterable[Step | None]:
    after, before = ({column.name: column.comment for column in one.columns} for one in (declared, live))
    for name in dict.fromkeys((*after, *before)):
        yield comment.step(f"COLUMN {ident(declared.full_name)}.{ident(name)}", f"{declared.full_name}.{name}",
                           after.get(name), before.get(name))


def _targets(declared: MaterializedView, one: Index, live: Sequence[int]) -> str:
    return index_targets.statement(ident(qualified(declared.schema, one.name)), one.statistics, live)


def _index_on(declared: MaterializedView, one: Index) -> str:
    return f"INDEX {ident(qualified(declared.schema, one.name))}"


def errors(declared: MaterializedView) -> Iterable[str]:
    """Return parts that are declared twice, options that are none, and defaults, which no column can have here."""
    groups: tuple[Sequence[Index | ViewColumn], ...] = (declared.indexes, declared.columns)
    for group in groups:
        yield from (f"{declared.full_name}.{twice}: declared twice; keep one"
                    for twice in repeated(part.name for part in group))
    yield from (f"{declared.full_name}: option {option!r} has no value; write it as \"name = value\""
                for option in declared.options if "=" not in option)
    yield from (f"{declared.full_name}.{column.name}: a column of a materialized view has no default; leave it out"
                for column in declared.columns if column.default is not None)


KIND = Kind(
    MaterializedView, resource="schema:MaterializedView", page="materialized-view.md", read=materialized_views.read,
    server_words=ServerWords(creation, canonicalise), settle=settle, steps=steps, lint=errors,
    drops=(Drop("materialized view", "DROP MATERIALIZED VIEW {}", Hazard.DROPS_MATERIALIZED_VIEW, first=True),))
