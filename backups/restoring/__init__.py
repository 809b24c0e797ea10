"""Restoring a logical backup into a new database: roles, structure, rows; its jobs stay off until they are released."""
