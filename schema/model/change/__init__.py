"""What a change consists of: a declaration's difference, the steps that make it true, their order, renamed objects."""
