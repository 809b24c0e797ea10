"""The providers of the stack's own S3 server (certificate, process, image) and of the backup bucket."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.handlers.read_ahead import read_ahead
from infra.providers.calls import Props, check_with_plan, find_plan, has_changed, is_unknown, report_live
from infra.providers.images import BuildContextProvider

# The S3 server's certificate is among the first resources, the bucket among the last.
read_ahead("infra.handlers.bucket", "botocore.config", "boto3.session")


class CertificateProvider(ResourceProvider):
    """Issues a server certificate with its own authority, and a new one 30 days before it expires."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Issue the certificate and write the authority's certificate to `ca_file`."""
        from infra.handlers.certificate import issue

        issued = issue(props["names"], int(props["days"]))
        self._write_ca(props["ca_file"], issued.ca_pem)
        return CreateResult(str(props["names"][0]), {**props, **asdict(issued)})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Report a change where inputs differ, the certificate is due, or `ca_file` is missing."""
        return DiffResult(changes=self._must_reissue(olds, news) or not self._has_ca_file(olds))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Issue a new certificate where one is due, else write `ca_file` again."""
        if self._must_reissue(olds, news):
            return UpdateResult(self.create(news).outs)
        self._write_ca(news["ca_file"], olds["ca_pem"])
        return UpdateResult(olds)

    def read(self, id_: str, props: Props) -> ReadResult:
        """Return what is stored."""
        return ReadResult(id_, props)

    def delete(self, _id: str, props: Props) -> None:
        """Delete `ca_file`."""
        Path(props["ca_file"]).unlink(missing_ok=True)

    @staticmethod
    def _must_reissue(olds: Props, news: Props) -> bool:
        from infra.handlers.certificate import has_usages, is_due

        return has_changed(olds, news) or is_due(olds["not_after"]) or not has_usages(olds["cert_pem"])

    @staticmethod
    def _has_ca_file(props: Props) -> bool:
        path = Path(props["ca_file"])
        return path.is_file() and path.read_text(encoding="ascii") == props["ca_pem"]

    @staticmethod
    def _write_ca(path: str, pem: str) -> None:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(path).write_text(pem, encoding="ascii")


class GatewayProvider(ResourceProvider):
    """Runs the S3 server as a process of this machine; where it has ended, the next update starts it again."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Start the server."""
        return CreateResult(str(props["folder"]), self._start(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Report a change where inputs differ or the server does not run; a new folder replaces it."""
        from infra.local.s3_server import s3_server_runs

        replaces = ["folder"] if olds["folder"] != news["folder"] else []
        changes = has_changed(olds, news) or not s3_server_runs(Path(olds["folder"]))
        return DiffResult(changes=changes, replaces=replaces)

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Start the server, after a stop where inputs differ."""
        from infra.local.s3_server import stop_s3_server

        if has_changed(olds, news):
            stop_s3_server(Path(olds["folder"]))
        return UpdateResult(self._start(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Tell whether the server runs."""
        from infra.local.s3_server import s3_server_runs

        return ReadResult(id_, {**props, "running": s3_server_runs(Path(props["folder"]))})

    def delete(self, _id: str, props: Props) -> None:
        """Stop the server and delete its data."""
        from infra.local.s3_server import remove_s3_server

        remove_s3_server(Path(props["folder"]))

    @staticmethod
    def _start(props: Props) -> Props:
        from infra.local.s3_server import start_s3_server

        start_s3_server(Path(props["folder"]), port=int(props["port"]), access_key=props["access_key"],
                      secret_key=props["secret_key"], ca_pem=props["ca_pem"], cert_pem=props["cert_pem"],
                      key_pem=props["key_pem"])
        return {**props, "running": True}


class GatewayBuildProvider(BuildContextProvider):
    """Prepares the build context of the S3 server's image: binary and Dockerfile."""

    def _prepare(self, folder: Path) -> Path:
        from infra.local.s3_server import prepare_build_context

        return prepare_build_context(folder)


class BucketProvider(ResourceProvider):
    """Carries Pulumi's calls for the backup bucket to backups.storage.bucket."""

    serialize_as_secret_always = False

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Accept the declaration; in a preview with the plan."""
        from infra.handlers.bucket import plan_changes

        return check_with_plan(news, lambda: plan_changes(news, server_known=not is_unknown(news["login"])))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Report a change where inputs or the live bucket differ from the declared ones; a new name replaces it."""
        from infra.handlers.bucket import has_changes, plan_changes

        replaces = ["bucket"] if olds["bucket"] != news["bucket"] else []
        plan = find_plan(news, lambda: plan_changes(news, server_known=True))
        return DiffResult(changes=has_changed(olds, news, "plan") or has_changes(plan, olds["left_out"]),
                          replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Create the bucket, or make a live one of its name the declared one."""
        return CreateResult(str(props["bucket"]), self._ensure(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Make the live bucket the declared one."""
        return UpdateResult(self._ensure(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Read the live bucket."""
        from infra.handlers.bucket import read_live

        return report_live(id_, props, read_live(props), "left_out")

    def delete(self, _id: str, props: Props) -> None:
        """Delete the bucket; fails while it holds backups, unless the stack allows it."""
        from infra.handlers.bucket import delete

        delete(props)

    @staticmethod
    def _ensure(props: Props) -> Props:
        from infra.handlers.bucket import ensure

        return {**props, "left_out": ensure(props)}
