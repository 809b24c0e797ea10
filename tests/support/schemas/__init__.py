"""Schemas that the tests declare, collect or make at random."""
