"""A declaration written as CREATE statements in .sql files: loaded into a scratch database, and read from there."""
