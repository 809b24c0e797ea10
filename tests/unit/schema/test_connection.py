"""Messages about connections: in one line, without the password."""

from __future__ import annotations

import psycopg
import pytest

from schema.connection import masked, one_line_errors
from schema.errors import QueryError


@pytest.mark.parametrize(("text", "secret", "shown"), [
    ("role lo may not log in, password lo", "lo", "role *** may not log in, password ***"),
    ("password=lo' is wrong", "lo", "password=***' is wrong"),
    ("closed the connection", "lo", "closed the connection"),
    ("is pw$x! wrong", "$x!", "is pw*** wrong"),
    ("a.b*c", "b*", "a.***c"),
    ("nothing", "", "nothing")])
def test_a_password_is_masked_where_it_is_a_word_of_its_own(text: str, secret: str, shown: str) -> None:
    assert masked(text, secret) == shown


@pytest.mark.parametrize(("error", "remedy"), [
    (psycopg.errors.InsufficientPrivilege("permission denied\nfor table s"), "log in as somebody who may"),
    (psycopg.errors.QueryCanceled("canceling statement"), "raise the statement_timeout"),
    (psycopg.errors.UndefinedTable("no such table"), "correct the cause")])
def test_what_the_server_refuses_is_one_line_with_its_remedy(error: psycopg.Error, remedy: str) -> None:
    with pytest.raises(QueryError, match=remedy) as refused, one_line_errors("shop"):
        raise error
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("shop: ")
