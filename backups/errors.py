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


class WrongKeyError(BackupError):
    """A backup cannot be opened with the keys given."""


class DamagedError(BackupError):
    """An object of a backup is missing, or is not what the manifest says; the message names it."""


class DumpError(BackupError):
    """A backup could not be taken; nothing of it is listed."""


class RestoreError(BackupError):
    """A backup does not fit where it is to go, or could not be restored there."""


class MissedPointError(RestoreError):
    """The WAL after this backup ends, or begins, on the other side of the point that recovery was to stop at."""


class BusyError(BackupError):
    """Another backup of the same database is being taken."""


class NotProvenError(BackupError):
    """A drill came to its end and did not find what it should."""
