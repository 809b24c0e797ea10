"""What the server holds, in its own spelling: pure values, which readers return and planning compares."""
