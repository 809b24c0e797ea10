"""The S3 server of a stack of ours, and the backup bucket."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.handlers.read_ahead import read_ahead
from infra.providers.calls import Props, as_found, changed, is_unknown, plan_of, shown
from infra.providers.images import BuildContextProvider

# The certificate of a server of ours comes early, the bucket after everything.
read_ahead("infra.handlers.bucket", "botocore.config", "boto3.session")


class CertificateProvider(ResourceProvider):
    """A server certificate and the authority that signed it; issued anew when it is about to expire."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from infra.handlers.certificate import issue

        issued = issue(props["names"], int(props["days"]))
        self._write_ca(props["ca_file"], issued.ca_pem)
        return CreateResult(str(props["names"][0]), {**props, **asdict(issued)})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=self._is_wanted_anew(olds, news) or not self._ca_is_there(olds))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        if self._is_wanted_anew(olds, news):
            return UpdateResult(self.create(news).outs)
        self._write_ca(news["ca_file"], olds["ca_pem"])
        return UpdateResult(olds)

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def delete(self, _id: str, props: Props) -> None:
        Path(props["ca_file"]).unlink(missing_ok=True)

    @staticmethod
    def _is_wanted_anew(olds: Props, news: Props) -> bool:
        from infra.handlers.certificate import has_usages, is_due

        return changed(olds, news) or is_due(olds["not_after"]) or not has_usages(olds["cert_pem"])

    @staticmethod
    def _ca_is_there(props: Props) -> bool:
        path = Path(props["ca_file"])
        return path.is_file() and path.read_text(encoding="ascii") == props["ca_pem"]

    @staticmethod
    def _write_ca(path: str, pem: str) -> None:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(path).write_text(pem, encoding="ascii")


class GatewayProvider(ResourceProvider):
    """The S3 server as a process of this machine; one that has ended is started again by the next update."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["folder"]), self._start(props))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.local.s3_server import gateway_runs

        replaces = ["folder"] if olds["folder"] != news["folder"] else []
        return DiffResult(changes=changed(olds, news) or not gateway_runs(Path(olds["folder"])), replaces=replaces)

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        from infra.local.s3_server import stop_gateway

        if changed(olds, news):
            stop_gateway(Path(olds["folder"]))
        return UpdateResult(self._start(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.local.s3_server import gateway_runs

        return ReadResult(id_, {**props, "running": gateway_runs(Path(props["folder"]))})

    def delete(self, _id: str, props: Props) -> None:
        from infra.local.s3_server import remove_gateway

        remove_gateway(Path(props["folder"]))

    @staticmethod
    def _start(props: Props) -> Props:
        from infra.local.s3_server import start_gateway

        start_gateway(Path(props["folder"]), port=int(props["port"]), access_key=props["access_key"],
                      secret_key=props["secret_key"], ca_pem=props["ca_pem"], cert_pem=props["cert_pem"],
                      key_pem=props["key_pem"])
        return {**props, "running": True}


class GatewayBuildProvider(BuildContextProvider):
    """The folder from which the S3 server's image is built: binary and Dockerfile."""

    def _prepare(self, folder: Path) -> Path:
        from infra.local.s3_server import prepare_build_context

        return prepare_build_context(folder)


class BucketProvider(ResourceProvider):
    """Carries Pulumi's calls for the backup bucket to backups.storage.bucket."""

    serialize_as_secret_always = False

    def check(self, _olds: Props, news: Props) -> CheckResult:
        from infra.handlers.bucket import planned

        return shown(news, lambda: planned(news, server_known=not is_unknown(news["login"])))

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from infra.handlers.bucket import is_work, planned

        replaces = ["bucket"] if olds["bucket"] != news["bucket"] else []
        plan = plan_of(news, lambda: planned(news, server_known=True))
        return DiffResult(changes=is_work(plan, olds["left_out"]) or changed(olds, news, "plan"), replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        return CreateResult(str(props["bucket"]), self._ensure(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._ensure(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.handlers.bucket import live

        return as_found(id_, props, live(props), "left_out")

    def delete(self, _id: str, props: Props) -> None:
        from infra.handlers.bucket import deleted

        deleted(props)

    @staticmethod
    def _ensure(props: Props) -> Props:
        from infra.handlers.bucket import ensured

        return {**props, "left_out": ensured(props)}
