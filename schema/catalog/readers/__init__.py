"""One reader for each kind of object: names of one schema in, live objects by name out, in a fixed number of
queries."""
