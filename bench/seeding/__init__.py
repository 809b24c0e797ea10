"""Seeding and ingestion, measured beside COPY and other loaders."""
