"""Logical backups: rows and structure of one database, taken in one snapshot and restored into a new one."""
