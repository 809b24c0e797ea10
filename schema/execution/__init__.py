"""Steps carried out on one connection, and what watches that they change nothing else."""
