"""Two schemas as text: what differs is said line by line, and a remark excuses what it names and nothing else."""

from __future__ import annotations

from tests.support.schemas.corpus_catalog import find_differences, normalised

TABLE = ("Name: a; Type: TABLE; Schema: public; Owner: postgres", "CREATE TABLE public.a (\n    id integer\n);")
KEY = ("Name: a a_key; Type: CONSTRAINT; Schema: public; Owner: postgres",
       "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_key UNIQUE (id) DEFERRABLE;")
INDEX = ("Name: a_idx; Type: INDEX; Schema: public; Owner: postgres", "CREATE INDEX a_idx ON public.a (id);")
OTHER = ("Name: ab; Type: TABLE; Schema: public; Owner: postgres", "CREATE TABLE public.ab (\n    a integer\n);")


def test_equal_schemas_have_no_difference() -> None:
    assert list(find_differences([TABLE, KEY], [KEY, TABLE])) == []


def test_a_changed_line_is_lacking_and_too_much() -> None:
    changed = (KEY[0], KEY[1].replace(" DEFERRABLE", ""))
    assert list(find_differences([TABLE, KEY], [TABLE, changed])) == [
        "- a a_key; Type: CONSTRAINT; Schema: public: ADD CONSTRAINT a_key UNIQUE (id) DEFERRABLE;",
        "+ a a_key; Type: CONSTRAINT; Schema: public: ADD CONSTRAINT a_key UNIQUE (id);"]


def test_a_remark_on_a_constraint_excuses_it_and_not_its_table() -> None:
    remark = "a.a_key: a deferrable constraint, which no kind of object declares"
    assert list(find_differences([TABLE, KEY], [TABLE], [remark])) == []
    assert len(list(find_differences([TABLE, INDEX], [TABLE], [remark]))) == 1


def test_a_table_that_was_left_out_excuses_what_lies_on_it_and_no_other() -> None:
    remark = "a.id: a type that is not known (so it was left out)"
    assert list(find_differences([TABLE, KEY, INDEX], [], [remark])) == []
    assert next(find_differences([TABLE, OTHER], [], [remark])).startswith("- ab; Type: TABLE")


def test_what_only_the_server_numbers_or_rewords_is_no_difference() -> None:
    column = "ALTER TABLE ONLY a ALTER COLUMN b SET (n_distinct=-0.5, pg_attver=123);"
    assert normalised(column) == "ALTER TABLE ONLY a ALTER COLUMN b SET (n_distinct=-0.5);"
    assert normalised("ALTER TABLE ONLY a ALTER COLUMN b SET (pg_attver=123);") == ""
    assert normalised("FROM _timescaledb_internal._materialized_hypertable_12") == \
        "FROM _timescaledb_internal._materialized_hypertable_#"
    printed = "CHECK (((k)::text = ANY ((ARRAY['a'::character varying, 'b, ''c'::character varying])::text[])))"
    assert normalised(printed) == \
        "CHECK (((k)::text = ANY (ARRAY[('a'::character varying)::text, ('b, ''c'::character varying)::text])))"
    assert normalised("FROM (VALUES ('a'::text)) v") == normalised("FROM ( VALUES ('a'::text)) v")
