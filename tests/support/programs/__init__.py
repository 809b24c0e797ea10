"""Pulumi programs and checkouts that the tests run."""
