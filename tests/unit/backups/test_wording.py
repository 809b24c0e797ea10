"""Lines of a structure are the same before a dump and after its restore, whatever the server makes of its wording."""

from __future__ import annotations

import pytest

from backups.logical.source.wording import cast_by_element, settled


@pytest.mark.parametrize(("written", "read_again"), [
    ("CHECK ((a = ANY ((ARRAY[1, 2])::numeric[])))", "CHECK ((a = ANY (ARRAY[(1)::numeric, (2)::numeric])))"),
    ("(ARRAY[ARRAY[1, 2], ARRAY[3, 4]])::numeric(10,2)[]",
     "ARRAY[ARRAY[(1)::numeric(10,2), (2)::numeric(10,2)], ARRAY[(3)::numeric(10,2), (4)::numeric(10,2)]]"),
    ("f((ARRAY['a, ]'::text, 'it''s (ARRAY['::text, g(b, c)])::\"My types\".\"T\"[])",
     "f(ARRAY[('a, ]'::text)::\"My types\".\"T\", ('it''s (ARRAY['::text)::\"My types\".\"T\","
     " (g(b, c))::\"My types\".\"T\"])"),
    ("(ARRAY[d])::timestamp(3) without time zone[] AND (ARRAY[e])::double precision[]",
     "ARRAY[(d)::timestamp(3) without time zone] AND ARRAY[(e)::double precision]")])
def test_an_array_that_was_cast_as_a_whole_is_cast_by_element(written: str, read_again: str) -> None:
    assert cast_by_element(written) == read_again
    assert cast_by_element(read_again) == read_again


@pytest.mark.parametrize("line", ["a = ANY (ARRAY[1, 2])", "(ARRAY[1, 2])[1]", "'(ARRAY[1])::numeric[]'", "(ARRAY[1"])
def test_other_arrays_stay(line: str) -> None:
    assert cast_by_element(line) == line


def test_lines_that_differ_in_more_than_wording_differ() -> None:
    assert settled(["b (VALUES (1))", "a ((ARRAY['x'::character varying])::text[])"]) == ["a ARRAY['x']", "b  VALUES 1"]
    assert settled(["(ARRAY[1])::numeric[]"]) != settled(["(ARRAY[1])::bigint[]"])
