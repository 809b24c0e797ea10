"""What tables stand on: enums, domains, composite types, collations, sequences, extensions."""
