"""The protections of a backup bucket: how each is read from the server and set.

A value is a bool, a text or a dict of those, in the same shape declared and live, so that it can be compared, stored
and shown. Lifecycle rules and policy statements without our name belong to others and are kept.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backups.storage.client import code, is_not_implemented

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import ObjectOwnershipType

Value = Any  # bool | str | dict[str, Any]; absent as False, "none" or {}
TLS_ONLY = "LifeCompanionTlsOnly"
RULES = "lifecompanion-"
EXPIRE, NONCURRENT, ABORT = "expire_backups", "expire_noncurrent_versions", "abort_stale_uploads"
LOCK = "object_lock"
ACTIONS = {EXPIRE: ("Expiration", "Days"), NONCURRENT: ("NoncurrentVersionExpiration", "NoncurrentDays"),
           ABORT: ("AbortIncompleteMultipartUpload", "DaysAfterInitiation")}


class NotImplementedByServer(Exception):
    """The server does not implement this protection."""


@dataclass(frozen=True)
class Protection:
    """One protection: its key, its name for people, the AWS permission to set it, and how to read and set it."""

    key: str
    name: str
    permission: str
    read: Callable[[S3Client, str], Value]
    put: Callable[[S3Client, str, Value], None]


def _answer(call: Callable[[], Mapping[str, Any]], key: str, absent: str) -> Any:
    """The part `key` of an answer, None where the server says with code `absent` that there is none.

    An answer without that part comes from a server that took the call for another one: it does not know it.
    """
    try:
        answer = call()
    except ClientError as error:
        if code(error) == absent:
            return None
        if is_not_implemented(error):
            raise NotImplementedByServer from None
        raise
    if key not in answer:
        raise NotImplementedByServer
    return answer[key]


def read_versioning(client: S3Client, bucket: str) -> bool:
    """Whether versioning is enabled."""
    try:
        return client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    except ClientError as error:
        if is_not_implemented(error):
            raise NotImplementedByServer from None
        raise


def put_versioning(client: S3Client, bucket: str, value: Value) -> None:
    """Enable or suspend versioning."""
    status: Any = "Enabled" if value else "Suspended"
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def read_encryption(client: S3Client, bucket: str) -> str:
    """The default encryption: "AES256", "aws:kms", "aws:kms <key>", or "none" where the server encrypts nothing by
    itself.
    """
    configuration = _answer(lambda: client.get_bucket_encryption(Bucket=bucket), "ServerSideEncryptionConfiguration",
                            "ServerSideEncryptionConfigurationNotFoundError")
    rules = configuration["Rules"] if configuration else []
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    return " ".join(filter(None, (default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")))) or "none"


def put_encryption(client: S3Client, bucket: str, value: Value) -> None:
    """Set the default encryption, as `read_encryption` spells it."""
    algorithm, _, key = str(value).partition(" ")
    default: Any = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if key else {})}
    rule: Any = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": algorithm == "aws:kms"}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


PUBLIC_ACCESS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def read_public_access_block(client: S3Client, bucket: str) -> bool:
    """Whether all four settings that block public access are on."""
    configuration = _answer(lambda: client.get_public_access_block(Bucket=bucket), "PublicAccessBlockConfiguration",
                            "NoSuchPublicAccessBlockConfiguration") or {}
    return all(configuration.get(part) for part in PUBLIC_ACCESS)


def put_public_access_block(client: S3Client, bucket: str, value: Value) -> None:
    """Turn all four settings that block public access on, or remove them."""
    if not value:
        client.delete_public_access_block(Bucket=bucket)
        return
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})


def read_ownership(client: S3Client, bucket: str) -> str:
    """The bucket's object ownership; "none" where it has no such setting."""
    controls = _answer(lambda: client.get_bucket_ownership_controls(Bucket=bucket), "OwnershipControls",
                       "OwnershipControlsNotFoundError")
    return str(controls["Rules"][0]["ObjectOwnership"]) if controls and controls["Rules"] else "none"


def put_ownership(client: S3Client, bucket: str, value: Value) -> None:
    """Set the bucket's object ownership."""
    ownership: ObjectOwnershipType = value
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})


def tls_only_statement(client: S3Client, bucket: str) -> dict[str, Any]:
    """The policy statement that denies every call without TLS, to everyone."""
    partition = client.meta.partition
    arn = f"arn:{partition}:s3:::{bucket}"
    return {"Sid": TLS_ONLY, "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


def _read_policy(client: S3Client, bucket: str) -> dict[str, Any]:
    text = _answer(lambda: client.get_bucket_policy(Bucket=bucket), "Policy", "NoSuchBucketPolicy")
    policy: dict[str, Any] = json.loads(text) if text else {"Version": "2012-10-17", "Statement": []}
    if isinstance(policy["Statement"], dict):  # the policy language allows a single one without a list
        policy["Statement"] = [policy["Statement"]]
    return policy


def read_tls_only(client: S3Client, bucket: str) -> bool:
    """Whether the bucket's policy contains our statement that denies calls without TLS."""
    required = _canonical(tls_only_statement(client, bucket))
    return any(_canonical(statement) == required for statement in _read_policy(client, bucket)["Statement"])


def _canonical(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement in one spelling: servers give {"AWS": "*"} for "*", a list for a single text, booleans for texts."""
    plain = dict(statement)
    if plain.get("Principal") in ({"AWS": "*"}, {"AWS": ["*"]}):
        plain["Principal"] = "*"
    for key in ("Action", "Resource"):
        value = plain.get(key)
        plain[key] = sorted(value) if isinstance(value, list) else [value]
    transport = plain.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    wanted = transport[0] if isinstance(transport, list) and len(transport) == 1 else transport
    # Anything else in the condition would narrow it: then it is not ours, and is put anew.
    alone = len(plain.get("Condition", {})) == 1 and len(plain["Condition"].get("Bool", {})) == 1
    if alone and str(wanted).lower() == "false":
        plain["Condition"] = "no TLS"
    return plain


def put_tls_only(client: S3Client, bucket: str, value: Value) -> None:
    """Add or remove our policy statement that denies calls without TLS; other statements stay."""
    policy = _read_policy(client, bucket)
    policy["Statement"] = [statement for statement in policy["Statement"] if statement.get("Sid") != TLS_ONLY]
    if value:
        policy["Statement"].append(tls_only_statement(client, bucket))
    if policy["Statement"]:
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    else:
        client.delete_bucket_policy(Bucket=bucket)


def lifecycle_rule(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The S3 lifecycle rule with our name for a declared one such as {"days": 30, "prefix": "backups/"}."""
    name, unit = ACTIONS[key]
    return {"ID": RULES + key, "Status": "Enabled", "Filter": {"Prefix": value["prefix"]},
            name: {unit: int(value["days"])}}


def _read_rules(client: S3Client, bucket: str) -> list[dict[str, Any]]:
    return list(_answer(lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket), "Rules",
                        "NoSuchLifecycleConfiguration") or [])


def read_rule(client: S3Client, bucket: str, key: str) -> dict[str, Any]:
    """Our lifecycle rule of this key; {} where there is none; one that was edited has its text under "changed"."""
    rule = next((rule for rule in _read_rules(client, bucket) if rule.get("ID") == RULES + key), None)
    if rule is None:
        return {}
    prefix = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    name, unit = ACTIONS[key]
    value = {"days": rule.get(name, {}).get(unit, 0), "prefix": prefix}
    same = {part: content for part, content in {**rule, "Filter": {"Prefix": prefix}}.items() if part != "Prefix"}
    return value if same == lifecycle_rule(key, value) else {**value, "changed": json.dumps(same, default=str)}


def put_rule(client: S3Client, bucket: str, value: Value, key: str) -> None:
    """Set or remove our lifecycle rule of this key; other rules stay. Raises NotImplementedByServer."""
    rules: Any = [rule for rule in _read_rules(client, bucket) if rule.get("ID") != RULES + key]
    rules += [lifecycle_rule(key, value)] if value else []
    try:
        if rules:
            client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        else:
            client.delete_bucket_lifecycle(Bucket=bucket)
    except ClientError as error:
        if code(error) == "InvalidArgument" and "well-formed" in str(error):  # MinIO on an action that it does not know
            raise NotImplementedByServer from None
        raise


def _rule(key: str, name: str) -> Protection:
    return Protection(key, f"lifecycle: {name}", "s3:PutLifecycleConfiguration",
                      functools.partial(read_rule, key=key), functools.partial(put_rule, key=key))


def read_lock(client: S3Client, bucket: str) -> dict[str, Any]:
    """The default retention of object lock for new objects; {} where there is none."""
    configuration = _answer(lambda: client.get_object_lock_configuration(Bucket=bucket), "ObjectLockConfiguration",
                            "ObjectLockConfigurationNotFoundError") or {}
    default = configuration.get("Rule", {}).get("DefaultRetention", {})
    return {"mode": default["Mode"], "days": int(default["Days"])} if default.get("Days") else {}


def put_lock(client: S3Client, bucket: str, value: Value) -> None:
    """Set the default retention of object lock."""
    client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": value["mode"], "Days": int(value["days"])}}})


def read_tags(client: S3Client, bucket: str) -> dict[str, str]:
    """The bucket's tags."""
    tags = _answer(lambda: client.get_bucket_tagging(Bucket=bucket), "TagSet", "NoSuchTagSet") or []
    return {tag["Key"]: tag["Value"] for tag in tags}


def put_tags(client: S3Client, bucket: str, value: Value) -> None:
    """Add or change the given tags; other tags stay."""
    tags: Any = [{"Key": key, "Value": text} for key, text in {**read_tags(client, bucket), **value}.items()]
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})


# In the order in which they are put: what keeps others out comes first.
PROTECTIONS = (
    Protection("block_public_access", "public access block", "s3:PutBucketPublicAccessBlock",
               read_public_access_block, put_public_access_block),
    Protection("ownership", "object ownership", "s3:PutBucketOwnershipControls", read_ownership, put_ownership),
    Protection("tls_only", "TLS-only policy", "s3:PutBucketPolicy", read_tls_only, put_tls_only),
    Protection("encryption", "default encryption", "s3:PutEncryptionConfiguration", read_encryption, put_encryption),
    Protection("versioning", "versioning", "s3:PutBucketVersioning", read_versioning, put_versioning),
    Protection(LOCK, "object lock", "s3:PutBucketObjectLockConfiguration", read_lock, put_lock),
    _rule(EXPIRE, "expire backups"),
    _rule(NONCURRENT, "expire noncurrent versions"),
    _rule(ABORT, "abort stale uploads"),
    Protection("tags", "tags", "s3:PutBucketTagging", read_tags, put_tags),
)
