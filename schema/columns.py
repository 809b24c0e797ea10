"""Columns of the usual types: the name that files of declarations import (schema/model/columns.py)."""

from schema.model.columns import *  # noqa: F403
