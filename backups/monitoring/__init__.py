"""The state of a database's backups, and whether recovery would meet its objectives."""
