"""From the difference to ordered steps: what depends on what, what was renamed, what is in the way; pure."""
