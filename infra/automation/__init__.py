"""Driving a stack: the Pulumi CLI and its state, progress, failures explained, the report at the end."""
