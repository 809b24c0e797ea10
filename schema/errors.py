"""Errors of the schema package: one line each: the object, what is wrong (found and required), the remedy."""


class SchemaError(Exception):
    """Root of everything the schema package raises on purpose."""


class ServerUnreachableError(SchemaError):
    """The server did not answer, or refused the login; the message never carries a password."""


class DeclarationError(SchemaError):
    """A declaration is wrong in itself: found before any server is asked."""


class UnsupportedError(SchemaError):
    """The server's version or edition cannot do what is declared."""


class UnsafeChangeError(SchemaError):
    """The plan carries a hazard that neither the stack nor the object allows."""


class ApplyError(SchemaError):
    """A step failed on the server; what was done before it stands and a new run goes on from there."""


class VerifyError(SchemaError):
    """After applying, the live objects are still not the declared ones."""
