"""PostgreSQL's client programs, and connections that backups and restores work by."""
