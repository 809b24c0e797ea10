"""The live database read from the server's catalogs, in a constant number of queries."""
