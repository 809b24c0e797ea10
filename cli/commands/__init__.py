"""The commands of `lcdb`, one module for each group."""
