"""What TimescaleDB adds: continuous aggregates, the columnstore, policies and jobs."""
