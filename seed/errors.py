"""Errors of the seed package: one line each: the object, what is wrong (found and required), the remedy."""


class SeedError(Exception):
    """Root of all errors that the seed package raises deliberately."""


class InterruptedLoadError(SeedError):
    """The user stopped the load; the loaded rows stay, and the next run continues from them."""
