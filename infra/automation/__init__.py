"""Run a stack with the Pulumi CLI: the CLI and its state, progress, explained failures, the report at the end."""
