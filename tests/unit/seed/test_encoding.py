"""Encoding: the same values whichever way they travel, special characters included."""

import numpy as np

from seed.generate.rows import Rows, instants, texts, uniform
from seed.load.encoding import array_literal, binary, fits_binary, text
from tests.support.seed_data import weeks


def test_readings_travel_in_binary_and_rows_with_text_or_nulls_do_not():
    assert fits_binary(weeks()[0])
    assert not fits_binary(Rows("notifications", {"title": texts(["a"])}))
    assert not fits_binary(Rows("notifications", {"read_at": np.array(["NaT"], dtype="datetime64[s]")}))


def test_binary_rows_have_the_layout_that_the_protocol_describes():
    rows = Rows("environmental_readings", {"id": np.array([7]), "measured_at": instants(np.array([946_684_801])),
                                           "temperature": np.array([-12.34]), "air_quality": np.array([5])})
    assert binary(rows) == bytes.fromhex(
        "0004" "00000008" "0000000000000007" "00000008" "00000000000f4240"
        "0000000c" "0002" "0000" "4000" "0002" "000c" "0d48" "00000004" "00000005")


def test_text_escapes_what_copy_would_read_as_something_else():
    rows = Rows("users", {"name": texts(["a\tb\\c\nd"]), "read_at": np.array(["NaT"], dtype="datetime64[s]"),
                          "is_active": np.array([True])})
    assert text(rows) == b"a\\tb\\\\c\\nd\t\\N\tt\n"


def test_array_literals_quote_text_and_spell_nulls():
    assert array_literal("title", texts(['say "a\\b", é', "NULL"])) == '{"say \\"a\\\\b\\", é","NULL"}'
    assert array_literal("read_at", np.array(["2026-01-01T00:00:01", "NaT"], dtype="datetime64[s]")) == \
        "{2026-01-01T00:00:01,NULL}"
    assert array_literal("temperature", np.array([1.0, -0.5])) == "{1.00,-0.50}"


def test_counter_numbers_are_even_and_do_not_depend_on_where_a_slice_begins():
    drawn = uniform(12345, np.arange(100_000))
    assert 0 <= drawn.min() < drawn.max() < 1
    assert abs(drawn.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02
    assert np.array_equal(uniform(12345, np.arange(500, 600)), drawn[500:600])
