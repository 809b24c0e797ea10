"""Errors of the backups package: one line each: the object, what is wrong (found and required), the remedy."""


class BackupError(Exception):
    """Root of everything the backups package raises on purpose."""


class S3Error(BackupError):
    """The S3 server did not answer, refused the login or refused a call; the message never carries a secret."""


class S3UnreachableError(S3Error):
    """Nothing answers at the endpoint (yet)."""


class BucketError(BackupError):
    """The bucket is not as required and cannot be made so."""


class UnsupportedError(BucketError):
    """The S3 server does not implement a protection that is required."""
