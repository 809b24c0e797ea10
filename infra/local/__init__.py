"""Processes, packages, images and state files on this machine."""
