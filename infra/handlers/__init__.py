"""What the dynamic providers call: the work behind a resource's create, diff, read, update and delete."""
