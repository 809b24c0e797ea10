"""Every attribute that the catalogs hold of an object: which ones a declaration tells, which nothing may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows

# Since when TimescaleDB has the catalog that a query reads.
SINCE = {"attributes_timescaledb": (2, 0), "attributes_columnstore": (2, 14), "attributes_chunk_skipping": (2, 16)}


@dataclass(frozen=True)
class Catalog:
    """How the attributes of one catalog are looked at; those in neither set may never change, whoever declares what.

    `declared` are those that a reader reads, so that the empty plan at the end proves them. `ignored` are identifiers,
    places in memory, statistics and what follows from other attributes.
    """

    noun: str
    declared: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CATALOGS: Mapping[str, Catalog] = {
    "pg_class": Catalog(
        "relation", _names("relrowsecurity relforcerowsecurity reltablespace view_options comment definition "
                           "reloptions relpersistence relreplident"),
        _names("oid relname relnamespace reltype relfilenode relpages reltuples relallvisible relallfrozen "
               "reltoastrelid relhasindex relisshared relnatts relchecks relhasrules relhastriggers relhassubclass "
               "relispopulated relrewrite relfrozenxid relminmxid")),
    "pg_attribute": Catalog(
        "column", _names("attname atttypid attnotnull default attidentity attgenerated comment attcollation attstorage "
                         "attcompression attstattarget"),
        _names("attrelid attnum attlen attcacheoff atttypmod attndims attbyval attalign atthasdef atthasmissing "
               "attisdropped attmissingval")),
    "pg_constraint": Catalog(
        "constraint", _names("definition contype convalidated conkey confkey confupdtype confdeltype comment conperiod "
                             "condeferrable condeferred confdelsetcols confmatchtype connoinherit conenforced"),
        _names("oid conname connamespace conrelid contypid conindid conparentid confrelid conpfeqop conppeqop "
               "conffeqop conexclop conbin")),
    "pg_index": Catalog(
        "index", _names("definition indisunique indisvalid indisprimary indisready comment collations include "
                        "indimmediate indisclustered indisexclusion indisreplident indnullsnotdistinct reloptions "
                        "targets"),
        _names("indexrelid indrelid indnatts indnkeyatts indcheckxmin indislive indkey indcollation indclass indoption "
               "indexprs indpred")),
    "pg_trigger": Catalog(
        "trigger", _names("tgtype tgattr tgfoid tgargs tgnargs tgqual tgoldtable tgnewtable comment tgconstraint "
                          "tgconstrrelid tgdeferrable tgenabled tginitdeferred"),
        _names("oid tgrelid tgparentid tgname tgisinternal tgconstrindid")),
    "pg_policy": Catalog(
        "policy", _names("polcmd polpermissive polroles polqual polwithcheck comment"), _names("oid polname polrelid")),
    "pg_rewrite": Catalog("rule", _names(""), _names("oid rulename ev_class ev_qual ev_action")),
    "pg_statistic_ext": Catalog(
        "statistics", _names("definition comment"),
        _names("oid stxrelid stxname stxnamespace stxkeys stxkind stxexprs")),
    "pg_sequence": Catalog(
        "sequence", _names("seqstart seqincrement seqmax seqmin seqcache seqcycle owned unlogged"),
        _names("seqrelid seqtypid")),
    # A serial or identity column's, unlogged where its table is.
    "owned_sequence": Catalog(
        "sequence", _names("seqstart seqincrement seqmax seqmin seqcache seqcycle unlogged"),
        _names("seqrelid seqtypid")),
    "pg_proc": Catalog(
        "function", _names("prosrc prosqlbody probin prolang provolatile proparallel proisstrict prosecdef proconfig "
                           "prokind proleakproof procost prorows prosupport protrftypes arguments result comment"),
        _names("oid proname pronamespace pronargs pronargdefaults prorettype proretset proargtypes proallargtypes "
               "proargmodes proargnames proargdefaults provariadic")),
    "pg_type": Catalog(
        "type", _names("labels comment typdefault typnotnull typbasetype typtypmod typndims typcollation constraints"),
        _names("oid typname typnamespace typlen typbyval typtype typcategory typispreferred typisdefined typdelim "
               "typrelid typsubscript typelem typarray typinput typoutput typreceive typsend typmodin typmodout "
               "typanalyze typalign typstorage typdefaultbin")),
    "hypertable": Catalog(
        "hypertable", _names("num_dimensions compression_state"),
        _names("id schema_name table_name associated_schema_name associated_table_prefix "
               "compressed_hypertable_id status replication_factor chunk_target_size")),
    "dimension": Catalog(
        "dimension", _names("interval_length num_slices integer_now_func integer_now_func_schema column_name "
                            "compress_interval_length aggregate_interval"),
        _names("id hypertable_id column_type aligned partitioning_func partitioning_func_schema")),
    "continuous_agg": Catalog(
        "aggregate", _names("materialized_only"),
        _names("mat_hypertable_id raw_hypertable_id parent_mat_hypertable_id user_view_schema user_view_name "
               "partial_view_schema partial_view_name direct_view_schema direct_view_name finalized "
               "schema_change_timestamp")),
    "aggregate_index": Catalog("index of the aggregate", _names("index")),
    "bgw_job": Catalog(
        "job", _names("schedule_interval scheduled config timezone fixed_schedule initial_start max_runtime "
                      "max_retries retry_period"),
        _names("id application_name hypertable_id proc_schema proc_name")),
    "compression_settings": Catalog(
        "columnstore", _names("segmentby orderby orderby_desc orderby_nullsfirst index"),
        _names("relid compress_relid")),
    "chunk_column_stats": Catalog("chunk skipping"),
}


@dataclass(frozen=True)
class Attributes:
    """The attributes of one object; `name` and `relation` are as SQL writes them, `number` is its own for good."""

    catalog: str
    number: tuple[int, int]
    name: str
    relation: str
    values: Mapping[str, Any] = field(repr=False)

    @property
    def noun(self) -> str:
        """What kind of object it is, for people."""
        return CATALOGS[self.catalog].noun


def read_attributes(connection: Connection[Any], capabilities: Capabilities, names: Sequence[str]) -> list[Attributes]:
    """Every attribute of the objects of these full names, and of what stands on them; one to four queries."""
    queries = ["attributes", *(query for query, since in SINCE.items() if capabilities.timescaledb >= since)]
    return [Attributes(row["catalog"], (row["oid"], row["sub"]), row["object"], row["relation"], row["attributes"])
            for query in queries for row in rows(connection, query, prepare=True, names=list(names))]
