"""What the air, a battery and an activity do over time: signals, before a device samples them."""
