"""Rows of one table as columns: what every generator returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Rows:
    """Rows of `table`; every column is an array of the same length.

    Numbers are int64 or float64 already rounded to the column's scale, times datetime64[s] in UTC (NaT is NULL), texts
    and JSON documents object arrays of str.
    """

    table: str
    columns: Mapping[str, Array]

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))


def instants(seconds: Ints) -> Array:
    """Seconds since 1970 as a column of times."""
    return seconds.astype("datetime64[s]")


def texts(values: list[str]) -> Array:
    """Strings as a column of texts."""
    column: Array = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def uniform(key: int | Words, counters: Ints | Words) -> Floats:
    """A number in [0, 1) for each counter, the same wherever a slice of the counters begins (SplitMix64).

    `key` is the key of one stream, or an array with a key for each counter.
    """
    offset = np.uint64(key & 0xFFFFFFFFFFFFFFFF) if isinstance(key, int) else key
    with np.errstate(over="ignore"):
        word = counters.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + offset
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mantissa: Floats = ((word ^ (word >> np.uint64(31))) >> np.uint64(11)).astype(np.float64)
    return mantissa / float(1 << 53)


def normal(key: int, counters: Ints) -> Floats:
    """A number with mean 0 and deviation 1 for each counter: the sum of four uniform ones, so never beyond 3.5.

    Unlike logarithms, sums give the same result on every processor.
    """
    total = sum(uniform(key + turn * 0x632BE59BD9B4E019, counters) for turn in range(4))
    return np.asarray((total - 2.0) * np.sqrt(3.0), dtype=np.float64)
