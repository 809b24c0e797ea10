"""What users are told: thresholds, where readings cross them, and the notifications that follow."""
