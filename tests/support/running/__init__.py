"""Servers that the tests start, and what must not be left running."""
