"""Modules are read ahead in Pulumi's plugin process alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.handlers import read_ahead

# What Pulumi starts: `python -m pulumi.dynamic`, whose first dynamic resource is a password.
PLUGIN = """
import sys, types
sys.modules["__main__"].__spec__ = types.SimpleNamespace(name="pulumi.dynamic.__main__")
import {module}, threading
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(*sys.modules)
"""


def modules(program: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(("module", "names"), [
    ("infra.providers.access", {"infra.handlers.schema_objects", "psycopg"}),
    ("infra.providers.storage", {"infra.handlers.bucket", "boto3.session"})])
def test_plugin_reads_what_later_resources_need(module: str, names: set[str]) -> None:
    assert names <= modules(PLUGIN.format(module=module))


def test_program_reads_none_of_it() -> None:
    read = modules("import infra.providers.access, infra.providers.storage, sys; print(*sys.modules)")
    assert not read & {"infra.handlers.schema_objects", "infra.handlers.bucket", "boto3"}
    assert read_ahead.read_ahead("infra.handlers.schema_objects") is None
