"""Connection settings for people and programs: DSNs, Laravel's .env and database.php, a pg_service file; pure.

Everything with a password in it is handed to Pulumi as a secret by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

Login = Mapping[str, Any]


def dsn(login: Login) -> str:
    """A URI that libpq, psycopg, SQLAlchemy and Laravel's DB_URL take; holds the password."""
    options = [f"sslmode={login['sslmode']}"]
    if login.get("sslrootcert"):
        options.append(f"sslrootcert={quote(login['sslrootcert'])}")
    return (f"postgresql://{quote(login['user'])}:{quote(login['password'], safe='')}@{_host(login['host'])}:"
            f"{int(login['port'])}/{login['database']}?{'&'.join(options)}")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def laravel_env(app: Login, reads: Sequence[Mapping[str, Any]]) -> str:
    """Laravel's .env lines for the role app: writes go to the primary, reads to `reads` (else to the primary too)."""
    targets = reads or [{"host": app["host"], "port": app["port"]}]
    return "\n".join([
        "DB_CONNECTION=pgsql",
        f"DB_HOST={app['host']}",
        f"DB_PORT={int(app['port'])}",
        f"DB_DATABASE={app['database']}",
        f"DB_USERNAME={app['user']}",
        f'DB_PASSWORD="{app["password"]}"',
        f"DB_SSLMODE={app['sslmode']}",
        *([f'DB_SSLROOTCERT="{app["sslrootcert"]}"'] if app.get("sslrootcert") else []),
        "DB_READ_ADDRESSES=" + ",".join(f"{_host(read['host'])}:{int(read['port'])}" for read in targets),
        "DB_TIMEZONE=UTC",
    ]) + "\n"


# Laravel picks one entry of a list of read connections at random, each request anew.
LARAVEL_DATABASE_PHP = """\
'pgsql' => [
    'driver' => 'pgsql',
    'read' => array_map(
        fn (string $address) => [
            'host' => trim(substr($address, 0, strrpos($address, ':')), '[]'),
            'port' => substr($address, strrpos($address, ':') + 1),
        ],
        explode(',', env('DB_READ_ADDRESSES', env('DB_HOST', '127.0.0.1').':'.env('DB_PORT', '5432'))),
    ),
    'write' => [
        'host' => env('DB_HOST', '127.0.0.1'),
        'port' => env('DB_PORT', '5432'),
    ],
    'sticky' => true, // what a request has written it reads from the primary: a standby may be behind
    'database' => env('DB_DATABASE', 'lifecompanion'),
    'username' => env('DB_USERNAME'),
    'password' => env('DB_PASSWORD'),
    'charset' => 'utf8',
    'prefix' => '',
    'search_path' => 'public',
    'sslmode' => env('DB_SSLMODE', 'prefer'),
    'sslrootcert' => env('DB_SSLROOTCERT'),
    'timezone' => env('DB_TIMEZONE', 'UTC'), // TIMESTAMP columns hold UTC
],
"""


def pg_service(logins: Mapping[str, Login], reads: Sequence[Mapping[str, Any]]) -> str:
    """A pg_service.conf: one service a role (`psql service=lifecompanion_app`), and `..._read` on the first standby."""
    sections = [_service(login["user"], login) for login in logins.values()]
    if reads and "readonly" in logins:
        login = logins["readonly"]
        sections.append(_service(f"{login['database']}_read", {**login, **reads[0]}))
    return "\n".join(sections)


def _service(name: str, login: Login) -> str:
    lines = [f"[{name}]", f"host={login['host']}", f"port={int(login['port'])}", f"dbname={login['database']}",
             f"user={login['user']}", f"password={login['password']}", f"sslmode={login['sslmode']}"]
    if login.get("sslrootcert"):
        lines.append(f"sslrootcert={login['sslrootcert']}")
    return "\n".join(lines) + "\n"
