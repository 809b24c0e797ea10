"""Figures as they are kept (JSON), drawn and listed on one page."""
