"""Physical backups: pgBackRest's copies of the server's files and of its WAL, for recovery to any point in time."""
