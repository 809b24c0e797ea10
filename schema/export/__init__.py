"""The declared schema as plain SQL, as Python source and as a picture; a live database as declarations."""
