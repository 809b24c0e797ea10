"""Server parameters follow timescaledb-tune's rules; figures are what that tool writes for such machines."""

from __future__ import annotations

import pytest

from infra.targets.tuning import GIB, server_parameters


@pytest.mark.parametrize(("memory", "cpus", "expected"), [
    (8 * GIB, 4, {"shared_buffers": "2048MB", "effective_cache_size": "6144MB", "maintenance_work_mem": "1024MB",
                  "work_mem": "5242kB", "max_worker_processes": "23", "max_parallel_workers": "4",
                  "max_parallel_workers_per_gather": "2", "max_locks_per_transaction": "128"}),
    (1 * GIB, 1, {"shared_buffers": "256MB", "effective_cache_size": "768MB", "maintenance_work_mem": "128MB",
                  "max_worker_processes": "20", "max_parallel_workers_per_gather": "1",
                  "max_locks_per_transaction": "64"}),
    (64 * GIB, 16, {"maintenance_work_mem": "2047MB", "max_locks_per_transaction": "512", "wal_buffers": "16MB"}),
])
def test_parameters_follow_memory_and_cores(memory: int, cpus: int, expected: dict[str, str]) -> None:
    parameters = server_parameters(memory, cpus, {})
    assert {key: parameters[key] for key in expected} == expected


def test_an_override_wins_alone() -> None:
    plain = server_parameters(GIB, 2, {})
    changed = server_parameters(GIB, 2, {"work_mem": "64MB", "jit": "off"})
    assert {key for key in changed if changed[key] != plain.get(key)} == {"work_mem", "jit"}


def test_order_is_stable_whatever_the_order_of_overrides() -> None:
    one, other = ({"b": "1", "a": "2"}, {"a": "2", "b": "1"})
    assert list(server_parameters(GIB, 2, one)) == list(server_parameters(GIB, 2, other))
