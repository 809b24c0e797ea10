"""`lcdb backup setup`: the files and commands by which an administrator sets up physical backups on a host."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.backup_settings import config_values
from cli.commands.backup.screen import print_result
from cli.console import console
from cli.options import ConfigOption, JsonOption, StackOption, SuperuserDsnOption

if TYPE_CHECKING:
    from backups.physical.host_setup import HostSetup


def setup(stack: StackOption = None, config: ConfigOption = None, dsn: SuperuserDsnOption = None,
          as_json: JsonOption = False,
          into: Annotated[Path | None, typer.Option("--into", metavar="FOLDER", help=(
              "Write the files, secrets included, with mode 600."))] = None) -> None:
    """Print what a host needs for physical backups: settings of pgBackRest and the server, commands, a systemd timer.

    Reads the server's settings and changes nothing. Secrets are shown as `...`; --into writes them to files.
    """
    from backups.config import BackupConfig
    from backups.physical.host_setup import plan_setup, write_setup
    from cli.addresses import find_database

    values = config_values(stack, config)
    settings = BackupConfig.from_dict(values, "backup settings")
    admin = find_database(None, dsn, "admin")[1] if dsn else settings.administrator()
    with admin.connect(application_name="lifecompanion setup") as connection:
        host_setup = plan_setup(settings, values, connection)
    if into:
        write_setup(host_setup, into)
    facts = {**asdict(host_setup), "files": host_setup.redact_files(),
             "written": sorted(host_setup.files) if into else []}
    print_result(as_json, facts, lambda: console.print(
        _text(host_setup, into), soft_wrap=True, markup=False, highlight=False))


def _text(host_setup: HostSetup, into: Path | None) -> str:
    from backups.physical.host_setup import PROGRAM

    replaced = [f"# found {key} = {value}" for key, value in host_setup.found.items() if key == "archive_command"
                and value not in ("", "(disabled)")]
    names = ", ".join(sorted(host_setup.files))
    written = f"# written to {into}, mode 600: {names}; take them to the host" if into else \
        "# the files, with their secrets: run this again with --into FOLDER, and take the folder to the host"
    after = "# now restart the server" if host_setup.restarts else "SELECT pg_reload_conf();"
    parts = [[written],
             *([f"# {name}", text.strip()] for name, text in host_setup.redact_files().items()
               if name != "s3-ca.pem"),
             ["# as root on the host, in that folder; pgBackRest is installed, the server is up", *host_setup.install],
             ["# in the server, as a superuser", *replaced, *host_setup.statements, after] if host_setup.statements else
             ["# the server is set as it has to be"],
             ["# as root: the archive is tried", *host_setup.begin],
             ["# as root, on the machine that keeps the schedule; this repository is in "
              f"{PROGRAM}, and `make .venv/stamp` was run there", *host_setup.schedule]]
    return "\n\n".join("\n".join(part) for part in parts)
