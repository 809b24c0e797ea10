"""Durations: the name that files of declarations import (schema/model/intervals.py)."""

from schema.model.intervals import *  # noqa: F403
