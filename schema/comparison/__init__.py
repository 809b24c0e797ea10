"""Declared and live objects side by side, both in the server's words, and what differs."""
