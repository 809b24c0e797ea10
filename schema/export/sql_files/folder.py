"""Read the .sql files of a folder, and refuse what cannot be part of a declaration before any server is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from schema.errors import DeclarationError
from schema.export.sql_files.statements import Statement, split

_ROWS = "a declaration holds no rows; take it out"
_RIGHTS = "such rights are not declared here and would be dropped silently; take it out (pg_dump leaves all rights " \
          "out with --no-privileges)"
# By the first words of a statement: why it is refused.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY"), _ROWS),
    "REASSIGN": _RIGHTS,
}
# The kinds of objects whose comments are declared.
COMMENTED = re.compile(r"COMMENT ON (TABLE|COLUMN|VIEW|MATERIALIZED VIEW|FUNCTION|PROCEDURE|TYPE|INDEX|CONSTRAINT|"
                       r"TRIGGER|POLICY|STATISTICS|SEQUENCE|DOMAIN|EXTENSION|COLLATION|AGGREGATE|SCHEMA)\b")
# Rights on what no kind declares, in whatever schema, and memberships of roles.
_OTHER_RIGHTS = re.compile(r"(GRANT|REVOKE)\b(?!.*\bON\b)|(GRANT|REVOKE)\b.*\bON\s+(DATABASE|TABLESPACE|"
                           r"LANGUAGE|FOREIGN|PARAMETER|LARGE\s+OBJECT)\b", re.I | re.S)
_DEFAULTS = re.compile(r"ALTER\s+DEFAULT\s+PRIVILEGES\b(?!.*\bIN\s+SCHEMA\b)", re.I | re.S)
_OWNER = re.compile(r"ALTER\s+(DATABASE)\b.*\bOWNER\s+TO\s+\S+\s*\Z", re.I | re.S)


def read_statements(folder: Path) -> list[list[Statement]]:
    """Return the statements of each .sql file in `folder` and its subfolders, in the order of their paths; of a single
    file where `folder` is one.

    Raises DeclarationError, one line with file and line: no files, not UTF-8, a command of psql, a statement that
    changes rows, rights or owners.
    """
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*.sql") if path.is_file())
    if not files:
        what = "has no file *.sql in it" if folder.is_dir() else "is not there"
        raise DeclarationError(f"{folder}: {what}; give a folder with CREATE statements in files *.sql")
    return [list(_checked(path)) for path in files]


def _checked(path: Path) -> Iterator[Statement]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}; give a file in "
                               "UTF-8") from None
    for statement in split(text, str(path)):
        reason = _reason(statement)
        if reason:
            raise DeclarationError(f"{statement.place()}: {reason}")
        yield statement


def _reason(statement: Statement) -> str | None:
    """Return why the statement cannot be part of a declaration; None where it can."""
    for words, reason in REFUSED.items():
        if f"{statement.words} ".startswith(f"{words} "):
            return f"{words}: {reason}"
    if _OTHER_RIGHTS.match(statement.sql.lstrip()) or _OWNER.match(statement.sql.lstrip()):
        return f"{statement.words.split()[0]}: {_RIGHTS}"
    if _DEFAULTS.match(statement.sql.lstrip()):
        return f"ALTER DEFAULT PRIVILEGES: {_RIGHTS}; those IN SCHEMA are declared"
    if statement.words.startswith("COMMENT ") and not COMMENTED.match(statement.words):
        commented = " ".join(statement.words.split()[2:3])
        return f"COMMENT ON {commented}: such a comment is not declared and would be dropped silently; take it out"
    return None
