"""How the backups of a database stand, and whether recovery keeps its objectives."""
