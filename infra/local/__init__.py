"""Processes, packages and images on this machine."""
