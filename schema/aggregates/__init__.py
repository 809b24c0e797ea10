"""Continuous aggregates: their queries, their refresh windows, and what a change of one means for the others."""
