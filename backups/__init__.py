"""Backups of one PostgreSQL database: logical and physical, their restore, the drills that prove them, monitoring."""
