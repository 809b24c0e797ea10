"""The work behind the create, diff, read, update and delete of the dynamic providers, without Pulumi."""
