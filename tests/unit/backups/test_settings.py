"""A setting of a database is written as the server reads it: a list name by name, anything else as one text."""

from __future__ import annotations

import pytest

from backups.restoring.settings import render_value


@pytest.mark.parametrize(("name", "value", "written"), [
    ("search_path", '"$user", public', "'$user', 'public'"),
    ("search_path", 'public, x, "Odd, ""S"', "'public', 'x', 'Odd, \"S'"),
    ("search_path", '""', "''"), ("search_path", "", "''"),
    # What FROM CURRENT keeps has no quotes, and is read without regard to case.
    ("Search_Path", 'Public,"X"', "'public', 'X'"),
    ("session_preload_libraries", "auto_explain, $libdir/Other", "'auto_explain', '$libdir/Other'"),
    ("temp_tablespaces", 'fast, ""', "'fast', ''"),
    ("datestyle", "German, DMY", "'German, DMY'"), ("foo.bar", 'a, b "c"', "'a, b \"c\"'"),
    ("work_mem", "5MB", "'5MB'"), ("application_name", "it's", "'it''s'")])
def test_a_value_is_written_as_the_server_reads_it(name: str, value: str, written: str) -> None:
    assert render_value(name, value).as_string() == written
