"""Declared objects in the server's own words, so that they can be compared with live ones."""
