"""Physical backups: pgBackRest's copies of the server's files and its WAL, for recovery to any point in time."""
