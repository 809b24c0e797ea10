"""Declared and live objects as values, durations, names, steps; pure: no driver, no server."""
