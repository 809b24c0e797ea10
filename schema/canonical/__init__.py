"""Declared objects in canonical form: in the server's own spelling, comparable with live ones."""
