"""Errors of the schema package. A message is one line: object, what is wrong (found and required), remedy."""


class SchemaError(Exception):
    """Root of all errors that the schema package raises itself."""


class ServerUnreachableError(SchemaError):
    """The server does not answer or refuses the login; the message never contains a password."""


class UnfinishedRestoreError(SchemaError):
    """A restore into the database goes on or was killed, or TimescaleDB is switched off in it as for one."""


class DeclarationError(SchemaError):
    """A declaration is wrong in itself, whatever the server."""


class UnsupportedError(SchemaError):
    """The server's version or edition does not support what is declared."""


class UnsafeChangeError(SchemaError):
    """The plan has a hazard that neither the stack nor the object allows."""


class ApplyError(SchemaError):
    """A step failed on the server; the steps before it stay, and a new run continues from there."""


class QueryError(SchemaError):
    """The server refused or ended a query, as for want of rights or time; the message has its words."""


class VerifyError(SchemaError):
    """The live objects still differ from the declared ones after the plan was applied."""
