"""From diffs to ordered steps: the steps of all objects, and the views that are in their way; pure."""
