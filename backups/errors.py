"""Errors of the backups package: one line each: the object, what is wrong (found and required), the remedy."""


class BackupError(Exception):
    """Root of all errors that the backups package raises deliberately."""


class S3Error(BackupError):
    """The S3 server did not answer, refused the login or refused a call; the message never carries a secret."""


class S3UnreachableError(S3Error):
    """No server answers at the endpoint, or not yet."""


class BucketError(BackupError):
    """The bucket does not meet its declaration and cannot be changed to."""


class UnsupportedError(BucketError):
    """The S3 server does not implement a required protection."""


class WrongKeyError(BackupError):
    """None of the given keys decrypts this backup."""


class DamagedError(BackupError):
    """An object of a backup is missing or differs from the manifest; the message names it."""


class DumpError(BackupError):
    """A backup could not be taken; the catalogue does not list it."""


class RestoreError(BackupError):
    """A backup does not fit the target server, or could not be restored into it."""


class MissedPointError(RestoreError):
    """The WAL after this backup does not contain the requested recovery point; an older backup may."""


class BusyError(BackupError):
    """Another backup or drill of the same database is running."""


class NotProvenError(BackupError):
    """A drill ran to its end and found a difference."""
