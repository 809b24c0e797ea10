"""Planning, online changes and ups with nothing to do, measured beside other planners and plain SQL."""
