"""Connection settings that people and Laravel paste: complete, and readable by the programs they are for."""

from __future__ import annotations

import configparser
import re
import subprocess

import pytest
from psycopg.conninfo import conninfo_to_dict

from infra.program.outputs import LARAVEL_DATABASE_PHP, dsn, laravel_env, pg_service

APP = {"host": "127.0.0.1", "port": 54320.0, "database": "lifecompanion", "user": "lifecompanion_app",
       "password": "s3cret/&?", "sslmode": "verify-full", "sslrootcert": "/etc/ca file.pem"}
READS = [{"name": "replica", "host": "127.0.0.1", "port": 54321.0}]


def test_libpq_reads_the_dsn_back() -> None:
    assert conninfo_to_dict(dsn(APP)) == {
        "host": "127.0.0.1", "port": "54320", "dbname": "lifecompanion", "user": "lifecompanion_app",
        "password": "s3cret/&?", "sslmode": "verify-full", "sslrootcert": "/etc/ca file.pem"}


def test_an_ipv6_host_is_bracketed() -> None:
    assert conninfo_to_dict(dsn({**APP, "host": "::1"}))["host"] == "::1"


def test_env_lines_write_to_the_primary_and_read_from_the_standby() -> None:
    lines = dict(line.split("=", 1) for line in laravel_env(APP, READS).splitlines())
    assert (lines["DB_HOST"], lines["DB_PORT"]) == ("127.0.0.1", "54320")
    assert lines["DB_READ_ADDRESSES"] == "127.0.0.1:54321"
    assert lines["DB_SSLMODE"] == "verify-full"


def test_without_a_standby_reads_go_to_the_primary() -> None:
    assert "DB_READ_ADDRESSES=127.0.0.1:54320\n" in laravel_env(APP, [])


def test_every_variable_that_the_php_reads_is_in_the_env_lines() -> None:
    read = set(re.findall(r"env\('(\w+)'", LARAVEL_DATABASE_PHP))
    written = {line.split("=")[0] for line in laravel_env(APP, READS).splitlines()}
    assert read <= written


@pytest.mark.needs("php")
def test_php_reads_the_array() -> None:
    program = ("function env($k, $d = null) { return ['DB_READ_ADDRESSES' => '10.0.0.1:1,[::1]:2'][$k] ?? $d; }"
               f"echo json_encode([{LARAVEL_DATABASE_PHP}]['pgsql']['read']);")
    done = subprocess.run(["php", "-r", program], capture_output=True, text=True, check=True)
    assert done.stdout == '[{"host":"10.0.0.1","port":"1"},{"host":"::1","port":"2"}]'


def test_service_file_has_a_service_for_each_role_and_one_for_reads() -> None:
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string(pg_service({"app": APP, "readonly": {**APP, "user": "lifecompanion_readonly"}}, READS))
    assert parsed.sections() == ["lifecompanion_app", "lifecompanion_readonly", "lifecompanion_read"]
    assert parsed["lifecompanion_read"]["port"] == "54321"
