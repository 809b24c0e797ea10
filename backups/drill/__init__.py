"""Drills: a backup is restored into a temporary server and compared with its source."""
