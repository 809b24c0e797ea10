"""Server parameters from the memory and cores a server is given; pure.

The rules are those of timescaledb-tune (pkg/pgtune: memory.go, parallel.go, wal.go, misc.go), so that a container that
has been given 4 GiB is set as that tool would set a machine of 4 GiB.
"""

from __future__ import annotations

from collections.abc import Mapping

MIB = 2**20
GIB = 2**30
CONNECTIONS = 100
# timescaledb-tune's default for timescaledb.max_background_workers.
BACKGROUND_WORKERS = 16
# max_locks_per_transaction by memory: every chunk that a statement touches takes a lock.
LOCKS = ((32 * GIB, 512), (16 * GIB, 256), (8 * GIB, 128), (0, 64))


def server_parameters(memory_bytes: int, cpus: int, overrides: Mapping[str, str]) -> dict[str, str]:
    """PostgreSQL parameters by name, in a stable order; `overrides` win one by one and may add others."""
    gigabytes = memory_bytes / GIB
    work_mem = gigabytes * (6.4 * 20 * MIB / CONNECTIONS) / max(1, round(cpus / 2))
    computed = {
        "shared_buffers": _megabytes(memory_bytes / 4),
        "effective_cache_size": _megabytes(memory_bytes * 3 / 4),
        "maintenance_work_mem": _megabytes(min(gigabytes * 128 * MIB, 2047 * MIB)),
        "work_mem": f"{max(64, int(work_mem / 1024))}kB",
        "max_connections": str(CONNECTIONS),
        "max_worker_processes": str(cpus + BACKGROUND_WORKERS + 3),
        "max_parallel_workers": str(cpus),
        "max_parallel_workers_per_gather": str(max(1, round(cpus / 2))),
        "timescaledb.max_background_workers": str(BACKGROUND_WORKERS),
        "max_locks_per_transaction": str(next(locks for least, locks in LOCKS if memory_bytes >= least)),
        "wal_buffers": _megabytes(min(memory_bytes / 4 * 0.03, 16 * MIB)),
        "min_wal_size": "512MB",
        "max_wal_size": "1GB",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
    }
    return dict(sorted({**computed, **overrides}.items()))


def _megabytes(size_bytes: float) -> str:
    return f"{max(1, int(size_bytes / MIB))}MB"
