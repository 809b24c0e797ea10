"""The development data as columns, made from a seed number."""
