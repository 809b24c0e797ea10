"""Where and how the database runs: the only package besides cli that imports Pulumi."""
