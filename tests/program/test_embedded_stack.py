"""Stack `embedded` whole, on a machine that has neither Docker nor Pulumi: the program runs in-process."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local import embedded_server
from infra.local.processes import free_port
from tests.support.programs.checkout import ROOT, make_checkout

COUNTS = {"users": 5, "devices": 15, "environmental_readings": 50_000, "activity_classifications": 5_000,
          "notifications": 500}


@pytest.mark.needs("embedded")
def test_machine_with_neither_docker_nor_pulumi_gets_the_whole_database(tmp_path: Path) -> None:
    # Only what such a machine has: no pulumi, and an engine that never answers.
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("node", "npm", "git", "sh", "bash", "env", "uname", "ps", "dirname", "readlink", "sed"):
        if program := shutil.which(name):
            (programs / name).symlink_to(program)
    checkout = make_checkout(tmp_path)
    # Its packages are installed once; this machine then reaches nothing.
    embedded_server.prepare(ROOT / ".lcdb" / "embedded-node")
    (tmp_path / ".lcdb" / "embedded-node").symlink_to(ROOT / ".lcdb" / "embedded-node")
    config = (tmp_path / "Pulumi.embedded.yaml").read_text().replace("54340", str(free_port())).replace(
        "s3: local", "s3: none")
    (tmp_path / "Pulumi.embedded.yaml").write_text(config)
    bare = replace(checkout, env={"PATH": str(programs), "DOCKER_HOST": f"unix://{tmp_path}/no-engine",
                                  "PYTHONPATH": str(tmp_path), "COLUMNS": "200", "PULUMI_HOME": str(tmp_path),
                                  "HTTPS_PROXY": "http://127.0.0.1:9"})
    try:
        first = bare.lcdb("up")
        assert first.returncode == 0, first.stdout + first.stderr
        output = " ".join((first.stdout + first.stderr).split())
        for loud in ("no Docker engine answers", "no Pulumi CLI", "without Pulumi state", "not for production"):
            assert loud in output, loud
        exported = bare.lcdb("outputs", "dsn", "--role", "readonly")
        assert exported.stdout.startswith("postgresql://lifecompanion_readonly:")
        record = json.loads((tmp_path / ".lcdb" / "embedded" / "inprocess.json").read_text())
        assert record["outputs"]["seed"] == COUNTS
        assert os.stat(tmp_path / ".lcdb" / "embedded" / "inprocess.json").st_mode & 0o777 == 0o600
        second = bare.lcdb("up")
        assert "nothing to change" in " ".join(second.stdout.split()), second.stdout + second.stderr
    finally:
        gone = bare.lcdb("destroy", "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert not (tmp_path / ".lcdb" / "embedded" / "inprocess.json").exists()
