"""Random declared schemas, and rows that fit them, for hypothesis.

Columns of one name hold values of one family whatever their type, so that the data allows every type change between two
schemas; no value is NULL, and values of unique columns are unique.
"""

from tests.support.schemas.random_schemas.schemas import Pair as Pair
from tests.support.schemas.random_schemas.schemas import pairs as pairs
