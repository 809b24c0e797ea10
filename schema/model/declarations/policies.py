"""Declarations of what TimescaleDB does with a table or an aggregate: partitions, columnstore, policies; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """How a policy's job runs; what is None is left to the server, and stays as it is in a job that exists.

    `initial_start` is a time with its offset ("2026-01-01 03:00+00") from which a fixed schedule counts, in `timezone`.
    A job that runs longer than `max_runtime` is ended ("0": never); it is tried `max_retries` times more (-1: for ever)
    after `retry_period`.
    """

    initial_start: str | None = None
    timezone: str | None = None
    fixed_schedule: bool | None = None
    max_runtime: str | None = None
    max_retries: int | None = None
    retry_period: str | None = None


@dataclass(frozen=True)
class Dimension:
    """An additional dimension of a hypertable: either `partitions` by hash or ranges of `interval`."""

    column: str
    partitions: int | None = None
    interval: str | None = None


@dataclass(frozen=True)
class Hypertable:
    """A table partitioned by column `time` into chunks of length `chunk`: an interval, or a number for an integer
    column.

    `now` names the function that returns the current time in an integer column's unit; policies need it there.
    `tablespaces` are those over which new chunks are distributed. `chunk_skipping` are columns whose range in each
    compressed chunk is kept, so that queries skip chunks; None leaves them as they are.
    """

    time: str
    chunk: str
    dimensions: tuple[Dimension, ...] = ()
    now: str | None = None
    tablespaces: tuple[str, ...] = ()
    chunk_skipping: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Compression(JobSettings):
    """The columnstore: its settings, and the policy that converts chunks older than `after`; without `after` no policy.

    `segment_by` are column names, `order_by` SQL terms; None leaves the choice to the server. `sparse_index` has terms
    such as "bloom(tag)", `chunk_interval` is how long compressed chunks are merged to be; None: as the server has it.
    `created_before`, in place of `after`, counts from a chunk's creation. Without `schedule` the server's default
    holds. Changed settings apply to future chunks; of the compressed ones only those younger than `recompress` are
    compressed again.
    """

    after: str | None = None
    segment_by: tuple[str, ...] | None = ()
    order_by: tuple[str, ...] | None = ()
    schedule: str | None = None
    paused: bool = False
    recompress: str | None = None
    created_before: str | None = None
    sparse_index: tuple[str, ...] | None = None
    chunk_interval: str | None = None


@dataclass(frozen=True)
class Retention(JobSettings):
    """The policy that drops chunks whose rows are all older than `drop_after`, or that were created longer ago than
    `drop_created_before`; without `schedule` the server's default.
    """

    drop_after: str | None = None
    schedule: str | None = None
    paused: bool = False
    drop_created_before: str | None = None


@dataclass(frozen=True)
class Reorder(JobSettings):
    """The policy that rewrites each chunk in the order of `index`, once the chunk is no longer written to."""

    index: str
    schedule: str | None = None
    paused: bool = False


@dataclass(frozen=True)
class Refresh(JobSettings):
    """The policy that refreshes the range from `start` to `end` before now (None: unlimited) every `schedule`.

    One run refreshes at most `max_batches_per_execution` batches of `buckets_per_batch` buckets, the newest first or
    last; `include_tiered_data`: chunks in object storage, too. None leaves each to the server.
    """

    start: str | None = None
    end: str | None = None
    schedule: str = "1 hour"
    paused: bool = False
    buckets_per_batch: int | None = None
    max_batches_per_execution: int | None = None
    refresh_newest_first: bool | None = None
    include_tiered_data: bool | None = None
