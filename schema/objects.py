"""What a database can be declared to hold: the name that files of declarations import (schema/model/objects.py)."""

from schema.model.objects import *  # noqa: F403
