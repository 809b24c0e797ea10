"""Drills: a backup restored into a temporary server and compared with what it was taken from."""
