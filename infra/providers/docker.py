"""What images are built from."""

from __future__ import annotations

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, changed


class BaseImageProvider(ResourceProvider):
    """The base of images that we build; shared by all stacks of a machine, so it is never deleted."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        from infra.local.base_image import ensure_base_image

        reference = ensure_base_image()
        return CreateResult(reference, {**props, "reference": reference})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return DiffResult(changes=changed(olds, news))

    def update(self, id_: str, _olds: Props, news: Props) -> UpdateResult:
        return UpdateResult({**news, "reference": id_})

    def read(self, id_: str, props: Props) -> ReadResult:
        from infra.local.base_image import find_base_image

        return ReadResult(id_, props) if find_base_image() == id_ else ReadResult("", {})

    def delete(self, _id: str, _props: Props) -> None:
        """Another stack's image may stand on it."""
