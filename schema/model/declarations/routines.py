"""What can be called: functions, procedures, aggregate functions, and jobs that call them, as frozen values; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schema.model.declared import Declared

# How the bodies of functions begin that PostgreSQL 14 and later parses when they are created.
_PARSED = re.compile(r"\s*(?:RETURN\b|BEGIN\s+ATOMIC\b)", re.I)


@dataclass(frozen=True)
class Function(Declared, kind="function"):
    """A function, or a procedure where `returns` is None; `body` is its text.

    A body of language sql that begins with RETURN or BEGIN ATOMIC is parsed when the function is created. `cost`,
    `rows` and `support` are the server's defaults where they are None. `transforms` are types. A function in C names
    its `library`, and its symbol as `body`.
    """

    name: str
    body: str
    arguments: str = ""
    returns: str | None = "void"
    language: str = "plpgsql"
    volatility: str = "volatile"
    parallel: str = "unsafe"
    strict: bool = False
    security_definer: bool = False
    settings: tuple[str, ...] = ()
    leakproof: bool = False
    cost: float | None = None
    rows: float | None = None
    support: str | None = None
    window: bool = False
    transforms: tuple[str, ...] = ()
    library: str | None = None

    @property
    def identity(self) -> str:
        """Name and arguments: several functions may have one name."""
        return f"{self.full_name}({self.arguments})"

    @property
    def newer(self) -> tuple[tuple[str, int], ...]:
        """What of it needs a certain version of PostgreSQL: (property, major version)."""
        return (("body", 14),) if self.is_parsed else ()

    @property
    def is_parsed(self) -> bool:
        """Whether the server keeps the body parsed, with what it depends on, and prints it in its own words."""
        return self.language.lower() == "sql" and _PARSED.match(self.body) is not None


@dataclass(frozen=True)
class Aggregate(Declared, kind="aggregate_function"):
    """An aggregate function: `sfunc` takes the state of type `stype` and the next row's `arguments`, `finalfunc` makes
    the result of the last state.

    `arguments` are as CREATE AGGREGATE takes them, "*" for none, with ORDER BY for an ordered-set aggregate, which is
    `hypothetical` or not. The names of the parameters are those of CREATE AGGREGATE; `finalfunc_modify` is None where
    it is the server's default.
    """

    name: str
    arguments: str
    sfunc: str
    stype: str
    sspace: int | None = None
    finalfunc: str | None = None
    finalfunc_extra: bool = False
    finalfunc_modify: str | None = None
    combinefunc: str | None = None
    serialfunc: str | None = None
    deserialfunc: str | None = None
    initcond: str | None = None
    msfunc: str | None = None
    minvfunc: str | None = None
    mstype: str | None = None
    msspace: int | None = None
    mfinalfunc: str | None = None
    mfinalfunc_extra: bool = False
    mfinalfunc_modify: str | None = None
    minitcond: str | None = None
    sortop: str | None = None
    hypothetical: bool = False
    parallel: str = "unsafe"

    @property
    def identity(self) -> str:
        """Name and arguments: several aggregate functions may have one name."""
        return f"{self.full_name}({self.arguments})"


@dataclass(frozen=True)
class Job(Declared, kind="job"):
    """A procedure (`schema.name` outside public) that TimescaleDB runs every `schedule` with `config` (JSON).

    `initial_start` is a time with its offset from which a fixed schedule counts; None leaves it as it is. `check` names
    a function that refuses wrong configs.
    """

    name: str
    procedure: str
    schedule: str
    config: str | None = None
    paused: bool = False
    fixed_schedule: bool = True
    timezone: str | None = None
    max_runtime: str | None = None
    max_retries: int | None = None
    retry_period: str | None = None
    initial_start: str | None = None
    check: str | None = None
