"""`python -m backups FILE`: run the schedule of the settings in FILE until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from backups.config import BackupConfig
from backups.errors import BackupError
from backups.schedule import serve_schedule


def main(arguments: list[str]) -> int:
    """Run until stopped; returns the exit status: 2 where no file is named, 1 where its settings are wrong."""
    if len(arguments) != 1:
        print("usage: python -m backups FILE (settings as `lcdb backup config` prints them)", file=sys.stderr)
        return 2
    try:
        config = BackupConfig.from_file(Path(arguments[0]))
    except BackupError as error:
        print(error, file=sys.stderr)
        return 1

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stop)
    try:
        serve_schedule(config, lambda line: print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", flush=True))
    except KeyboardInterrupt:
        print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
