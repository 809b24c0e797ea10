"""Backups and restores, measured beside pg_dump and pgBackRest."""
