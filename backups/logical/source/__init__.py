"""Read what a backup saves: one snapshot of the database, its roles, tables, chunks and sequences, and what it says."""
