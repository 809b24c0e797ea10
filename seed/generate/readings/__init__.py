"""What devices report: the air around them, their batteries, and the rows of their readings."""
