"""PostgreSQL's client programs, and the connections of backups and restores."""
