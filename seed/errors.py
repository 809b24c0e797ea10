"""Errors of the seed package: one line each: the object, what is wrong (found and required), the remedy."""


class SeedError(Exception):
    """Root of everything the seed package raises on purpose."""


class InterruptedLoadError(SeedError):
    """The load was stopped on purpose; what was loaded stays, and the next run goes on from there."""
