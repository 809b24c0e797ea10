"""From declared and live objects to finished diffs: read, canonicalise, gather what planning needs."""
