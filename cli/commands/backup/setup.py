"""`lcdb backup setup`: what a host's administrator installs for physical backups."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.backup_settings import ConfigOption, config_values
from cli.commands.backup.screen import DsnOption, JsonOption, print_result
from cli.commands.stacks import StackOption, console

if TYPE_CHECKING:
    from backups.physical.host_setup import HostSetup


def setup(stack: StackOption = None, config: ConfigOption = None, dsn: DsnOption = None, as_json: JsonOption = False,
          into: Annotated[Path | None, typer.Option("--into", metavar="FOLDER", help=(
              "Write the files, secrets included, with mode 600."))] = None) -> None:
    """Say what a host needs for physical backups: pgBackRest's and the server's settings, commands, a systemd timer.

    Asks the server where its files are and how it is set; changes nothing there. Secrets are shown as `...`.
    """
    from backups.config import BackupConfig
    from backups.physical.host_setup import plan_setup, write_setup
    from cli.addresses import find_database

    values = config_values(stack, config)
    settings = BackupConfig.from_dict(values, "backup settings")
    admin = find_database(None, dsn, "admin")[1] if dsn else settings.administrator()
    with admin.connect(application_name="lifecompanion setup") as connection:
        found = plan_setup(settings, values, connection)
    if into:
        write_setup(found, into)
    facts = {**asdict(found), "files": found.redacted_files(), "written": sorted(found.files) if into else []}
    print_result(as_json, facts, lambda: console.print(_text(found, into), soft_wrap=True, markup=False,
                                                       highlight=False))


def _text(found: HostSetup, into: Path | None) -> str:
    from backups.physical.host_setup import PROGRAM

    replaced = [f"# found {key} = {value}" for key, value in found.found.items() if key == "archive_command"
                and value not in ("", "(disabled)")]
    written = f"# written to {into}, mode 600: {', '.join(sorted(found.files))}; take them to the host" if into else \
        "# the files, with their secrets: run this again with --into FOLDER, and take the folder to the host"
    after = "# now restart the server" if found.restarts else "SELECT pg_reload_conf();"
    parts = [[written], *([f"# {name}", text.strip()] for name, text in found.redacted_files().items()
                          if name != "s3-ca.pem"),
             ["# as root on the host, in that folder; pgBackRest is installed, the server is up", *found.install],
             ["# in the server, as a superuser", *replaced, *found.statements, after] if found.statements else
             ["# the server is set as it has to be"],
             ["# as root: the archive is tried", *found.begin],
             ["# as root, on the machine that keeps the schedule; this repository is in "
              f"{PROGRAM}, and `make .venv/stamp` was run there", *found.schedule]]
    return "\n\n".join("\n".join(part) for part in parts)
