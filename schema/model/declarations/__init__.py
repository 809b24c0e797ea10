"""What a declaration is made of: parts of tables, policies, routines, types and row-level security; pure values."""
