"""The declared schema as plain SQL, Python source and a picture; a live database as declarations."""
