"""Logging in to an S3 server, and turning its errors into one line with a remedy."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as S3ConnectionError

from backups.errors import S3Error, S3UnreachableError

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client

# TLS's error for a port that a container publishes before its server listens.
CUT_OFF = "UNEXPECTED_EOF_WHILE_READING"
REFUSED_KEY = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidAccessKey", "XAdminNoSuchUser"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "RequestExpired"})
WRONG_REGION = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException",
                          "InvalidLocationConstraint", "301"})
# Error codes of servers for calls or settings that they do not implement.
NOT_IMPLEMENTED = frozenset({"NotImplemented", "XNotImplemented", "MethodNotAllowed", "MalformedXML", "501", "405",
                             "VersioningNotConfigured", "UnsupportedOperation"})


@dataclass(frozen=True)
class S3Login:
    """A login to an S3 server; without `endpoint` it is AWS, without keys they are looked up as AWS's own tools do.

    `ca_file` is a PEM file with the authority that signed a private server's certificate.
    """

    region: str = "us-east-1"
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    path_style: bool = False

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from a mapping as Pulumi passes it: null values are absent; unknown keys are ignored."""
        texts = ("endpoint", "access_key", "secret_key", "session_token", "ca_file")
        return cls(region=str(values.get("region") or "us-east-1"), path_style=bool(values.get("path_style")),
                   **{key: str(values[key]) for key in texts if values.get(key)})

    def to_dict(self) -> dict[str, Any]:
        """The mapping that `from_dict` takes, without absent values. Contains the secret key."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        """The endpoint, or AWS and the region; never a secret."""
        return self.endpoint or f"AWS S3 {self.region}"

    def ca_file_is_missing(self) -> bool:
        """Whether the named CA file does not exist, as before the first start of a local S3 server."""
        return self.ca_file is not None and not Path(self.ca_file).is_file()

    def client(self) -> S3Client:
        """A client with timeouts of 5 s to connect and 60 s to answer, and at most 3 attempts a call. Raises S3Error.
        """
        if self.ca_file_is_missing():
            raise S3Error(f"{self}: CA file {self.ca_file} is not there; put the authority's PEM file there, "
                          "or bring up the stack that makes it")
        # Imported here: it takes longer than many a command runs, or runs beside what the database is asked.
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3, "mode": "standard"},
                        # Whoever reads has a SHA-256 to compare with, or the seal of a manifest.
                        response_checksum_validation="when_required",
                        s3={"addressing_style": "path" if self.path_style else "auto"})
        # A session makes one client at a time.
        with explain_errors(self, "log in"), _MAKING:
            return self._session().client(
                "s3", region_name=self.region, endpoint_url=self.endpoint, config=config,
                aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
                aws_session_token=self.session_token, verify=self.ca_file)

    def _session(self) -> Session:
        """boto3's session: one for all logins with keys, which has read the description of S3 once; where AWS's own
        tools find the keys, a new one each time, since what they find changes."""
        if self.access_key and self.secret_key:
            return _session_of_all()
        return _new_session()


_MAKING = threading.Lock()


def _new_session() -> Session:
    import boto3.session

    return boto3.session.Session()


@functools.cache
def _session_of_all() -> Session:
    return _new_session()


@contextmanager
def explain_errors(login: S3Login, doing: str) -> Iterator[None]:
    """Turn botocore's errors in the block into a one-line S3Error; `doing` is an infinitive such as "read the tags"."""
    try:
        yield
    except ClientError as error:
        raise S3Error(_explain_refusal(login, doing, error)) from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound,
            TokenRetrievalError) as error:
        raise S3Error(f"{login}: no complete credentials ({_one_line(login, error)}); set the access key and the "
                      "secret key, or log in with AWS's own tools") from None
    except SSLError as error:
        if CUT_OFF in str(error):
            raise S3UnreachableError(f"{login}: does not answer ({_one_line(login, error)}); check that it "
                                     "runs") from None
        raise S3Error(f"{login}: its certificate is not trusted ({_one_line(login, error)}); give the CA file of the "
                      "authority that signed it, and an endpoint whose host name the certificate bears") from None
    except (S3ConnectionError, HTTPClientError) as error:
        raise S3UnreachableError(f"{login}: does not answer ({_one_line(login, error)}); check that it runs and that "
                                 "the endpoint is right") from None
    except (BotoCoreError, ValueError) as error:
        raise S3Error(f"{login}: cannot {doing}: {_one_line(login, error)}; correct the login's values") from None


def wait_until_it_answers(login: S3Login, client: S3Client, seconds: float) -> None:
    """Return when the server answers anything, even a refusal; raises S3UnreachableError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        try:
            with explain_errors(login, "list the buckets"):
                client.list_buckets(MaxBuckets=1)
        except S3UnreachableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
            continue
        except S3Error:
            return  # the first real call will say it with its own words
        return


def code(error: ClientError) -> str:
    """The error code of a refusal; the HTTP status where the server sent no code."""
    return str(error.response.get("Error", {}).get("Code") or error.response["ResponseMetadata"]["HTTPStatusCode"])


def is_not_implemented(error: ClientError) -> bool:
    """Whether the server answered that it does not implement the call."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code(error) in NOT_IMPLEMENTED or status == 501


def _explain_refusal(login: S3Login, doing: str, error: ClientError) -> str:
    refusal = code(error)
    if refusal in REFUSED_KEY:
        return (f"{login}: login with access key {login.access_key or 'from the environment'} refused ({refusal}); "
                "set the access key and the secret key that the server knows")
    if refusal in EXPIRED:
        return f"{login}: the credentials have expired ({refusal}); log in and run again"
    if refusal == "RequestTimeTooSkewed":
        return f"{login}: this machine's clock differs too much from the server's; set the clock right"
    if refusal in WRONG_REGION:
        headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
        right = error.response.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region")
        return (f"{login}: region found {login.region}, required {right or 'another one'} ({refusal}); "
                "set the region that the bucket is in")
    if refusal in ("AccessDenied", "403", "AllAccessDisabled"):
        return f"{login}: may not {doing} ({refusal}); give this login the right to, or use another login"
    why = "the bucket is not there; bring up the stack that makes it, or correct its name" \
        if refusal == "NoSuchBucket" else f"{refusal}: {_one_line(login, error)}; see the server's own log"
    return f"{login}: cannot {doing}: {why}"


def _one_line(login: S3Login, error: Exception) -> str:
    text = " ".join(str(error).split())
    for secret in (login.secret_key, login.session_token):
        text = text.replace(secret, "***") if secret else text
    return text[:300]
