"""The way back of a logical backup: a new database, its roles, its rows, its jobs held until they are released."""
