"""One clear line for each cause, out of what Pulumi, Python and the Terraform bridge say."""

from __future__ import annotations

import pytest

from infra.automation.failures import explain, explain_output, unique

TRACEBACK = """Traceback (most recent call last):
  File "dynamic/__main__.py", line 84, in wrapper
    return fn(self, request, context)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^
"""


def test_last_exception_of_a_traceback_speaks_alone() -> None:
    message = (f"{TRACEBACK}psycopg.errors.LockNotAvailable: canceling statement\n\nDuring handling of the above "
               f"exception, another exception occurred:\n\n{TRACEBACK}"
               "schema.errors.ApplyError: users: column name: held by another; run it again\n\n")
    assert explain(message) == "users: column name: held by another; run it again"


def test_every_line_of_a_message_is_kept() -> None:
    message = ("Program failed with an unhandled exception:\n" + TRACEBACK +
               "infra.settings.SettingsError: lifecompanion:port: found 1\nlifecompanion:targt: no such key\n")
    assert explain(message) == "lifecompanion:port: found 1\nlifecompanion:targt: no such key"


def test_a_mistake_in_the_program_keeps_its_class() -> None:
    assert explain(TRACEBACK + "KeyError: 'port'\n") == "KeyError: 'port'"


def test_resource_is_named_unless_the_message_does() -> None:
    assert explain(TRACEBACK + "SeedError: disk full\n", "seed-data") == "seed-data: disk full"
    assert explain(TRACEBACK + "ApplyError: users: locked\n", "users") == "users: locked"


def test_bridge_and_provider_leave_no_marks() -> None:
    message = ("  sdk-v2/provider2.go:572: sdk.helper_schema: Unable to start container: port is already allocated"
               ": provider=docker@5.2.0\n")
    assert explain(message) == "Unable to start container: port is already allocated"
    assert explain("1 error occurred:\n\t* error connecting to PostgreSQL server\n\n") == (
        "error connecting to PostgreSQL server")


@pytest.mark.parametrize("message", ["update failed\n", "preview failed", "resource urn:x failed", ""])
def test_what_tells_nothing_is_dropped(message: str) -> None:
    assert explain(message) == ""


def test_errors_on_stderr_are_shown_where_there_is_no_other_message() -> None:
    assert explain_output(" code: 255\n stderr: x\nerror: no stack file\nmore") == "no stack file"
    assert "put the one back" in explain_output("error: getting secrets manager: incorrect passphrase")
    assert explain_output("") == "Pulumi ended without a reason"


def test_repeated_messages_are_shown_once() -> None:
    assert unique(["a", "", "b", "a"]) == ["a", "b"]
