"""What `__main__` calls: settings, and one `declare_*` for each part of the stack."""
