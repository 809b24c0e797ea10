"""Generating the development data as columns, from a seed number."""
